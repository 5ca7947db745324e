package sim

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Config says what is played. The zero value of a number means its default.
type Config struct {
	Seed   uint64
	Start  inventory.Millis // midnight of the first day, UTC
	Stores int              // default 6
	SKUs   int              // default 120
}

// slice is how far the world is played ahead. Commands take effect at the next one.
const slice = 15 * inventory.Minute

// Sim is a network being played. It belongs to one goroutine.
type Sim struct {
	config Config
	rng    *rand.Rand
	now    inventory.Millis // up to here the world has been played

	skus    []sku
	places  []*place // the stores, and last the centre
	shelves []*shelf // by place, then SKU
	byKey   map[inventory.Key]*shelf
	held    map[binding]bool

	due    agenda // what is going to happen, by time
	outbox outbox // what has been sent, by arrival
	sent   int    // how many messages, for their order and their ids
	orders int
	faults []Fault
}

type binding struct{ channel, sku, location string }

// New opens the doors: every key is counted, and what the channels may show is listed.
func New(c Config) *Sim {
	if c.Stores == 0 {
		c.Stores = 6
	}
	if c.SKUs == 0 {
		c.SKUs = 120
	}
	s := &Sim{
		config: c,
		rng:    rand.New(rand.NewPCG(c.Seed, 0x51b)),
		now:    c.Start,
		byKey:  map[inventory.Key]*shelf{},
		held:   map[binding]bool{},
	}
	s.build()
	return s
}

// Next returns the next delta and when it arrives, which is never before the one
// before it. Its time, when it happened, is earlier, and may be hours earlier.
func (s *Sim) Next() (inventory.Delta, inventory.Millis) {
	for len(s.outbox) == 0 || s.outbox[0].arrives > s.now {
		s.play()
	}
	m := heap.Pop(&s.outbox).(message)
	return m.delta, m.arrives
}

// Obey does as a command says from the next slice on.
func (s *Sim) Obey(c *inventory.Command) {
	b := binding{c.Channel, c.SKU, c.Location}
	if c.Action == inventory.Unhold {
		delete(s.held, b)
	} else if c.Sellable == 0 {
		s.held[b] = true
	}
}

// Empty reports whether nothing could be found at a time, which has been played.
func (s *Sim) Empty(key inventory.Key, at inventory.Millis) bool {
	sh := s.byKey[key]
	if sh == nil {
		return true
	}
	turns, _ := slices.BinarySearch(sh.emptied, at+1)
	return turns%2 == 1
}

// Faults returns what has gone wrong so far, in the order in which it was drawn.
func (s *Sim) Faults() []Fault { return s.faults }

// play lets one slice happen: first what people want is drawn, then everything happens in order.
func (s *Sim) play() {
	end := s.now + slice
	s.demand(end)
	s.misfortune(end)
	for len(s.due) > 0 && s.due[0].at < end {
		a := heap.Pop(&s.due).(appointment)
		a.happens(a.at)
	}
	s.now = end
	s.list()
	if end%(30*inventory.Minute) == 0 {
		s.tick()
	}
	if hour := end % inventory.Day; hour == 2*inventory.Hour {
		s.night()
	}
}

// at makes something happen at a time, which is not before the slice being played.
func (s *Sim) at(t inventory.Millis, happens func(inventory.Millis)) {
	s.sent++
	heap.Push(&s.due, appointment{t, s.sent, happens})
}

// heldFor reports whether a command keeps channel from selling at a place.
func (s *Sim) heldFor(channel string, sh *shelf) bool {
	return s.held[binding{channel, sh.sku.name, sh.place.name}] || s.held[binding{channel, sh.sku.name, inventory.Network}]
}

// between draws a time from low to high.
func (s *Sim) between(low, high inventory.Millis) inventory.Millis {
	return low + inventory.Millis(s.rng.Int64N(int64(high-low)+1))
}

func (s *Sim) chance(p float64) bool { return s.rng.Float64() < p }

// order returns the number of a new order, transfer or delivery.
func (s *Sim) order(prefix string) string {
	s.orders++
	return prefix + strconv.Itoa(s.orders)
}

// appointment is something that is going to happen. number keeps those of one moment in
// the order in which they were made.
type appointment struct {
	at      inventory.Millis
	number  int
	happens func(at inventory.Millis)
}

type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].number < a[j].number
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = slices.Delete(*a, last, last+1)
	return x
}
