package load

import (
	"strconv"
	"unsafe"

	"github.com/holdfast-atp/holdfast/inventory"
)

// event is a delta in numbers: what is remembered of one, and all that it takes to make it again.
type event struct {
	number   uint64 // calls of Next before its own
	subject  uint64 // number of the event that began what it is about; its own where it began it
	quantity int64
	time     inventory.Millis
	sku      uint32
	location uint16
	other    uint16 // the counterparty
	channel  uint8
	kind     inventory.Kind
	probe    bool
}

// write makes d of e, in memory that the last delta had.
func (l *Load) write(e *event, d *inventory.Delta) {
	s := &shapes[e.kind]
	*d = inventory.Delta{
		ID:       l.id.of(e.number),
		Source:   l.sources[e.location],
		Location: l.locations[e.location],
		Kind:     e.kind,
		Quantity: e.quantity,
		Time:     e.time,
		Reason:   s.reason,
	}
	if e.probe {
		d.SKU = l.probe.of(e.number)
	} else {
		d.SKU = l.sku.of(skuFirst + uint64(e.sku))
	}
	if s.channel {
		d.Channel = channels[e.channel]
	}
	if s.ref {
		d.Ref = l.refs[s.begins|s.ends].of(e.subject)
	}
	if s.elsewhere {
		d.Counterparty = l.locations[e.other]
	}
	if s.due != 0 {
		d.Due = e.time + s.due
	}
	if s.price {
		d.Price = 499 + 100*int64(e.sku%50)
	}
}

// name makes strings of a prefix and a number, each in the memory of the one before it.
type name struct {
	text   []byte
	prefix int // bytes of it
}

func newName(prefix string) name {
	const digitsMost = 20
	return name{append(make([]byte, 0, len(prefix)+digitsMost), prefix...), len(prefix)}
}

// of returns the name of that number, which is good until the next call.
func (n *name) of(number uint64) string {
	n.text = strconv.AppendUint(n.text[:n.prefix], number, 10)
	return unsafe.String(unsafe.SliceData(n.text), len(n.text))
}

// ring keeps the last events that it was given, as many as it has room for.
type ring struct {
	events      []event
	first, size int
}

func newRing(most int) ring { return ring{events: make([]event, most)} }

// push puts e behind the others; the first goes where there is no room.
func (r *ring) push(e event) {
	if r.size == len(r.events) {
		r.pop()
	}
	*r.at(r.size) = e
	r.size++
}

// pop removes the first.
func (r *ring) pop() event {
	e := *r.at(0)
	r.first = (r.first + 1) % len(r.events)
	r.size--
	return e
}

// at returns the event that so many came before.
func (r *ring) at(i int) *event { return &r.events[(r.first+i)%len(r.events)] }
