package sim_test

import (
	"math"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestAThrottledChannelShowsNoMore than it was told it may, once its lag has passed.
func TestAThrottledChannelShowsNoMore(t *testing.T) {
	s := sim.New(sim.Config{Seed: 2, Start: start, Stores: 2, SKUs: 12})
	c := inventory.Command{
		Action: inventory.Throttle, Sellable: 2, Channel: "web", SKU: "mug-101", Location: "store-01", Revision: 3, ExpiresAt: start + 2*inventory.Day,
	}
	s.Obey(&c)
	old := c
	old.Revision, old.Sellable = 2, 50
	s.Obey(&old)
	most, later := int64(0), int64(0)
	until(s, start+4*inventory.Day, func(d inventory.Delta, _ inventory.Millis) {
		if d.Kind != inventory.Listing || d.Channel != "web" || d.SKU != c.SKU || d.Location != c.Location {
			return
		}
		switch {
		case d.Time >= c.ExpiresAt:
			later = max(later, d.Quantity)
		case d.Time > start+10*inventory.Minute:
			most = max(most, d.Quantity)
		}
	})
	if most > 2 || later <= 2 {
		t.Errorf("web showed up to %d while it was throttled to 2, and %d after that lapsed", most, later)
	}
}

// TestAStudyIsLikeWhatIsPublished, in the mean over some seeds, and its totals add up.
func TestAStudyIsLikeWhatIsPublished(t *testing.T) {
	sums, seeds := map[string]float64{}, 3
	for seed := range seeds {
		c := sim.Study(uint64(seed+1), 0.03)
		c.Start, c.SKUs, c.Stores = start, 40, 4
		s := sim.New(c)
		until(s, start+28*inventory.Day, func(inventory.Delta, inventory.Millis) {})
		for _, f := range s.Calibration() {
			sums[f.Name] += f.Measured / float64(seeds)
		}
		totals := s.Totals()
		if totals.Wanted != totals.Sold+totals.Lost || totals.OnlineWanted != totals.Ordered+totals.OnlineRefused {
			t.Errorf("seed %d: %+v does not add up", seed+1, totals)
		}
		if open := totals.Ordered - totals.Shipped - totals.Cancelled - totals.Withdrawn; open < 0 || open > totals.Ordered/20 {
			t.Errorf("seed %d: of %d units ordered %d are neither shipped nor cancelled", seed+1, totals.Ordered, open)
		}
		if totals.Held != 0 || totals.Sellable <= 0 {
			t.Errorf("seed %d: %g unit-hours were held of %g, and nobody held any", seed+1, totals.Held, totals.Sellable)
		}
		classes := map[inventory.Class]int{}
		for _, e := range s.Episodes() {
			classes[e.Class]++
			if e.End != 0 && e.End < e.Begin {
				t.Fatalf("%+v ends before it begins", e)
			}
		}
		for _, class := range []inventory.Class{inventory.PhantomInventory, inventory.Oversell, inventory.TransferDelay} {
			if classes[class] == 0 {
				t.Errorf("seed %d: no %s in four weeks", seed+1, class)
			}
		}
	}
	for _, want := range []struct {
		name      string
		low, high float64
	}{
		{"records wrong, %", 50, 68},
		{"wrong records that are too high, %", 42, 58},
		{"phantom prevalence, % of what is promised", 0.8, 6},
		{"shrink, % of sales", 0.2, 4},
	} {
		if got := sums[want.name]; !(got >= want.low && got <= want.high) {
			t.Errorf("%s: %.2f, want from %g to %g", want.name, got, want.low, want.high)
		}
	}
	var table strings.Builder
	if err := sim.New(sim.Config{}).WriteCalibration(&table); err != nil || strings.Contains(table.String(), "NaN") {
		t.Errorf("a network of no age is like\n%s%v", &table, err)
	}
}

// TestABufferIsKeptFromEveryChannel: it costs unit-hours, and less is oversold.
func TestABufferIsKeptFromEveryChannel(t *testing.T) {
	play := func(buffer float64) sim.Totals {
		c := sim.Study(5, 0.03)
		c.Start, c.SKUs, c.Stores, c.Buffer = start, 40, 4, buffer
		s := sim.New(c)
		until(s, start+21*inventory.Day, func(inventory.Delta, inventory.Millis) {})
		return s.Totals()
	}
	none, half, lots := play(0), play(0.5), play(5)
	if none.Held != 0 || !(half.Held > 0 && lots.Held > 5*half.Held) {
		t.Errorf("held %g, %g and %g unit-hours", none.Held, half.Held, lots.Held)
	}
	if none.OnlineWanted != lots.OnlineWanted || lots.Ordered >= none.Ordered {
		t.Errorf("%d units wanted and %d ordered without, %d and %d with", none.OnlineWanted, none.Ordered, lots.OnlineWanted, lots.Ordered)
	}
	if math.Abs(half.WronglyHeld) > half.Held {
		t.Errorf("of %g unit-hours held %g were there", half.Held, half.WronglyHeld)
	}
}

// TestTimesLeavesPhantomsAlone: they have a share of their own.
func TestTimesLeavesPhantomsAlone(t *testing.T) {
	r := sim.StudyRates(0.03)
	if twice := r.Times(2); twice.Misscan != 2*r.Misscan || twice.Emptied != r.Emptied || r.Times(0).Lost != 0 {
		t.Errorf("%+v is not twice %+v", twice, r)
	}
}
