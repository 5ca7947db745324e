package sim_test

import (
	"cmp"
	"reflect"
	"slices"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
)

const start inventory.Millis = 1_795_392_000_000 // 2026-11-23T00:00:00Z, a Monday

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

func countFaults(s *sim.Sim) map[sim.FaultKind]int {
	n := map[sim.FaultKind]int{}
	for _, f := range s.Faults() {
		n[f.Kind]++
	}
	return n
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
		if arrives-d.Time > engine.DefaultLateness {
			t.Fatalf("%+v arrives at %v, too late for anybody", d, arrives)
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
		inventory.Sale, inventory.Reserve, inventory.Release, inventory.Ship, inventory.Return, inventory.ASN,
		inventory.Receipt, inventory.TransferOut, inventory.TransferIn, inventory.Adjust, inventory.Unblock,
		inventory.Count, inventory.Listing, inventory.Safety, inventory.Allocate, inventory.PickFailed,
		inventory.Substitute, inventory.Promo, inventory.Tick,
	} {
		if kinds[k] == 0 {
			t.Errorf("no %s in five days", k)
		}
	}
	faults := countFaults(s)
	if behind == 0 || twice == 0 {
		t.Errorf("%d deltas out of order, %d sent twice: want some of each", behind, twice)
	}
	for _, k := range []sim.FaultKind{
		sim.Shrink, sim.Theft, sim.Damage, sim.Misplaced, sim.FoundAgain, sim.Misscan, sim.ReceiptError,
		sim.LateTransfer, sim.FrozenListing, sim.CutOff, sim.DuplicateMessage, sim.LateMessage, sim.LostMessage,
	} {
		if faults[k] == 0 {
			t.Errorf("no %s in five days", k)
		}
	}
}

