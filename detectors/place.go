package detectors

import (
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// placeChannels bounds of how many channels a location's cancellations and feeds are told apart.
const placeChannels = 64

// Place is what the detectors of locations remember of one. A partition sees of a location what its own SKUs
// do there.
type Place struct {
	Work     Work
	channels []channelRate
	silent   bool // feed_stale is open
	adjusted adjusted
	demand   float64 // events of demand, the last few thousand
	returns  float64 // returns meanwhile
	hours    byHour
	supplied inventory.Millis // when a delivery came last
	supplies Rhythm
}

// channelRate is how many of a channel's orders were cancelled, and how long its feeds take.
type channelRate struct {
	name   string
	rate   Rate
	follow following
}

// Order tells of an order of a channel, or of one that was cancelled, as of now.
func (p *Place) Order(channel string, now inventory.Millis, cancelled bool) {
	if c := p.channelOf(channel); c != nil {
		c.rate.Add(now, cancelled)
	}
}

// Next returns when the location is to be looked at next, after now, if nothing happens there before; 0: never. open are
// the exceptions that stand there.
func (p *Place) Next(l *Limits, f *Feed, open []Scope, vouched Vouched, now inventory.Millis) (at inventory.Millis) {
	for i := range open {
		switch open[i].Class {
		case inventory.CancellationAnomaly:
			at = sooner(at, nextHour(now))
		case inventory.FulfilmentOverload:
			at = sooner(at, p.Work.due)
		}
	}
	if !p.silent {
		if quiet := f.silentAt(l, vouched); quiet > 0 {
			at = sooner(at, quiet)
		}
	}
	if at <= now {
		return 0
	}
	return at
}

// Append appends the place's bytes.
func (p *Place) Append(dst []byte) []byte {
	dst = wire.AppendUint(dst, uint64(len(p.channels))<<1|flagIf(p.silent, 1))
	for i := range p.channels {
		dst = wire.AppendString(dst, p.channels[i].name)
		dst = p.channels[i].rate.append(dst)
		dst = p.channels[i].follow.Append(dst)
	}
	for _, x := range p.floats() {
		dst = wire.AppendFloat(dst, *x)
	}
	dst = p.hours.append(dst)
	dst = p.supplies.Append(wire.AppendInt(dst, p.supplied))
	return p.Work.append(dst)
}

// Read reads what Append wrote. Errors stay in r.
func (p *Place) Read(r *wire.Reader) {
	head := r.Uint()
	*p = Place{silent: head&1 == 1}
	n := head >> 1
	if n > placeChannels {
		r.Fail(wire.ErrShort)
		return
	}
	for range n {
		c := channelRate{name: r.String()}
		c.rate.read(r)
		c.follow.Read(r)
		p.channels = append(p.channels, c)
	}
	for _, x := range p.floats() {
		*x = r.Float()
	}
	p.hours.read(r)
	p.supplied = inventory.Millis(r.Int())
	p.supplies.Read(r)
	p.Work.read(r)
}

func (p *Place) floats() [6]*float64 {
	a := &p.adjusted
	return [...]*float64{&p.demand, &p.returns, &a.n, &a.units, &a.sum, &a.many}
}
