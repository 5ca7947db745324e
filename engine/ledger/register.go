package ledger

import (
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Register is a quantity that deltas set rather than add to. The latest by
// event time wins; at equal times the greater id, as inventory's doc says.
// The zero Register was never set.
type Register struct {
	Value int64
	Time  inventory.Millis

	// How many bytes the id and the source have of the delta that set it. None, once
	// no delta of the same time can come any more.
	idBytes, sourceBytes uint8
}

// setterBytes returns how many bytes of setters are r's.
func (r *Register) setterBytes() int { return int(r.idBytes) + int(r.sourceBytes) }

// register returns the i-th register of l, and nil where there are fewer.
func (l *Ledger) register(i int) *Register {
	switch {
	case i == 0:
		return &l.Counted
	case i == 1:
		return &l.safety
	case i/2 > len(l.Channels):
		return nil
	case i%2 == 0:
		return &l.Channels[i/2-1].Listed
	}
	return &l.Channels[i/2-1].Fence
}

// setter returns where in setters the id and the source stand of the delta that set r. The setters of
// all registers are together, in the order of the registers, so that to write them is to copy them.
func (l *Ledger) setter(r *Register) (from, to int) {
	for i := 0; ; i++ {
		other := l.register(i)
		if other == r {
			return from, from + r.setterBytes()
		}
		from += other.setterBytes()
	}
}

// precedes reports whether d is to replace r, a register of l.
func (l *Ledger) precedes(r *Register, d *inventory.Delta) bool {
	if r.Time != d.Time {
		return r.Time < d.Time
	}
	from, to := l.setter(r)
	id, source := l.setters[from:from+int(r.idBytes)], l.setters[from+int(r.idBytes):to]
	switch {
	case len(id) != len(d.ID):
		return len(id) < len(d.ID)
	case string(id) != d.ID:
		return string(id) < d.ID
	}
	return string(source) < d.Source
}

// set makes r, a register of l, what d says.
func (l *Ledger) set(r *Register, d *inventory.Delta) {
	from, to := l.setter(r)
	if size := len(d.ID) + len(d.Source); size != to-from {
		var room [inventory.IDBytesMax + inventory.SourceBytesMax]byte
		l.setters = slices.Replace(l.setters, from, to, room[:size]...)
	}
	copy(l.setters[from:], d.ID)
	copy(l.setters[from+len(d.ID):], d.Source)
	*r = Register{d.Quantity, d.Time, uint8(len(d.ID)), uint8(len(d.Source))}
}

// settled reports whether r has a setter that is no longer needed: no delta of r's time can come any more.
func (r *Register) settled(horizon inventory.Millis) bool { return r.Time < horizon && r.idBytes > 0 }

// settle forgets the setters that are no longer needed.
func (l *Ledger) settle(horizon inventory.Millis) {
	some := l.Counted.settled(horizon) || l.safety.settled(horizon)
	for i := range l.Channels {
		some = some || l.Channels[i].Listed.settled(horizon) || l.Channels[i].Fence.settled(horizon)
	}
	if !some {
		return
	}
	from := 0
	for i := 0; ; i++ {
		r := l.register(i)
		if r == nil {
			return
		}
		to := from + r.setterBytes()
		if r.settled(horizon) {
			l.setters = slices.Delete(l.setters, from, to)
			r.idBytes, r.sourceBytes = 0, 0
			to = from
		}
		from = to
	}
}