func TestADayIsAsBusyAsOneOfAFewStores(t *testing.T) {
	s, n := sim.New(sim.Config{Seed: 1, Start: start, Stores: 8, SKUs: 150}), 0
	until(s, start+3*inventory.Day, func(inventory.Delta, inventory.Millis) { n++ })
	if n < 30_000 || n > 120_000 {
		t.Errorf("%d deltas in three days, want 10,000 to 40,000 a day", n)
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
	const hour = inventory.Hour
	s := sim.New(sim.Config{Seed: 1, Start: start})
	now, skus := start, map[string]bool{}
	// orders plays on for some hours and counts what web takes in the latter half of them.
	orders := func(hours inventory.Millis) (n int) {
		from := now + hours*hour/2
		now += hours * hour
		until(s, now, func(d inventory.Delta, _ inventory.Millis) {
			if d.SKU != "" {
				skus[d.SKU] = true
			}
			if d.Kind == inventory.Reserve && d.Channel == "web" && d.Time > from {
				n++
			}
		})
		return n
	}
	revision := uint64(0)
	say := func(action inventory.Action, expires inventory.Millis) {
		revision++
		for sku := range skus {
			s.Obey(&inventory.Command{Action: action, Channel: "web", SKU: sku, Location: inventory.Network, ExpiresAt: expires, Revision: revision})
		}
	}
	if orders(24) == 0 {
		t.Fatal("web sells nothing even where nothing is held")
	}
	say(inventory.Hold, now+inventory.Day)
	if n := orders(12); n > 0 {
		t.Errorf("web is held and took %d orders", n)
	}
	say(inventory.Unhold, 0)
	if orders(12) == 0 {
		t.Error("web takes no orders after the release")
	}
	say(inventory.Hold, now+hour)
	if orders(12) == 0 {
		t.Error("web takes no orders though the hold has lapsed")
	}
}

func TestAHoldBindsOneChannelAtOnePlace(t *testing.T) {
	s := sim.New(sim.Config{Seed: 1, Start: start, Stores: 2, SKUs: 6, Rates: &sim.Rates{}})
	sold := map[string]int{}
	held := inventory.Command{Action: inventory.Hold, Channel: "web", SKU: "tee-101", Location: "store-01", ExpiresAt: inventory.MillisMax, Revision: 1}
	s.Obey(&held)
	s.Obey(&inventory.Command{Action: inventory.Hold, Channel: "store", SKU: "tee-101", Location: "store-01"}) // no till obeys
	s.Obey(&inventory.Command{Action: inventory.Hold, Channel: "web", SKU: "unheard-of", Location: "store-01"})
	s.Obey(&inventory.Command{Action: inventory.Hold, Channel: "web", SKU: "unheard-of", Location: inventory.Network})
	until(s, start+5*inventory.Day, func(d inventory.Delta, _ inventory.Millis) {
		switch d.Kind {
		case inventory.Listing:
			obeyed := d.Time > start+10*inventory.Minute // the channel's own lag is over
			if obeyed && d.Channel == "web" && d.SKU == held.SKU && d.Location == held.Location && d.Quantity != 0 {
				t.Fatalf("web is held and lists %+v", d)
			}
		case inventory.Reserve, inventory.Sale:
			if d.SKU == held.SKU {
				sold[d.Channel+"@"+d.Location]++
			}
		}
	})
	if sold["web@store-01"] > 0 {
		t.Errorf("web is held at store-01 and sold %d times there", sold["web@store-01"])
	}
	for _, free := range []string{"amazon@store-01", "store@store-01", "web@store-02"} {
		if sold[free] == 0 {
			t.Errorf("%s is not held and sold nothing: %v", free, sold)
		}
	}
}

// account is what can be sold of a key according to what arrived, without any cleverness.
type account struct{ deltas []inventory.Delta }

// at returns it at a time, and when it was last counted before that.
func (a *account) at(t inventory.Millis) (units int64, counted inventory.Millis) {
	onHand, unavailable := int64(0), int64(0)
	slices.SortStableFunc(a.deltas, func(x, y inventory.Delta) int {
		isCount := func(d inventory.Delta) int { // what happens at a count's time applies on top
			if d.Kind == inventory.Count {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(x.Time, y.Time), isCount(x)-isCount(y))
	})
	for _, d := range a.deltas {
		if d.Time > t {
			break
		}
		switch d.Kind {
		case inventory.Count:
			onHand, counted = d.Quantity, d.Time
		case inventory.Sale, inventory.Ship, inventory.TransferOut:
			onHand -= d.Quantity
		case inventory.Receipt, inventory.TransferIn, inventory.Adjust:
			onHand += d.Quantity
		case inventory.Return:
			onHand += d.Quantity
			if d.Reason != "sellable" {
				unavailable += d.Quantity
			}
		case inventory.Unblock:
			unavailable -= d.Quantity
		}
	}
	return onHand - unavailable, counted
}

// hasDamage reports whether some of it is known not to be fit for sale.
func (a *account) hasDamage() bool {
	return slices.ContainsFunc(a.deltas, func(d inventory.Delta) bool {
		return d.Kind == inventory.Unblock || d.Kind == inventory.Adjust || d.Kind == inventory.Return && d.Reason != "sellable"
	})
}

// TestTheTruthIsTheRecordsButForTheFaults: what arrived says what can be found, but for the sum
// of what went wrong since the latest count, unit by unit.
func TestTheTruthIsTheRecordsButForTheFaults(t *testing.T) {
	const days = 5
	play := func(rates *sim.Rates) (s *sim.Sim, accounts map[inventory.Key]*account) {
		s = sim.New(sim.Config{Seed: 11, Start: start, Rates: rates})
		accounts = map[inventory.Key]*account{}
		seen := map[[2]string]bool{}
		until(s, start+days*inventory.Day+12*inventory.Hour, func(d inventory.Delta, _ inventory.Millis) {
			if id := [2]string{d.Source, d.ID}; d.SKU != "" && !seen[id] {
				seen[id] = true
				if accounts[d.Key()] == nil {
					accounts[d.Key()] = &account{}
				}
				accounts[d.Key()].deltas = append(accounts[d.Key()].deltas, d)
			}
		})
		return s, accounts
	}
	s, accounts := play(&sim.Rates{})
	if n := len(s.Faults()); n > 0 {
		t.Errorf("%d faults where nothing goes wrong", n)
	}
	for key, a := range accounts {
		for day := inventory.Millis(1); day <= days; day++ {
			now := start + day*inventory.Day - 7*inventory.Hour
			if units, _ := a.at(now); units != s.Truth(key, now) || s.Empty(key, now) != (units == 0) {
				t.Fatalf("%v: %d units on record at %v, and %d to be found", key, units, now, s.Truth(key, now))
			}
		}
	}

	s, accounts = play(nil)
	faults := map[inventory.Key][]sim.Fault{}
	for _, f := range s.Faults() {
		faults[f.Key] = append(faults[f.Key], f)
	}
	wrong, lost := 0, 0
	for key, a := range accounts {
		for day := inventory.Millis(1); day <= days; day++ {
			now := start + day*inventory.Day - 7*inventory.Hour
			units, counted := a.at(now)
			left, unclear := int64(0), false
			for _, f := range faults[key] {
				if f.At > now {
					continue
				}
				if f.At >= counted {
					left += f.Units
				}
				if f.Kind == sim.LostMessage { // word of damage, or a count, is not a matter of units alone
					unclear = unclear || f.Units == 0 || a.hasDamage()
					lost++
				}
			}
			if unclear {
				continue
			}
			if truth := s.Truth(key, now); units-truth != left {
				t.Fatalf("%v: %d units on record at %v and %d to be found, but the faults since %v account for %d: %+v",
					key, units, now, truth, counted, left, faults[key])
			}
			if left != 0 {
				wrong++
			}
		}
	}
	if wrong == 0 || lost == 0 {
		t.Errorf("%d records were wrong at some noon, %d had lost a message: want some of each", wrong, lost)
	}
}

func TestTheTruthOfWhatThereIsNot(t *testing.T) {
	s := sim.New(sim.Config{Seed: 1, Start: start})
	nowhere := inventory.Key{SKU: "tee-101", Location: inventory.Network}
	if n := s.Truth(nowhere, start); n != 0 || !s.Empty(nowhere, start) {
		t.Errorf("%d units nowhere", n)
	}
	until(s, start+10*inventory.Day, func(inventory.Delta, inventory.Millis) {})
	key := inventory.Key{SKU: "tee-101", Location: "store-01"}
	if n := s.Truth(key, start); n < 0 {
		t.Errorf("%d units longer ago than is kept", n)
	}
}

func BenchmarkNext(b *testing.B) {
	s := sim.New(sim.Config{Seed: 1, Start: start})
	b.ReportAllocs()
	for b.Loop() {
		s.Next()
	}
}
