package engine_test

import (
	"strconv"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestADoubtIsLookedAtAndChangesNothing: it rises with silence, is what an exception states, and who looks often gets
// what who looks once gets.
func TestADoubtIsLookedAtAndChangesNothing(t *testing.T) {
	const day = inventory.Day
	play := func(looks bool) (doubts []float64, raised float64) {
		e, err := engine.New(engine.Config{}, enginetest.NewStore())
		if err != nil {
			t.Fatal(err)
		}
		n := uint64(0)
		apply := func(d inventory.Delta) {
			n++
			d.ID, d.Source, d.Location = strconv.FormatUint(n, 10), "pos", "a"
			if r, err := e.Apply(engine.At{Sequence: n}, &d); err != nil || r.Outcome != engine.Applied {
				t.Fatalf("%+v: %+v, %v", d, r, err)
			}
			for _, o := range e.Outputs() {
				if x := o.Exception; x != nil && raised == 0 {
					raised = x.Confidence
				}
			}
			e.ClearOutputs()
			if looks && d.Kind == inventory.Tick {
				doubt, ok, err := e.Doubt("mug", "a")
				if err != nil || !ok || doubt.OnHand <= 0 || doubt.ATP <= 0 {
					t.Fatalf("%+v, %t, %v", doubt, ok, err)
				}
				doubts = append(doubts, doubt.Probability)
			}
		}
		const begin = 20_000 * day
		apply(inventory.Delta{SKU: "mug", Kind: inventory.Count, Quantity: 900, Time: begin})
		for hour := inventory.Millis(1); hour < 24*20; hour++ {
			at := begin + hour*inventory.Hour
			apply(inventory.Delta{SKU: "tee", Kind: inventory.Sale, Quantity: 1, Channel: "store", Time: at})
			if hour < 24*10 {
				apply(inventory.Delta{SKU: "mug", Kind: inventory.Sale, Quantity: 1, Channel: "store", Time: at})
			}
			apply(inventory.Delta{Kind: inventory.Tick, Time: at})
		}
		return doubts, raised
	}
	doubts, raised := play(true)
	before, after := doubts[24*9], doubts[len(doubts)-1]
	if before > 0.2 || after < 0.8 {
		t.Errorf("in doubt by %.2f while it sold, and by %.2f ten days later", before, after)
	}
	if _, blind := play(false); raised == 0 || raised != blind {
		t.Errorf("raised with %g where somebody looked, and with %g where nobody did", raised, blind)
	}
	e, err := engine.New(engine.Config{}, enginetest.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := e.Doubt("mug", "a"); ok || err != nil {
		t.Errorf("a key that nobody named: %t, %v", ok, err)
	}
}
