package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// network is what is kept of a SKU over all its locations.
type network struct {
	locations  int
	sum        total // Σ ATP
	positive   total // Σ max(0, ATP)
	givers     []giver
	channels   []string
	open       []opened
	directives []directive // by index of channels
	renewAt    inventory.Millis
}

func (n *network) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatNetwork)
	dst = wire.AppendInt(dst, n.locations)
	dst = n.sum.append(dst)
	dst = n.positive.append(dst)
	dst = wire.AppendUint(dst, uint64(len(n.givers)))
	for i := range n.givers {
		dst = wire.AppendString(dst, n.givers[i].location)
		dst = wire.AppendInt(dst, n.givers[i].atp)
	}
	dst = wire.AppendUint(dst, uint64(len(n.channels)))
	for _, c := range n.channels {
		dst = wire.AppendString(dst, c)
	}
	dst = appendOpened(dst, n.open)
	dst = appendDirectives(dst, n.directives)
	return wire.AppendInt(dst, n.renewAt)
}

func (n *network) read(in *wire.Reader) {
	in.Version(formatNetwork)
	n.locations = int(in.Int())
	n.sum = readTotal(in)
	n.positive = readTotal(in)
	if c := in.Count(); c > giversMax {
		in.Fail(fmt.Errorf("%d locations that give, %d at most", c, giversMax))
	} else if c > 0 {
		n.givers = make([]giver, c, giversMax)
		for i := range n.givers {
			n.givers[i] = giver{in.String(), in.Int()}
		}
	}
	if c := in.Count(); c > 0 {
		n.channels = make([]string, c)
		for i := range n.channels {
			n.channels[i] = in.String()
		}
	}
	n.open = readOpened(in)
	n.directives = readDirectives(in)
	if len(n.directives) != len(n.channels) {
		in.Fail(fmt.Errorf("%d directives for %d channels", len(n.directives), len(n.channels)))
	}
	n.renewAt = inventory.Millis(in.Int())
}

// place is what is kept of a location.
type place struct {
	feed   detectors.Feed
	state  detectors.Place
	open   []opened         // exceptions of the location as a whole
	wakeAt inventory.Millis // its live timer; 0: none
	ticks                   // that name it
	weekly bool             // the feed's week was read too; see Engine.place. Not stored

	// src is the item of the feed's source; right while asOf is its table's evictions. Not stored.
	src  *item[source]
	asOf uint64
}

func (p *place) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatPlace)
	dst = p.ticks.append(dst)
	dst = p.feed.Append(dst)
	dst = p.state.Append(dst)
	dst = appendOpened(dst, p.open)
	return wire.AppendInt(dst, p.wakeAt)
}

func (p *place) read(in *wire.Reader) {
	in.Version(formatPlace)
	p.ticks.read(in)
	p.feed.Read(in)
	p.state.Read(in)
	p.open = readOpened(in)
	p.wakeAt = inventory.Millis(in.Int())
}

// source is what is kept of a source.
type source struct{ ticks }

func (s *source) append(dst []byte) []byte {
	return s.ticks.append(wire.AppendUint(dst, formatSource))
}

func (s *source) read(in *wire.Reader) {
	in.Version(formatSource)
	s.ticks.read(in)
}

// ticks are how far a source vouched for having said everything, and in which rhythm.
type ticks struct {
	vouched inventory.Millis
	rhythm  detectors.Rhythm
}

// vouch takes in a tick that is newer than all before it.
func (t *ticks) vouch(at inventory.Millis) {
	if t.vouched != 0 {
		t.rhythm.Tick(at - t.vouched)
	}
	t.vouched = at
}

func (t *ticks) append(dst []byte) []byte { return t.rhythm.Append(wire.AppendInt(dst, t.vouched)) }

func (t *ticks) read(in *wire.Reader) {
	t.vouched = inventory.Millis(in.Int())
	t.rhythm.Read(in)
}

// channel is what is kept of a sales channel, over all SKUs and locations of the partition.
type channel struct{ lag detectors.Lag }

func (c *channel) append(dst []byte) []byte {
	return c.lag.Append(wire.AppendUint(dst, formatChannel))
}

func (c *channel) read(in *wire.Reader) {
	in.Version(formatChannel)
	c.lag.Read(in)
}
