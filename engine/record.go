package engine

import (
	"errors"
	"fmt"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// record is all that is kept of one SKU at one location.
type record struct {
	ledger.Ledger
	windows window.Windows
	belief  detectors.Belief
	traces  *detectors.Traces // nil: none
	awake   bool              // more is in them than what only bears on the next correction. Not stored

	patience uint8 // events of demand that are let pass before it is looked at
	hourMost int64 // what its last hour's demand is known not to exceed, see [detectors.View]. Not stored

	open       []opened    // exceptions of this location
	directives []directive // by index of Channels; shorter where the last ones never had one

	refs refs // which timelines it has

	contributed int64            // the ATP that the network counts for this record
	alarmAt     inventory.Millis // its live alarm timer; 0: none
	renewAt     inventory.Millis // its live renewal timer; 0: none
	wakeAt      inventory.Millis // its live timer for what its traces wait for; 0: none

	around surroundings // not stored
}

// surroundings are the items that a look at a record needs beside it, remembered so that they need
// not be found again. They are right while asOf is the sum of their tables' evictions.
type surroundings struct {
	net  *item[network]
	pl   *item[place]
	asOf uint64
}

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

// source is what is kept of a source.
type source struct{ ticks }

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

// timeline is a ledger.Timeline under its own key, and of goods what is known of their coming.
type timeline struct {
	ledger.Timeline
	arrival detectors.Arrival // of what is not a reservation
}

// nextTimer returns when the timeline wants to be looked at next; 0: not before something happens to it.
func (t *timeline) nextTimer(l *detectors.Limits, lateness, now inventory.Millis) inventory.Millis {
	if wake := t.arrival.Wake(l, now); wake != 0 {
		return wake
	}
	return t.NextTimer(lateness)
}

// over reports whether what comes under the reference now is another story.
func (t *timeline) over(horizon inventory.Millis) bool {
	return t.Spent(horizon) && !t.arrival.Raised()
}

// opened is an exception that stands.
type opened struct {
	scope  detectors.Scope
	id     string
	acting bool  // policy or a person lets commands follow
	most   int64 // what the channels that it covers may show while it acts, each; 0: they are held

	// muted: a person ended it, and its condition stands still. So that it is not raised again at once it stays
	// open for its detector, which ends it without a word.
	muted bool

	// endsAt: its condition is over, and its policy lets it end then; 0: it is not over. Until then it stands for everybody but its detector, which
	// may find the same again: then it goes on.
	endsAt inventory.Millis
}

// directive is the last command for one channel at a record or in a network.
type directive struct {
	revision  uint64           // 0: there was none
	binds     bool             // it was a hold or a throttle
	most      int64            // that the channel may show; 0: it is held
	exception string           // behind the hold or throttle
	renewAt   inventory.Millis // of the hold or throttle
	told      inventory.Millis // when the channel was told to show less than it did, and has not been seen to since; 0: never
}

func (d *directive) held() bool { return d.binds && d.most == 0 }

func (d *directive) throttled() bool { return d.binds && d.most != 0 }

func (r *record) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatRecord)
	dst = r.Ledger.Append(dst)
	dst = r.windows.Append(dst)
	dst = r.belief.Append(dst)
	dst = appendOpened(dst, r.open)
	dst = appendDirectives(dst, r.directives)
	dst = r.refs.append(dst)
	dst = wire.AppendInt(dst, r.contributed)
	dst = wire.AppendInt(dst, r.alarmAt)
	dst = wire.AppendInt(dst, r.renewAt)
	dst = append(dst, r.patience)
	dst = r.traces.Append(dst)
	return wire.AppendInt(dst, r.wakeAt)
}

func (r *record) read(in *wire.Reader) {
	in.Version(formatRecord)
	r.Ledger.Read(in)
	r.windows.Read(in)
	r.belief.Read(in)
	r.open = readOpened(in)
	r.directives = readDirectives(in)
	r.refs.read(in)
	r.contributed = in.Int()
	r.alarmAt = inventory.Millis(in.Int())
	r.renewAt = inventory.Millis(in.Int())
	if patience := in.Take(1); patience != nil {
		r.patience = patience[0]
	}
	r.keep(detectors.ReadTraces(in))
	r.wakeAt = inventory.Millis(in.Int())
}

