package sim

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Config says what is played. A zero Start is a Monday's midnight long ago; the zero value of every
// other field means its default.
type Config struct {
	Seed   uint64
	Start  inventory.Millis // the first day, UTC; rounded down to its midnight
	Stores int              // default 6
	SKUs   int              // default 120
	Rates  *Rates           // of what goes wrong; default DefaultRates()
}

// slice is how far the world is played ahead. Commands take effect at the next one.
const slice = 15 * inventory.Minute

// historyDays is for how many days the truth is kept.
const historyDays = 7

// firstDay is where a Config without Start begins: 2024-01-01.
const firstDay inventory.Millis = 1_704_067_200_000

// Sim is a network being played. It belongs to one goroutine.
type Sim struct {
	config Config
	rates  Rates
	rng    *rand.Rand
	now    inventory.Millis // up to here the world has been played

	skus    []*sku
	places  []*place // the stores, and last the centre
	shelves []*shelf // by place, then SKU
	byKey   map[inventory.Key]*shelf
	byName  map[string]*sku

	oms, erp *source
	channels [len(online)]*source // who says what a channel lists

	due    queue[func(at inventory.Millis)] // what is going to happen
	outbox queue[*inventory.Delta]          // what is on its way, by arrival
	sent   int                              // messages, for their ids
	orders int
	faults []Fault
}

// New opens the doors: every key is counted, and what the channels may show is listed.
func New(c Config) *Sim {
	if c.Start == 0 {
		c.Start = firstDay
	}
	if c.Stores == 0 {
		c.Stores = 6
	}
	if c.SKUs == 0 {
		c.SKUs = 120
	}
	rates := DefaultRates()
	if c.Rates != nil {
		rates = *c.Rates
	}
	c.Start -= c.Start % inventory.Day
	s := &Sim{
		config: c,
		rates:  rates,
		rng:    rand.New(rand.NewPCG(c.Seed, 0x51b)),
		now:    c.Start,
		byKey:  map[inventory.Key]*shelf{},
		byName: map[string]*sku{},
		oms:    &source{name: "oms"},
		erp:    &source{name: "erp"},
	}
	for channel, name := range online {
		s.channels[channel] = &source{name: name}
	}
	s.build()
	return s
}

// Next returns the next delta and when it arrives, which is never before the one
// before it. Its time, when it happened, is earlier, and may be hours earlier. The delta
// is valid, and the caller's.
func (s *Sim) Next() (inventory.Delta, inventory.Millis) {
	for s.outbox.empty() || s.outbox.first() > s.now {
		s.play()
	}
	arrives, d := s.outbox.take()
	return *d, arrives
}

// Obey does as a command says, from the next slice on: a channel that is held takes no
// orders there until it is released or the hold lapses. Tills go on: what a customer
// carries to the counter is there, whatever anybody believes.
func (s *Sim) Obey(c *inventory.Command) {
	channel := slices.Index(online[:], c.Channel)
	if channel < 0 {
		return
	}
	held := (*[len(online)]inventory.Millis)(nil) // until when, by channel
	if c.Location == inventory.Network {
		if k := s.byName[c.SKU]; k != nil {
			held = &k.heldTill
		}
	} else if sh := s.byKey[inventory.Key{SKU: c.SKU, Location: c.Location}]; sh != nil {
		held = &sh.heldTill
	}
	if held == nil {
		return
	}
	switch c.Action {
	case inventory.Hold:
		held[channel] = c.ExpiresAt
	case inventory.Unhold:
		held[channel] = 0
	}
}

// Truth returns how many units could be found on a shelf, fit to be sold, at a time: one that has
// been played, a week ago at most. What arrives is played, and up to 15 minutes more.
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

// play lets one slice happen: first it is drawn what people want and what goes wrong, then
// everything happens in order.
func (s *Sim) play() {
	if s.now%inventory.Day == 0 {
		s.dawn()
		s.misfortune()
	}
	if s.now%inventory.Hour == 0 {
		s.demand()
	}
	end := s.now + slice
	for !s.due.empty() && s.due.first() < end {
		at, happens := s.due.take()
		happens(at)
	}
	s.now = end
	s.list()
	if end%tickEvery == 0 {
		s.tick()
	}
	if end%inventory.Day == nightHour {
		s.night()
	}
}

// at makes something happen at a time, which is not before the slice being played.
func (s *Sim) at(t inventory.Millis, happens func(at inventory.Millis)) { s.due.put(t, happens) }

// shelf returns the shelf of a SKU at a place, both by number.
func (s *Sim) shelf(place, sku int) *shelf { return s.shelves[place*len(s.skus)+sku] }

// between draws a time from low to high, both included.
func (s *Sim) between(low, high inventory.Millis) inventory.Millis {
	return low + inventory.Millis(s.rng.Int64N(int64(high-low)+1))
}

func (s *Sim) chance(p float64) bool { return s.rng.Float64() < p }

// order returns the number of a new order, transfer or delivery.
func (s *Sim) order(prefix string) string {
	s.orders++
	return prefix + strconv.Itoa(s.orders)
}
