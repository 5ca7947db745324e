package sim_test

import (
	"testing"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestWhatGoesWrongShowsInTheDeltas: each incident leaves the traces by which somebody could find it, and is told apart as an episode.
func TestWhatGoesWrongShowsInTheDeltas(t *testing.T) {
	rates := sim.Rates{FaultyLot: 0.02, CancelBurst: 0.2, ShortStaffed: 0.3, Unstocked: 1, Rush: 0.01, WrongSnapshot: 0.05}
	trade := sim.StudyTrade(0)
	trade.Hands, trade.Velocity = 2, 0.5
	s := sim.New(sim.Config{Seed: 4, Start: start, Stores: 3, SKUs: 36, Rates: &rates, Trade: &trade})
	type scope struct {
		class inventory.Class
		key   inventory.Key
	}
	type event struct {
		kind inventory.Kind
		at   inventory.Millis
	}
	events := map[inventory.Key][]event{}
	until(s, start+28*inventory.Day, func(d inventory.Delta, _ inventory.Millis) {
		at := event{d.Kind, d.Time}
		events[d.Key()] = append(events[d.Key()], at)
		place := inventory.Key{Location: d.Location}
		events[place] = append(events[place], at)
	})
	// seen counts deltas of a kind in an episode.
	seen := func(e *sim.Episode, kind inventory.Kind) (n int) {
		for _, x := range events[inventory.Key{SKU: e.SKU, Location: e.Location}] {
			if x.kind == kind && x.at >= e.Begin && (e.End == 0 || x.at <= e.End) {
				n++
			}
		}
		return n
	}
	traces := map[inventory.Class]struct {
		kind  inventory.Kind
		least int
	}{
		inventory.ReturnDistortion:    {inventory.Return, 6},
		inventory.CancellationAnomaly: {inventory.Release, 3},
		inventory.FulfilmentOverload:  {inventory.Task, 1},
		inventory.DemandSpike:         {inventory.Sale, 5},
		inventory.StockMismatch:       {inventory.Snapshot, 1},
	}
	found, begun := map[inventory.Class]int{}, map[scope]bool{}
	for _, e := range s.Episodes() {
		if e.Minor || e.End > start+27*inventory.Day || e.Begin > start+23*inventory.Day {
			continue
		}
		want, watched := traces[e.Class]
		if n := seen(e, want.kind); watched && n < want.least {
			t.Errorf("%+v shows in %d deltas of %v, want %d", *e, n, want.kind, want.least)
		}
		found[e.Class]++
		begun[scope{e.Class, inventory.Key{SKU: e.SKU, Location: e.Location}}] = true
	}
	for class := range traces {
		if found[class] == 0 {
			t.Errorf("no %s in four weeks", class)
		}
	}
	if found[inventory.PromoStockout] == 0 {
		t.Error("no promotion that nobody stocked for ran out in four weeks")
	}
	for _, f := range s.Faults() {
		if f.Kind == sim.WrongDisposition && !begun[scope{inventory.ReturnDistortion, f.Key}] && f.At < start+23*inventory.Day {
			t.Errorf("%+v without a faulty lot", f)
		}
	}
}

// TestWordThatIsLostIsAMismatchAtTheNextSnapshot, until a count settles it.
func TestWordThatIsLostIsAMismatchAtTheNextSnapshot(t *testing.T) {
	trade := sim.StudyTrade(0)
	trade.SnapshotEvery = 1
	s := sim.New(sim.Config{Seed: 9, Start: start, Stores: 3, SKUs: 24, Rates: &sim.Rates{Lost: 0.01}, Trade: &trade})
	until(s, start+20*inventory.Day, func(inventory.Delta, inventory.Millis) {})
	n := 0
	for _, e := range s.Episodes() {
		if e.Class != inventory.StockMismatch {
			continue
		}
		n++
		if e.Cause != sim.LostMessage {
			t.Errorf("%+v, and nothing but lost messages goes wrong", *e)
		}
	}
	if n == 0 {
		t.Error("no snapshot differs though one message in a hundred is lost")
	}
	s = sim.New(sim.Config{Seed: 9, Start: start, Stores: 3, SKUs: 24, Rates: &sim.Rates{}, Trade: &trade})
	until(s, start+20*inventory.Day, func(inventory.Delta, inventory.Millis) {})
	for _, e := range s.Episodes() {
		if e.Class == inventory.StockMismatch {
			t.Errorf("%+v though no message is lost", *e)
		}
	}
}