// keep makes traces those of the record.
func (r *record) keep(traces *detectors.Traces) {
	if traces != nil && traces.Empty() {
		traces = nil
	}
	r.traces, r.awake = traces, traces != nil && !traces.Sleeping()
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

func (s *source) append(dst []byte) []byte {
	return s.ticks.append(wire.AppendUint(dst, formatSource))
}

func (s *source) read(in *wire.Reader) {
	in.Version(formatSource)
	s.ticks.read(in)
}

func (c *channel) append(dst []byte) []byte {
	return c.lag.Append(wire.AppendUint(dst, formatChannel))
}

func (c *channel) read(in *wire.Reader) {
	in.Version(formatChannel)
	c.lag.Read(in)
}

func (t *timeline) append(dst []byte) []byte {
	dst = t.Append(wire.AppendUint(dst, formatTimeline))
	if t.Class != ledger.Reservation {
		dst = t.arrival.Append(dst)
	}
	return dst
}

func (t *timeline) read(in *wire.Reader) {
	in.Version(formatTimeline)
	t.Read(in)
	if t.Class != ledger.Reservation {
		t.arrival.Read(in)
	}
}

func appendOpened(dst []byte, open []opened) []byte {
	dst = wire.AppendUint(dst, uint64(len(open)))
	for i := range open {
		o := &open[i]
		dst = wire.AppendString(dst, string(o.scope.Class))
		dst = wire.AppendString(dst, o.scope.Channel)
		dst = wire.AppendString(dst, o.id)
		flags := uint64(0)
		if o.acting {
			flags |= 1
		}
		if o.scope.Network {
			flags |= 2
		}
		if o.muted {
			flags |= 4
		}
		if o.scope.Of != "" {
			flags |= 8
		}
		if o.most != 0 {
			flags |= 16
		}
		if o.endsAt != 0 {
			flags |= 32
		}
		dst = wire.AppendUint(dst, flags)
		if o.scope.Of != "" {
			dst = wire.AppendString(dst, o.scope.Of)
		}
		if o.most != 0 {
			dst = wire.AppendInt(dst, o.most)
		}
		if o.endsAt != 0 {
			dst = wire.AppendInt(dst, o.endsAt)
		}
	}
	return dst
}

func readOpened(in *wire.Reader) []opened {
	n := in.Count()
	if n == 0 {
		return nil
	}
	open := make([]opened, n)
	for i := range open {
		o := &open[i]
		o.scope.Class = inventory.Class(in.String())
		o.scope.Channel = in.String()
		o.id = in.String()
		flags := in.Uint()
		o.acting = flags&1 != 0
		o.scope.Network = flags&2 != 0
		o.muted = flags&4 != 0
		if flags&8 != 0 {
			o.scope.Of = in.String()
		}
		if flags&16 != 0 {
			o.most = in.Int()
		}
		if flags&32 != 0 {
			o.endsAt = inventory.Millis(in.Int())
		}
	}
	return open
}

// What a written directive does.
const (
	directiveReleased = iota
	directiveHeld
	directiveThrottled
)

func appendDirectives(dst []byte, directives []directive) []byte {
	dst = wire.AppendUint(dst, uint64(len(directives)))
	for i := range directives {
		d := &directives[i]
		dst = wire.AppendUint(dst, d.revision)
		if d.revision == 0 {
			continue
		}
		level := uint64(directiveReleased)
		switch {
		case d.held():
			level = directiveHeld
		case d.binds:
			level = directiveThrottled
		}
		dst = wire.AppendUint(dst, level)
		if level == directiveThrottled {
			dst = wire.AppendInt(dst, d.most)
		}
		if d.binds {
			dst = wire.AppendString(dst, d.exception)
			dst = wire.AppendInt(dst, d.renewAt)
			dst = wire.AppendInt(dst, d.told)
		}
	}
	return dst
}

func readDirectives(in *wire.Reader) []directive {
	n := in.Count()
	if n == 0 {
		return nil
	}
	directives := make([]directive, n)
	for i := range directives {
		d := &directives[i]
		d.revision = in.Uint()
		if d.revision == 0 {
			continue
		}
		switch in.Uint() {
		case directiveReleased:
			continue
		case directiveHeld:
		case directiveThrottled:
			d.most = in.Int()
		default:
			in.Fail(errors.New("a directive neither holds, throttles nor releases"))
		}
		d.binds = true
		d.exception = in.String()
		d.renewAt = inventory.Millis(in.Int())
		d.told = inventory.Millis(in.Int())
	}
	return directives
}
