package sim

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

// historyDays is for how many days the truth is kept.
const historyDays = 7

// firstDay is where a Config without Start begins: 2024-01-01.
const firstDay inventory.Millis = 1_704_067_200_000

// Sim is a network being played. It belongs to one goroutine.
type Sim struct {
	config Config
	rates  Rates
	trade  Trade
	now    inventory.Millis // up to here the world has been played

	// What people want, what goes wrong unseen and for everybody to see, how long commands take, and the rest are drawn apart, so
	// that two worlds of one seed want the same though commands make them differ.
	want, fate, luck, lag, rng *rand.Rand

	skus    []*sku
	places  []*place // the stores, then the centres
	shelves []*shelf // by place, then SKU
	byKey   map[inventory.Key]*shelf
	byName  map[string]*sku

	oms, erp *source
	channels []*channel

	due      queue[func(at inventory.Millis)] // what is going to happen
	outbox   queue[*inventory.Delta]          // what is on its way, by arrival
	sent     int                              // messages, for their ids
	orders   int
	faults   []Fault
	episodes []*Episode
	totals   Totals
	census   census
}

// New opens the doors: the opening stock of every key is said, and what the channels may show is listed.
func New(c Config) *Sim {
	c = c.withDefaults()
	s := &Sim{
		config: c,
		rates:  *c.Rates,
		trade:  *c.Trade,
		now:    c.Start,
		want:   rand.New(rand.NewPCG(c.Seed, 0x3a17)),
		fate:   rand.New(rand.NewPCG(c.Seed, 0xfa7e)),
		luck:   rand.New(rand.NewPCG(c.Seed, 0x10c)),
		lag:    rand.New(rand.NewPCG(c.Seed, 0x1a9)),
		rng:    rand.New(rand.NewPCG(c.Seed, 0x51b)),
		byKey:  map[inventory.Key]*shelf{},
		byName: map[string]*sku{},
		oms:    &source{name: "oms"},
		erp:    &source{name: "erp"},
	}
	for i := range c.Channels {
		s.channels = append(s.channels, &channel{Channel: c.Channels[i], source: &source{name: c.Channels[i].Name}})
	}
	s.build()
	s.every(inventory.Day, 0, func(inventory.Millis) { s.dawn(); s.misfortune(); s.incidents() })
	s.every(inventory.Hour, 0, func(inventory.Millis) { s.demand() })
	s.every(tickEvery, tickEvery, func(inventory.Millis) { s.tick() })
	s.every(inventory.Day, censusFrom+inventory.Day/2, func(inventory.Millis) { s.takeCensus() })
	s.every(inventory.Day, nightHour, func(inventory.Millis) { s.night() })
	return s
}

// Next returns the next delta and when it arrives, which is never before the one
// before it. Its time, when it happened, is earlier, and may be hours earlier. The delta
// is valid, and the caller's.
func (s *Sim) Next() (inventory.Delta, inventory.Millis) {
	// What happens at a time is heard of later: so nothing that has not happened yet can arrive before what is first in the outbox.
	for s.outbox.empty() || s.due.first() <= s.outbox.first() {
		at, happens := s.due.take()
		s.now = at
		happens(at)
	}
	arrives, d := s.outbox.take()
	s.now = max(s.now, arrives)
	return *d, arrives
}

// Truth returns how many units could be found on a shelf, fit to be sold, at a time: one that has
// been played, a week ago at most.
// A key that there is not has nothing.
func (s *Sim) Truth(key inventory.Key, at inventory.Millis) int64 {
	sh := s.byKey[key]
	if sh == nil {
		return 0
	}
	later, _ := slices.BinarySearchFunc(sh.levels, at+1, func(l level, at inventory.Millis) int { return int(l.since - at) })
	if later == 0 {
		return sh.levels[0].units
	}
	return sh.levels[later-1].units
}

// Empty reports whether nothing could be found at a time; see Truth.
func (s *Sim) Empty(key inventory.Key, at inventory.Millis) bool { return s.Truth(key, at) == 0 }

// Faults returns what has gone wrong so far, in the order in which it was noted. The slice is the
// Sim's own.
func (s *Sim) Faults() []Fault { return s.faults }

// at makes something happen at a time, which is not before now.
func (s *Sim) at(t inventory.Millis, happens func(at inventory.Millis)) { s.due.put(t, happens) }

// every makes something happen again and again, first so long after the start.
func (s *Sim) every(period, first inventory.Millis, happens func(at inventory.Millis)) {
	var again func(at inventory.Millis)
	again = func(at inventory.Millis) {
		happens(at)
		s.at(at+period, again)
	}
	s.at(s.config.Start+first, again)
}

// shelf returns the shelf of a SKU at a place, both by number.
func (s *Sim) shelf(place, sku int) *shelf { return s.shelves[place*len(s.skus)+sku] }

// order returns the number of a new order, transfer or delivery.
func (s *Sim) order(prefix string) string {
	s.orders++
	return prefix + strconv.Itoa(s.orders)
}

// between draws a time from low to high, both included.
func between(rng *rand.Rand, low, high inventory.Millis) inventory.Millis {
	return low + inventory.Millis(rng.Int64N(int64(high-low)+1))
}

func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }
