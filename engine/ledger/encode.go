package ledger

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// chain codes times as distances, each from the one before it: what happens to a key is close together.
type chain struct{ before inventory.Millis }

func (c *chain) append(dst []byte, at inventory.Millis) []byte {
	dst = wire.AppendInt(dst, at-c.before)
	c.before = at
	return dst
}

func (c *chain) read(r *wire.Reader) inventory.Millis {
	c.before += inventory.Millis(r.Int())
	return c.before
}

// What a ledger has beside what is on hand; what it has not is not stored.
const (
	hasUnavailable = 1 << iota
	hasReserved
	hasInbound
	hasInTransit
	hasPrice
	hasCounted
	hasSafety
	hasPages
)

// Append appends the ledger's bytes: what it has, the names of its channels together, the setters, the fields and
// the moves.
func (l *Ledger) Append(dst []byte) []byte {
	dst = wire.AppendUint(dst, l.has())
	dst = wire.AppendUint(dst, uint64(len(l.Channels)))
	dst = wire.AppendString(dst, l.names)
	dst = wire.AppendUint(dst, uint64(len(l.setters)))
	dst = append(dst, l.setters...)
	return l.appendFields(dst)
}

// has returns the mask of what l has.
func (l *Ledger) has() uint64 {
	return bit(hasUnavailable, l.Unavailable != 0) | bit(hasReserved, l.Reserved != 0) |
		bit(hasInbound, l.Inbound != 0) | bit(hasInTransit, l.InTransit != 0) |
		bit(hasPrice, l.Price != 0) | bit(hasCounted, l.Counted.Time != 0) |
		bit(hasSafety, l.safety.Time != 0) | bit(hasPages, l.pages != 0)
}

// bit returns the mask if it is so, and else nothing.
func bit(mask uint64, so bool) uint64 {
	if so {
		return mask
	}
	return 0
}

func (l *Ledger) appendFields(dst []byte) []byte {
	var c chain
	dst = wire.AppendInt(dst, l.OnHand)
	for _, q := range [...]int64{l.Unavailable, l.Reserved, l.Inbound, l.InTransit, l.Price} {
		if q != 0 {
			dst = wire.AppendInt(dst, q)
		}
	}
	if l.Price != 0 {
		dst = c.append(dst, l.priceAt)
	}
	if l.Counted.Time != 0 {
		dst = l.Counted.append(dst, &c)
	}
	if l.safety.Time != 0 {
		dst = l.safety.append(dst, &c)
	}
	for i := range l.Channels {
		dst = l.Channels[i].append(dst, &c)
	}
	if l.pages != 0 {
		dst = wire.AppendUint(dst, uint64(l.pages))
		dst = c.append(dst, l.pagedEnd)
	}
	return l.moves.append(dst, &c)
}

// Read reads what Append wrote. Errors stay in r.
func (l *Ledger) Read(r *wire.Reader) {
	*l = Ledger{}
	has, channels := r.Uint(), r.Count()
	l.names = r.String()
	l.setters = append(l.setters, r.Take(r.Count())...)
	l.readFields(r, has, channels)
	setters := 0
	for i := 0; ; i++ {
		register := l.register(i)
		if register == nil {
			break
		}
		setters += register.setterBytes()
	}
	if setters != len(l.setters) {
		r.Fail(fmt.Errorf("registers have %d bytes of setters, and the ledger %d", setters, len(l.setters)))
	}
}

func (l *Ledger) readFields(r *wire.Reader, has uint64, channels int) {
	var c chain
	l.OnHand = r.Int()
	for i, q := range [...]*int64{&l.Unavailable, &l.Reserved, &l.Inbound, &l.InTransit, &l.Price} {
		if has&(1<<i) != 0 {
			*q = r.Int()
		}
	}
	if has&hasPrice != 0 {
		l.priceAt = c.read(r)
	}
	if has&hasCounted != 0 {
		l.Counted.read(r, &c)
	}
	if has&hasSafety != 0 {
		l.safety.read(r, &c)
		l.Safety = l.safety.Value
	}
	if channels > 0 {
		l.Channels = make([]Channel, channels)
		names := l.names
		for i := range l.Channels {
			names = l.Channels[i].read(r, &c, names)
		}
		if names != "" {
			r.Fail(fmt.Errorf("%q is no channel's name", names))
		}
	}
	if has&hasPages != 0 {
		l.pages = uint32(r.Uint())
		l.pagedEnd = c.read(r)
	}
	l.moves.read(r, &c)
}

// What a channel has, in the lowest bits before the length of its name.
const (
	hasListed = 1 << iota
	hasFence

	hasBits = iota
)

func (c *Channel) append(dst []byte, times *chain) []byte {
	dst = wire.AppendUint(dst, uint64(len(c.Name))<<hasBits|bit(hasListed, c.Listed.Time != 0)|bit(hasFence, c.Fence.Time != 0))
	if c.Listed.Time != 0 {
		dst = wire.AppendInt(c.Listed.append(dst, times), c.gone)
	}
	if c.Fence.Time != 0 {
		dst = c.Fence.append(dst, times)
	}
	return wire.AppendInt(dst, c.consumed)
}

// read reads a channel; its name is the first of names, the rest of which it returns.
func (c *Channel) read(r *wire.Reader, times *chain, names string) string {
	head := r.Uint()
	if size := head >> hasBits; size <= uint64(len(names)) {
		c.Name, names = names[:size], names[size:]
	} else {
		r.Fail(wire.ErrShort)
	}
	if head&hasListed != 0 {
		c.Listed.read(r, times)
		c.gone = r.Int()
	}
	if head&hasFence != 0 {
		c.Fence.read(r, times)
	}
	c.consumed = r.Int()
	return names
}

func (g *Register) append(dst []byte, times *chain) []byte {
	dst = times.append(dst, g.Time)
	dst = wire.AppendInt(dst, g.Value)
	dst = wire.AppendUint(dst, uint64(g.idBytes))
	return wire.AppendUint(dst, uint64(g.sourceBytes))
}

func (g *Register) read(r *wire.Reader, times *chain) {
	g.Time = times.read(r)
	g.Value = r.Int()
	id, source := r.Uint(), r.Uint()
	if id > inventory.IDBytesMax || source > inventory.SourceBytesMax || g.Time == 0 && !r.Failed() {
		r.Fail(fmt.Errorf("a register was set at %v by an id of %d bytes and a source of %d", g.Time, id, source))
		return
	}
	g.idBytes, g.sourceBytes = uint8(id), uint8(source)
}
