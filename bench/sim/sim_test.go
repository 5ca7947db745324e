package sim_test

import (
	"reflect"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/inventory"
)

const start inventory.Millis = 1_795_392_000_000 // 2026-11-23T00:00:00Z

// until plays s up to a time and hands each delta to visit.
func until(s *sim.Sim, end inventory.Millis, visit func(d inventory.Delta, arrives inventory.Millis)) {
	for {
		d, arrives := s.Next()
		if arrives >= end {
			return
		}
		visit(d, arrives)
	}
}

func TestDeltasAreWhatSystemsSend(t *testing.T) {
	s := sim.New(sim.Config{Seed: 3, Start: start})
	var last, latest inventory.Millis
	kinds, behind, seen, twice := map[inventory.Kind]int{}, 0, map[[2]string]inventory.Delta{}, 0
	until(s, start+5*inventory.Day, func(d inventory.Delta, arrives inventory.Millis) {
		if err := d.Validate(); err != nil {
			t.Fatalf("%+v: %v", d, err)
		}
		if arrives < last || d.Time > arrives {
			t.Fatalf("%+v arrives at %v, after one of %v", d, arrives, last)
		}
		last = arrives
		if d.Time < latest {
			behind++
		}
		latest = max(latest, d.Time)
		id := [2]string{d.Source, d.ID}
		if before, ok := seen[id]; ok {
			if twice++; !reflect.DeepEqual(before, d) {
				t.Fatalf("two deltas are called %v: %+v and %+v", id, before, d)
			}
		}
		seen[id] = d
		kinds[d.Kind]++
	})
	for _, k := range []inventory.Kind{
		inventory.Sale, inventory.Reserve, inventory.Ship, inventory.Release, inventory.Return, inventory.ASN,
		inventory.Receipt, inventory.TransferOut, inventory.TransferIn, inventory.Count, inventory.Listing,
		inventory.Safety, inventory.PickFailed, inventory.Tick,
	} {
		if kinds[k] == 0 {
			t.Errorf("no %s in five days", k)
		}
	}
	if behind == 0 || twice == 0 {
		t.Errorf("%d deltas out of order, %d sent twice: want some of each", behind, twice)
	}
	faults := map[sim.FaultKind]int{}
	for _, f := range s.Faults() {
		faults[f.Kind]++
	}
	for _, k := range []sim.FaultKind{sim.Shrink, sim.Theft, sim.Misplaced, sim.Misscan, sim.ReceiptError, sim.LateTransfer, sim.CutOff, sim.FrozenListing} {
		if faults[k] == 0 {
			t.Errorf("no %s in five days", k)
		}
	}
}

func TestTheSameSeedGivesTheSameDeltas(t *testing.T) {
	a, b, c := sim.New(sim.Config{Seed: 1, Start: start}), sim.New(sim.Config{Seed: 1, Start: start}), sim.New(sim.Config{Seed: 2, Start: start})
	differs := false
	for range 20_000 {
		da, ta := a.Next()
		db, tb := b.Next()
		if ta != tb || !reflect.DeepEqual(da, db) {
			t.Fatalf("the same seed gave %+v and %+v", da, db)
		}
		dc, _ := c.Next()
		differs = differs || !reflect.DeepEqual(da, dc)
	}
	if !differs {
		t.Error("another seed gave the same deltas")
	}
}

func TestAHeldChannelSellsNothingThere(t *testing.T) {
	s := sim.New(sim.Config{Seed: 1, Start: start})
	skus := map[string]bool{}
	sold := func(end inventory.Millis) (n int) {
		until(s, end, func(d inventory.Delta, _ inventory.Millis) {
			if d.SKU != "" {
				skus[d.SKU] = true
			}
			if d.Kind == inventory.Reserve && d.Channel == "web" && d.Time > end-2*inventory.Day {
				n++
			}
		})
		return n
	}
	if sold(start+2*inventory.Day) == 0 {
		t.Fatal("web sells nothing even where nothing is held")
	}
	say := func(action inventory.Action) {
		for sku := range skus {
			s.Obey(&inventory.Command{Action: action, Channel: "web", SKU: sku, Location: inventory.Network})
		}
	}
	say(inventory.Hold)
	sold(start + 2*inventory.Day + inventory.Hour) // the slice that was being played
	until(s, start+3*inventory.Day, func(d inventory.Delta, _ inventory.Millis) {
		if d.Kind == inventory.Reserve && d.Channel == "web" {
			t.Fatalf("web is held and sold %+v", d)
		}
	})
	say(inventory.Unhold)
	if sold(start+5*inventory.Day) == 0 {
		t.Error("web sells nothing after the release")
	}
}

// TestTheEngineFindsWhatIsWrong plays the network through the engine, whose commands it
// obeys, and holds what was held against the truth.
func TestTheEngineFindsWhatIsWrong(t *testing.T) {
	s := sim.New(sim.Config{Seed: 7, Start: start})
	e, err := engine.New(engine.Config{}, enginetest.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	opened, right := map[inventory.Class]int{}, map[inventory.Class]int{}
	var sequence uint64
	until(s, start+5*inventory.Day, func(d inventory.Delta, arrives inventory.Millis) {
		sequence++
		if _, err := e.Apply(engine.At{Sequence: sequence, LogTime: arrives}, &d); err != nil {
			t.Fatal(err)
		}
		for _, o := range e.Outputs() {
			if o.Command != nil {
				s.Obey(o.Command)
			}
			if x := o.Exception; x != nil && len(x.History) == 1 {
				opened[x.Class]++
				if s.Empty(inventory.Key{SKU: x.SKU, Location: x.Location}, x.OpenedAt) {
					right[x.Class]++
				}
				if testing.Verbose() && opened[x.Class] <= 5 {
					t.Logf("%s: %s", x.Class, x.Reason)
				}
			}
		}
		e.ClearOutputs()
	})
	t.Logf("%d deltas, opened %v, of those with an empty shelf %v", sequence, opened, right)
	if opened[inventory.Oversell] == 0 || opened[inventory.PhantomInventory] == 0 {
		t.Errorf("opened %v, want some of both classes", opened)
	}
	if n := opened[inventory.PhantomInventory]; right[inventory.PhantomInventory]*2 < n {
		t.Errorf("%d of %d phantoms had an empty shelf, want most", right[inventory.PhantomInventory], n)
	}
	c := e.Counters()
	if c.Read != c.Applied+c.Duplicates+c.Rejected || c.Rejected != 0 {
		t.Errorf("counters %+v, want them to add up and nothing rejected", c)
	}
}

func BenchmarkNext(b *testing.B) {
	s := sim.New(sim.Config{Seed: 1, Start: start})
	b.ReportAllocs()
	for b.Loop() {
		s.Next()
	}
}
