package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Class is what a timeline is of.
type Class uint8

// The classes. Their numbers are stored.
const (
	Reservation Class = iota + 1 // reserve; release, ship
	Inbound                      // asn; receipt
	InTransit                    // transfer_out, kept where it goes; transfer_in
)

// TimelineEvents bounds the events that one timeline keeps for replay. A reference with more
// of them within the lateness is no order; its oldest events become final early.
const TimelineEvents = 4096

// Timeline is one reservation, ASN or transfer of a key: what adds to it and what takes
// from it, replayed in order of time, so that what is open does not depend on the order of arrival.
//
// Invariant: now is base with all of events applied to it, and lapsed as of the
// latest watermark seen.
type Timeline struct {
	Class  Class
	base   position
	now    position
	events []event // in order of happening
	last   inventory.Millis

	// TimerAt is the event time of the one live timer of this timeline; 0: none.
	TimerAt inventory.Millis
}

// position is where a timeline stands after some of its events.
type position struct {
	open     int64
	due      inventory.Millis // of a reservation: when it lapses; 0: never
	channel  string           // of the first add
	lapsedAt inventory.Millis // when something open lapsed last
}

type verb uint8

// In this order they take effect at equal times.
const (
	add     verb = iota
	consume      // ship, receipt, transfer_in
	release
)

type event struct {
	time    inventory.Millis
	verb    verb
	units   int64
	due     inventory.Millis
	channel string
}

// compare orders events by when they happened; at equal times by content, so
// that the order of arrival never shows.
func (e *event) compare(o *event) int {
	return cmp.Or(
		cmp.Compare(e.time, o.time),
		cmp.Compare(e.verb, o.verb),
		cmp.Compare(e.due, o.due),
		strings.Compare(e.channel, o.channel),
		cmp.Compare(e.units, o.units))
}

// Effect is what an event of a reservation means for its channel's ring-fence.
type Effect struct {
	Time     inventory.Millis
	Channel  string
	Consumed int64 // signed units
}

// Open returns the units that are still promised or expected.
func (t *Timeline) Open() int64 { return t.now.open }

// Channel returns whose promise it is; "": nobody's yet.
func (t *Timeline) Channel() string { return t.now.channel }

// Due returns when the open part is due; 0: not said.
func (t *Timeline) Due() inventory.Millis { return t.now.due }

// Apply puts d on the timeline, given the watermark and the horizon before which nothing
// can arrive any more. The change of Open is the return value; effects are appended to the given slice.
func (t *Timeline) Apply(d *inventory.Delta, watermark, horizon inventory.Millis, effects []Effect) (int64, []Effect) {
	e := event{time: d.Time, units: d.Quantity}
	switch d.Kind {
	case inventory.Reserve:
		e.verb, e.due, e.channel = add, d.Due, t.now.channel
		if e.channel != d.Channel {
			e.channel = strings.Clone(d.Channel)
		}
	case inventory.ASN, inventory.TransferOut:
		e.verb, e.due = add, d.Due
	case inventory.Release:
		e.verb = release
	default:
		e.verb = consume
	}
	before := t.now.open
	t.last = max(t.last, e.time)
	t.settle(horizon)
	n := len(t.events)
	if (n == 0 || t.events[n-1].compare(&e) <= 0) && e.time >= t.now.lapsedAt {
		t.events = append(t.events, e)
		effects = t.step(&t.now, &e, effects)
		effects = t.lapse(&t.now, watermark, effects)
		return t.now.open - before, effects
	}
	effects = t.replay(e, watermark, effects)
	return t.now.open - before, effects
}

// Gain returns by how much Apply of d would change Open. It changes nothing.
func (t *Timeline) Gain(d *inventory.Delta, watermark, horizon inventory.Millis) int64 {
	with := *t
	with.events = slices.Clone(t.events)
	gain, _ := with.Apply(d, watermark, horizon, nil)
	return gain
}

// Advance lets the open part lapse if it is due by the watermark. The change
// of Open is the return value.
func (t *Timeline) Advance(watermark inventory.Millis, effects []Effect) (int64, []Effect) {
	before := t.now.open
	effects = t.lapse(&t.now, watermark, effects)
	return t.now.open - before, effects
}

// NextTimer returns when the timeline wants to be looked at next: when it lapses,
// or when it may be forgotten. 0: not before something happens to it.
func (t *Timeline) NextTimer(lateness inventory.Millis) inventory.Millis {
	switch {
	case t.now.open == 0:
		return t.closed() + lateness + 1
	case t.Class == Reservation:
		return t.now.due
	}
	return 0
}

// Spent reports whether nothing is open and nothing that happened can change any more.
func (t *Timeline) Spent(horizon inventory.Millis) bool {
	return t.now.open == 0 && t.closed() < horizon
}

// closed returns when the last thing happened to the timeline. A lapse is one: what comes
// late from before it finds the reservation open.
func (t *Timeline) closed() inventory.Millis { return max(t.last, t.now.lapsedAt) }

// settle makes final what no delta can precede any more.
func (t *Timeline) settle(horizon inventory.Millis) {
	n := 0
	for n < len(t.events) && (t.events[n].time < horizon || len(t.events)-n >= TimelineEvents) {
		t.step(&t.base, &t.events[n], nil)
		n++
	}
	t.events = slices.Delete(t.events, 0, n)
}

// replay inserts e where it belongs and works everything out again. The effects
// are those that e really has, less those that the later events had without it.
func (t *Timeline) replay(e event, watermark inventory.Millis, effects []Effect) []Effect {
	_, undone := t.fold(watermark)
	at, _ := slices.BinarySearchFunc(t.events, e, func(a, b event) int { return a.compare(&b) })
	t.events = slices.Insert(t.events, at, e)
	now, done := t.fold(watermark)
	t.now = now
	for _, u := range undone {
		if i := slices.Index(done, u); i >= 0 {
			done = slices.Delete(done, i, i+1)
			continue
		}
		u.Consumed = -u.Consumed
		effects = append(effects, u)
	}
	return append(effects, done...)
}

// fold returns where base leads through events by the watermark.
func (t *Timeline) fold(watermark inventory.Millis) (position, []Effect) {
	p := t.base
	var effects []Effect
	for i := range t.events {
		effects = t.step(&p, &t.events[i], effects)
	}
	effects = t.lapse(&p, watermark, effects)
	return p, effects
}

// step applies e to p.
func (t *Timeline) step(p *position, e *event, effects []Effect) []Effect {
	effects = t.lapse(p, e.time, effects)
	switch e.verb {
	case add:
		if p.channel == "" {
			p.channel = e.channel
		}
		p.open = min(p.open+e.units, sumMax) // what lapses in the end was never held against a total
		p.due = e.due
	case consume:
		p.open -= min(p.open, e.units)
	case release:
		took := min(p.open, e.units)
		p.open -= took
		effects = t.giveBack(p, e.time, took, effects)
	}
	return effects
}

// lapse ends what is open of a reservation that was due by time.
func (t *Timeline) lapse(p *position, time inventory.Millis, effects []Effect) []Effect {
	if t.Class != Reservation || p.due == 0 || p.due > time {
		return effects
	}
	if p.open > 0 {
		effects = t.giveBack(p, p.due, p.open, effects)
		p.open, p.lapsedAt = 0, p.due
	}
	p.due = 0
	return effects
}

func (t *Timeline) giveBack(p *position, time inventory.Millis, units int64, effects []Effect) []Effect {
	if units == 0 || p.channel == "" {
		return effects
	}
	return append(effects, Effect{time, p.channel, -units})
}
