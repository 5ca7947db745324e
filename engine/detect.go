package engine

import (
	"math"
	"math/bits"
	"strings"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// alarmMost is how far ahead an alarm of silence is set; alarmLeast how close.
const (
	alarmMost  = 60 * inventory.Day
	alarmLeast = 5 * inventory.Minute
)

// scene is a record with what surrounds it: all that one look needs.
type scene struct {
	rec *item[record]
	net *item[network]
	pl  *item[place]
}

// look lets the detectors look at a record, after d or, where d is nil, after a timer, and
// sees to what they find. The record is touched.
func (e *Engine) look(rec *item[record], d *inventory.Delta) error {
	s, err := e.scene(rec)
	if err != nil {
		return err
	}
	e.before.network = s.net.value.figures()
	if err := e.joinNetwork(s); err != nil {
		return err
	}
	if err := e.vouch(s.pl); err != nil {
		return err
	}
	about := e.about
	e.about = concern{}
	e.show(s)
	v := &e.view
	v.Delta = d
	e.past.rec, e.past.err = s.rec, nil
	if about.tl != nil {
		v.Arrival, v.Ref = &about.tl.value.arrival, about.ref
	}
	kind := inventory.KindNone
	rose := false
	if d != nil {
		kind = d.Kind
		rose = e.observe(s, d)
	}
	v.Belief.Hold(v)
	e.found = e.found[:0]
	watching := e.watching[kind]
	if len(v.Open) > 0 {
		watching |= e.opened(v)
	}
	if s.rec.value.awake || v.Excess || v.Traces != nil && kind == inventory.Count {
		watching = e.watching[inventory.KindNone] // all of them
	}
	for ; watching != 0; watching &= watching - 1 {
		e.found = e.detectors[bits.TrailingZeros32(watching)].Look(v, e.found)
	}
	e.endDwelt(s.rec.value.open)
	e.endDwelt(s.net.value.open)
	if e.past.err != nil {
		return e.past.err
	}
	traces, traced := v.Traces, v.Traced || s.rec.value.awake || kind == inventory.Count
	if err := e.govern(s); err != nil {
		return err
	}
	if e.past.err != nil { // from describing what was found
		return e.past.err
	}
	if traced {
		s.rec.value.keep(traces)
	}
	if len(e.found) > 0 { // exceptions and holds came or went
		e.show(s)
		v.Belief.Hold(v)
		v.NoteListings()
		s.rec.value.keep(v.Traces)
	}
	if about.tl != nil {
		e.armTimeline(about.tl)
	}
	e.armAlarm(s, rose)
	e.armWake(s.rec)
	return nil
}

// armWake sets the record's timer for the next thing that its traces wait for, unless one stands that is not later.
func (e *Engine) armWake(rec *item[record]) {
	r := &rec.value
	if !r.awake {
		return
	}
	if next := r.traces.Next(e.meta.watermark); next != 0 && (r.wakeAt == 0 || next < r.wakeAt) {
		e.records.touch(rec)
		r.wakeAt = e.setTimer(next, timerWake, rec.key)
	}
}

// watch makes detectors those that look.
func (e *Engine) watch(all []detectors.Detector) {
	e.detectors = all
	for kind := range e.watching {
		e.watching[kind] = 0
		for i := range all {
			if all[i].Kinds.Has(inventory.Kind(kind)) {
				e.watching[kind] |= 1 << i
			}
		}
	}
}

// opened returns the detectors of which some exception stands.
func (e *Engine) opened(v *detectors.View) (set uint32) {
	for i := range e.detectors {
		if v.IsOpenClass(e.detectors[i].Class) {
			set |= 1 << i
		}
	}
	return set
}

func (r *record) held() bool {
	for i := range r.directives {
		if r.directives[i].held() {
			return true
		}
	}
	return false
}

// limit returns what the directive lets its channel show at most.
func (d *directive) limit() int64 {
	if d.binds {
		return d.most
	}
	return math.MaxInt64
}

// limit returns what a channel may show at most in the whole network.
func (n *network) limit(channel string) int64 {
	if at := indexOf(n.channels, channel); at >= 0 {
		return n.directives[at].limit()
	}
	return math.MaxInt64
}

func (e *Engine) scene(rec *item[record]) (scene, error) {
	around := &rec.value.around
	if around.net == nil || around.asOf != e.networks.evictions+e.places.evictions {
		sku, location := splitRecordKey(rec.key)
		var err error
		if around.net, _, err = e.networks.make([]byte(sku)); err != nil {
			return scene{}, err
		}
		if around.pl, err = e.place(location); err != nil {
			return scene{}, err
		}
		around.asOf = e.networks.evictions + e.places.evictions
	}
	around.net.recent, around.pl.recent = true, true
	return scene{rec, around.net, around.pl}, nil
}

// joinNetwork carries the record's ATP and its channels over to the SKU's network.
func (e *Engine) joinNetwork(s scene) error {
	r, n := &s.rec.value, &s.net.value
	if atp := r.ATP(); atp != r.contributed {
		e.networks.touch(s.net)
		n.sum.add(atp - r.contributed)
		n.positive.add(max(atp, 0) - max(r.contributed, 0))
		r.contributed = atp
		n.offer(s.rec.key[strings.IndexByte(s.rec.key, 0)+1:], atp)
	}
	for i := len(r.directives); i < len(r.Channels); i++ {
		r.directives = append(r.directives, directive{})
		name := r.Channels[i].Name
		if known := indexOf(n.channels, name); known < 0 {
			e.networks.touch(s.net)
			n.channels = append(n.channels, name)
			n.directives = append(n.directives, directive{})
		}
		if err := e.list(name); err != nil {
			return err
		}
	}
	return nil
}

// show fills the view with what the detectors may see of the scene.
func (e *Engine) show(s scene) {
	r, n := &s.rec.value, &s.net.value
	v := &e.view
	channels, open := v.Channels[:0], v.Open[:0]
	*v = detectors.View{
		Now:        e.meta.watermark,
		Quantities: r.Quantities,
		Price:      r.Price,
		Network:    detectors.Network{Locations: n.locations, Sum: n.sum.shown(), ATP: n.positive.shown()},
		Belief:     &r.belief,
		Feed:       &s.pl.value.feed,
		CountedAt:  r.Counted.Time,
		Traces:     r.traces,
		Place:      &s.pl.value.state,
		Patience:   &r.patience,
		HourMost:   &r.hourMost,
		Past:       &e.past,
		Trade:      &e.past,
	}
	v.SKU, v.Location = splitRecordKey(s.rec.key)
	e.bound(v)
	v.Held = r.held()
	channels = appendChannels(channels, r, n)
	for i := range channels {
		c := &channels[i]
		v.Excess = v.Excess || c.Shown > 0 && c.Shown > min(c.ATP, c.Limit)
	}
	v.Channels, v.Open = channels, appendStanding(appendStanding(open, r.open), n.open)
}

// appendChannels appends the channels of a record as detectors may see them.
func appendChannels(channels []detectors.Channel, r *record, n *network) []detectors.Channel {
	networkBinds := len(n.open) > 0 // where nothing stands nothing is held
	fenced := int64(0)
	for i := range r.Channels {
		fenced += r.Channels[i].Fenced()
	}
	for i := range r.Channels {
		c := &r.Channels[i]
		own := c.Fenced()
		limit := int64(math.MaxInt64)
		if i < len(r.directives) {
			limit = r.directives[i].limit()
		}
		if networkBinds {
			limit = min(limit, n.limit(c.Name))
		}
		channels = append(channels, detectors.Channel{
			Name: c.Name, ATP: r.ATP() - (fenced - own), Fenced: own, Shown: c.Shown(), Limit: limit, Lists: c.Listed.Time != 0, Asked: r.asks.of(i),
		})
	}
	return channels
}

// appendStanding appends the scopes of the exceptions whose condition is not over.
func appendStanding(scopes []detectors.Scope, open []opened) []detectors.Scope {
	for i := range open {
		if open[i].endsAt == 0 {
			scopes = append(scopes, open[i].scope)
		}
	}
	return scopes
}

// observe lets the belief and the location's feed take in d; it reports whether the belief rose.
func (e *Engine) observe(s scene, d *inventory.Delta) bool {
	feed := &s.pl.value.feed
	switch d.Kind {
	case inventory.Sale, inventory.Ship:
		e.places.touch(s.pl)
		if feed.From(d.Source) {
			feed.Sale(d.Time)
		}
		feed.Learn(e.view.Belief.Waited(&e.view))
		if d.Kind == inventory.Sale {
			s.pl.value.state.Demand(d.Time)
		}
	case inventory.Receipt, inventory.TransferIn:
		e.places.touch(s.pl)
		s.pl.value.state.Supplied(d.Time)
	case inventory.Return:
		e.places.touch(s.pl)
		s.pl.value.state.Came()
	case inventory.Adjust:
		e.places.touch(s.pl) // its detector adds to what is usual there
	case inventory.Listing:
		if e.view.Traces != nil {
			e.places.touch(s.pl) // which may learn how long the channel's feeds take
		}
	case inventory.PickFailed:
		e.places.touch(s.pl)
	}
	return e.view.Belief.Observe(&e.view, d)
}

// armAlarm sets the timer for the moment at which silence alone would reach the alarm. One that
// stands already is left alone, unless the belief rose: it looks again when it fires.
func (e *Engine) armAlarm(s scene, rose bool) {
	r := &s.rec.value
	if r.alarmAt != 0 && !rose || e.view.IsOpenClass(inventory.PhantomInventory) {
		return
	}
	in, ok := r.belief.AlarmIn(&e.view, e.view.Alarm.Raise, alarmMost)
	if !ok {
		if r.alarmAt != 0 || !r.belief.Waiting() {
			return
		}
		in = alarmMost
	}
	at := e.meta.watermark + max(in, alarmLeast)
	if r.alarmAt == 0 || at < r.alarmAt {
		e.records.touch(s.rec)
		r.alarmAt = e.setTimer(at, timerAlarm, s.rec.key)
	}
}

func indexOf(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return -1
}
