package detectors

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestPatienceIsLearnedFromAnEvenRhythm: a channel whose feeds come every so often is late once its period has passed, and not much later,
// though one feed in a hundred hangs for a day.
func TestPatienceIsLearnedFromAnEvenRhythm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := inventory.Millis(rapid.Int64Range(int64(15*inventory.Minute), int64(6*inventory.Hour)).Draw(t, "period"))
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var f following
		for i := range 300 {
			took := inventory.Millis(draw.Int64N(int64(period)))
			if i%100 == 25 {
				took = inventory.Day
			}
			f.learn(took)
		}
		if got := f.patience(); got < period*9/10 || got > 3*period {
			t.Fatalf("patience of %v for feeds every %v", got, period)
		}
		var back following
		r := wire.NewReader(f.Append(nil))
		back.Read(r)
		if r.Done() != nil || back != f {
			t.Fatalf("%+v was written and read as %+v", f, back)
		}
	})
}

func TestUntilMeasuredAFeedHasFourHours(t *testing.T) {
	if got := new(Place).patience("web"); got < 3*inventory.Hour || got > 5*inventory.Hour {
		t.Errorf("a channel of which nothing is known has %v", got)
	}
}
