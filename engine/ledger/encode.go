package ledger

import (
	"strings"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

func clone(s string) string { return strings.Clone(s) }

// Append appends the ledger's bytes.
func (l *Ledger) Append(dst []byte) []byte {
	for _, q := range [...]int64{l.OnHand, l.Unavailable, l.Reserved, l.Safety, l.Inbound, l.InTransit, l.Price} {
		dst = wire.AppendInt(dst, q)
	}
	dst = wire.AppendInt(dst, l.priceAt)
	dst = appendRegister(dst, &l.Counted)
	dst = appendRegister(dst, &l.safety)
	dst = wire.AppendUint(dst, uint64(len(l.Channels)))
	for i := range l.Channels {
		c := &l.Channels[i]
		dst = wire.AppendString(dst, c.Name)
		dst = appendRegister(dst, &c.Listed)
		dst = appendRegister(dst, &c.Fence)
		dst = wire.AppendInt(dst, c.consumed)
	}
	dst = wire.AppendInt(dst, l.pagedEnd)
	dst = wire.AppendUint(dst, uint64(l.pages))
	return l.moves.Append(dst)
}

// Read reads what Append wrote. Errors stay in r.
func (l *Ledger) Read(r *wire.Reader) {
	*l = Ledger{}
	for _, q := range [...]*int64{&l.OnHand, &l.Unavailable, &l.Reserved, &l.Safety, &l.Inbound, &l.InTransit, &l.Price} {
		*q = r.Int()
	}
	l.priceAt = inventory.Millis(r.Int())
	l.Counted = readRegister(r)
	l.safety = readRegister(r)
	if n := r.Count(); n > 0 {
		l.Channels = make([]Channel, n)
		for i := range l.Channels {
			c := &l.Channels[i]
			c.Name = r.String()
			c.Listed = readRegister(r)
			c.Fence = readRegister(r)
			c.consumed = r.Int()
		}
	}
	l.pagedEnd = inventory.Millis(r.Int())
	l.pages = uint32(r.Uint())
	l.moves.Read(r)
}

func appendRegister(dst []byte, g *Register) []byte {
	dst = wire.AppendInt(dst, g.Time)
	if g.Time == 0 {
		return dst
	}
	dst = wire.AppendInt(dst, g.Value)
	dst = wire.AppendString(dst, g.ID)
	return wire.AppendString(dst, g.Source)
}

func readRegister(r *wire.Reader) Register {
	g := Register{Time: inventory.Millis(r.Int())}
	if g.Time == 0 {
		return g
	}
	g.Value = r.Int()
	g.ID = r.String()
	g.Source = r.String()
	return g
}

// Append appends the timeline's bytes.
func (t *Timeline) Append(dst []byte) []byte {
	dst = wire.AppendUint(dst, uint64(t.Class))
	dst = appendPosition(dst, &t.base)
	dst = appendPosition(dst, &t.now)
	dst = wire.AppendInt(dst, t.last)
	dst = wire.AppendInt(dst, t.TimerAt)
	dst = wire.AppendUint(dst, uint64(len(t.events)))
	before := inventory.Millis(0)
	for i := range t.events {
		e := &t.events[i]
		dst = wire.AppendInt(dst, e.time-before)
		before = e.time
		dst = wire.AppendUint(dst, uint64(e.verb))
		dst = wire.AppendInt(dst, e.units)
		if e.verb == add {
			dst = wire.AppendInt(dst, e.due)
			dst = wire.AppendString(dst, e.channel)
		}
	}
	return dst
}

// Read reads what Append wrote. Errors stay in r.
func (t *Timeline) Read(r *wire.Reader) {
	*t = Timeline{Class: Class(r.Uint()), base: readPosition(r), now: readPosition(r)}
	t.last = inventory.Millis(r.Int())
	t.TimerAt = inventory.Millis(r.Int())
	n := r.Count()
	if n == 0 {
		return
	}
	t.events = make([]event, n)
	time := inventory.Millis(0)
	for i := range t.events {
		e := &t.events[i]
		time += inventory.Millis(r.Int())
		e.time = time
		e.verb = verb(r.Uint())
		e.units = r.Int()
		if e.verb == add {
			e.due = inventory.Millis(r.Int())
			e.channel = r.String()
		}
	}
}

func appendPosition(dst []byte, p *position) []byte {
	dst = wire.AppendInt(dst, p.open)
	dst = wire.AppendInt(dst, p.due)
	dst = wire.AppendInt(dst, p.lapsedAt)
	return wire.AppendString(dst, p.channel)
}

func readPosition(r *wire.Reader) position {
	return position{
		open:     r.Int(),
		due:      inventory.Millis(r.Int()),
		lapsedAt: inventory.Millis(r.Int()),
		channel:  r.String(),
	}
}
