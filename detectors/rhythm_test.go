package detectors

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTwoMissingTicksAreASilence, whatever the rhythm, and though outages came before.
func TestTwoMissingTicksAreASilence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every := inventory.Millis(rapid.Int64Range(int64(10*inventory.Minute), int64(6*inventory.Hour)).Draw(t, "every"))
		var r Rhythm
		for i := range rapid.IntRange(60, 200).Draw(t, "ticks") {
			if r.Silence() != 0 != (i >= 10) {
				t.Fatalf("after %d ticks a silence is %d ms", i, r.Silence())
			}
			if i == 12 {
				r.Tick(10 * inventory.Day)
			}
			r.Tick(every)
		}
		if got := r.Silence(); got < 2*every || got > 4*every+tickLate {
			t.Fatalf("%d ms are a silence of who ticks every %d", got, every)
		}
		var back Rhythm
		in := wire.NewReader(r.Append(nil))
		back.Read(in)
		if in.Done() != nil || back != r {
			t.Fatalf("%+v was written and read as %+v", r, back)
		}
	})
}

// TestADayHasAMeanDaysDemand however it falls on its hours, and the hours have theirs.
func TestADayHasAMeanDaysDemand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b byHour
		midnight := inventory.Millis(1_795_392_000_000)
		for range rapid.IntRange(0, 500).Draw(t, "events") {
			b.add(midnight + inventory.Millis(rapid.IntRange(0, 23).Draw(t, "hour"))*inventory.Hour)
		}
		from := midnight + inventory.Millis(rapid.Int64Range(0, int64(inventory.Day)).Draw(t, "from"))
		if got := b.hours(from, from+inventory.Day); math.Abs(got-24) > 1e-9 {
			t.Fatalf("a day has %g mean hours", got)
		}
		var back byHour
		in := wire.NewReader(b.append(nil))
		back.read(in)
		if in.Done() != nil || back != b {
			t.Fatalf("%+v was written and read as %+v", b, back)
		}
	})
	var b byHour
	for i := range 3 * byHourMost {
		b.add(inventory.Millis(i%2) * 12 * inventory.Hour) // at midnight and at noon
	}
	if noon, one := b.hours(12*inventory.Hour, 13*inventory.Hour), b.hours(13*inventory.Hour, 14*inventory.Hour); noon < 11.9 || noon > 12 || one > 0.01 || b.sum >= byHourMost {
		t.Errorf("noon has %g mean hours and one o'clock %g, of %d events", noon, one, b.sum)
	}
}
