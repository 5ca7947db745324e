package ledger

import (
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// What a timeline has, in the bits before its class.
const (
	hasBase = 1 << iota
	hasTimer

	timelineBits = iota
)

// Append appends the timeline's bytes: all times as distances from others, and the channel once, because
// hardly a reference has more than one.
//
// Invariant: base.channel is that of now, or none.
func (t *Timeline) Append(dst []byte) []byte {
	base := t.base != position{}
	dst = wire.AppendUint(dst, uint64(t.Class)<<timelineBits|bit(hasBase, base)|bit(hasTimer, t.TimerAt != 0))
	dst = wire.AppendInt(dst, t.last)
	dst = wire.AppendString(dst, t.now.channel)
	dst = t.now.append(dst, t.last)
	if base {
		dst = t.base.append(dst, t.last)
	}
	if t.TimerAt != 0 {
		dst = wire.AppendInt(dst, t.TimerAt-max(t.now.due, t.last))
	}
	dst = wire.AppendUint(dst, uint64(len(t.events)))
	before := t.last
	for i := range t.events {
		e := &t.events[i]
		dst = e.append(dst, before, &t.now)
		before = e.time
	}
	return dst
}

// Read reads what Append wrote. Errors stay in r.
func (t *Timeline) Read(r *wire.Reader) {
	head := r.Uint()
	*t = Timeline{Class: Class(head >> timelineBits), last: inventory.Millis(r.Int())}
	channel := r.String()
	t.now.read(r, t.last, channel)
	t.now.channel = channel
	if head&hasBase != 0 {
		t.base.read(r, t.last, channel)
	}
	if head&hasTimer != 0 {
		t.TimerAt = inventory.Millis(r.Int()) + max(t.now.due, t.last)
	}
	n := r.Count()
	if n == 0 {
		return
	}
	t.events = make([]event, n)
	before := t.last
	for i := range t.events {
		e := &t.events[i]
		e.read(r, before, &t.now)
		before = e.time
	}
}

// What a position has.
const (
	hasDue = 1 << iota
	hasLapsed
	hasChannel
)

func (p *position) append(dst []byte, last inventory.Millis) []byte {
	dst = wire.AppendUint(dst, bit(hasDue, p.due != 0)|bit(hasLapsed, p.lapsedAt != 0)|bit(hasChannel, p.channel != ""))
	dst = wire.AppendInt(dst, p.open)
	if p.due != 0 {
		dst = wire.AppendInt(dst, p.due-last)
	}
	if p.lapsedAt != 0 {
		dst = wire.AppendInt(dst, p.lapsedAt-last)
	}
	return dst
}

func (p *position) read(r *wire.Reader, last inventory.Millis, channel string) {
	has := r.Uint()
	p.open = r.Int()
	if has&hasDue != 0 {
		p.due = last + inventory.Millis(r.Int())
	}
	if has&hasLapsed != 0 {
		p.lapsedAt = last + inventory.Millis(r.Int())
	}
	if has&hasChannel != 0 {
		p.channel = channel
	}
}

// What an event has, in the bits before its verb.
const (
	hasEventDue     = 1 << iota // due is not none
	hasOtherChannel             // than the timeline

	eventBits = iota
)

func (e *event) append(dst []byte, before inventory.Millis, now *position) []byte {
	other := e.verb == add && e.channel != now.channel
	dst = wire.AppendUint(dst, uint64(e.verb)<<eventBits|bit(hasEventDue, e.due != 0)|bit(hasOtherChannel, other))
	dst = wire.AppendInt(dst, e.time-before)
	dst = wire.AppendInt(dst, e.units)
	if e.due != 0 {
		dst = wire.AppendInt(dst, e.due-now.due)
	}
	if other {
		dst = wire.AppendString(dst, e.channel)
	}
	return dst
}

func (e *event) read(r *wire.Reader, before inventory.Millis, now *position) {
	head := r.Uint()
	e.verb = verb(head >> eventBits)
	e.time = before + inventory.Millis(r.Int())
	e.units = r.Int()
	if head&hasEventDue != 0 {
		e.due = now.due + inventory.Millis(r.Int())
	}
	switch {
	case head&hasOtherChannel != 0:
		e.channel = r.String()
	case e.verb == add:
		e.channel = now.channel
	}
}
