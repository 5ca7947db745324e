package sim

import (
	"container/heap"
	"slices"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

// message is a delta on its way.
type message struct {
	delta   inventory.Delta
	arrives inventory.Millis
	number  int // of the sending: keeps those that arrive together in order
}

// tickDelay is how long a source waits before it says that it has told everything.
const tickDelay = 5 * inventory.Minute

// send lets source say what happened at a time. It arrives soon; what a till says while it
// is cut off arrives when it is back.
func (s *Sim) send(source string, at inventory.Millis, d inventory.Delta) {
	s.sent++
	d.ID, d.Source, d.Time = strconv.Itoa(s.sent), source, at
	s.transmit(d, at+s.between(50, 3*inventory.Second))
}

// transmit brings a message on its way, and now and then a second time.
func (s *Sim) transmit(d inventory.Delta, arrives inventory.Millis) {
	for _, p := range s.places {
		if p.till == d.Source && arrives < p.cutTill {
			arrives = p.cutTill + s.between(0, 5*inventory.Minute)
		}
	}
	s.sent++
	// Nothing arrives before what has been handed out already.
	heap.Push(&s.outbox, message{d, max(arrives, s.now), s.sent})
	if d.Kind != inventory.Tick && s.chance(duplicateShare) {
		s.sent++
		heap.Push(&s.outbox, message{d, max(arrives, s.now) + s.between(inventory.Second, inventory.Minute), s.sent})
	}
}

// tick lets every source say that it is alive and has told all up to now.
func (s *Sim) tick() {
	for _, p := range s.places {
		s.vouch(p.till)
	}
	s.vouch("oms")
}

func (s *Sim) vouch(source string) {
	s.sent++
	s.transmit(inventory.Delta{
		ID: "tick-" + strconv.Itoa(s.sent), Source: source, Kind: inventory.Tick, Time: s.now,
	}, s.now+tickDelay)
}

// outbox is what is on its way, by arrival.
type outbox []message

func (o outbox) Len() int { return len(o) }
func (o outbox) Less(i, j int) bool {
	return o[i].arrives < o[j].arrives || o[i].arrives == o[j].arrives && o[i].number < o[j].number
}
func (o outbox) Swap(i, j int) { o[i], o[j] = o[j], o[i] }
func (o *outbox) Push(x any)   { *o = append(*o, x.(message)) }
func (o *outbox) Pop() any {
	last := len(*o) - 1
	x := (*o)[last]
	*o = slices.Delete(*o, last, last+1)
	return x
}
