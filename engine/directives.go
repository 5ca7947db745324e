package engine

import (
	"maps"
	"strings"

	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/inventory"
)

// direct brings the directives of the scene into line with what stands open: every channel may show
// the least that the acting exceptions let it show which cover it, and anything where none does. Where several
// exceptions cover a channel one directive stands, and the release comes with the last of them.
func (e *Engine) direct(s scene, verdicts []verdict) ([]verdict, error) {
	verdicts, err := e.directRecord(s.rec, verdicts)
	if err != nil {
		return nil, err
	}
	return e.directNetwork(s.net, verdicts)
}

// directRecord is direct for the directives of a record, which the view shows.
func (e *Engine) directRecord(rec *item[record], verdicts []verdict) ([]verdict, error) {
	r := &rec.value
	for i := range r.Channels {
		order := order{channel: r.Channels[i].Name, location: e.view.Location, directive: &r.directives[i]}
		order.sellable = max(e.view.Channels[i].ATP, 0)
		order.listed = &r.Channels[i].Listed
		var err error
		if verdicts, err = e.align(order, r.open, verdicts); err != nil {
			return nil, err
		}
	}
	e.armRecord(rec)
	return verdicts, nil
}

// directNetwork is direct for the directives that bind a SKU everywhere.
func (e *Engine) directNetwork(net *item[network], verdicts []verdict) ([]verdict, error) {
	n := &net.value
	for i, channel := range n.channels {
		order := order{channel: channel, location: inventory.Network, directive: &n.directives[i]}
		if n.directives[i].binds && strictest(n.open, channel) == nil {
			atp, err := e.networkATP(net, channel)
			if err != nil {
				return nil, err
			}
			order.sellable = atp
		}
		var err error
		if verdicts, err = e.align(order, n.open, verdicts); err != nil {
			return nil, err
		}
	}
	e.armNetwork(net)
	return verdicts, nil
}

// order is a directive with what a command about it needs.
type order struct {
	channel, location string
	directive         *directive
	sellable          int64            // if it were released now
	listed            *ledger.Register // what the channel shows there; nil: that is not one place
}

// align gives the hold, throttle or release that the open exceptions call for, if any.
func (e *Engine) align(o order, open []opened, verdicts []verdict) ([]verdict, error) {
	want := strictest(open, o.channel)
	d := o.directive
	switch {
	case want != nil && (!d.binds || d.most != want.most):
		it, err := e.mustException(want.id)
		if err != nil {
			return nil, err
		}
		was := d.held()
		e.meta.standing.count(d, -1)
		d.told = e.toldAt(o, want.most)
		d.binds, d.most, d.exception = true, want.most, want.id
		e.meta.standing.count(d, +1)
		action := d.action()
		if err := e.gave(o.channel, action, oneIf(d.held())-oneIf(was)); err != nil {
			return nil, err
		}
		return e.attribute(verdicts, it, string(action), e.command(action, o, it)), nil
	case want == nil && d.binds:
		// The exception that let go last says why; the one that began it where that is not this look.
		it, err := e.lastCleared(verdicts, d.exception)
		if err != nil {
			return nil, err
		}
		was := d.held()
		e.meta.standing.count(d, -1)
		*d = directive{revision: d.revision}
		verdicts = e.attribute(verdicts, it, "release", e.command(inventory.Unhold, o, it))
		return verdicts, e.gave(o.channel, inventory.Unhold, -oneIf(was))
	case want != nil && d.exception != want.id && !wants(open, d.exception, d.most):
		d.exception = want.id
	}
	return verdicts, nil
}

// toldAt returns since when a channel is waited for to show no more than most: now, if it is told to show less than it was, and does
// not anyway.
func (e *Engine) toldAt(o order, most int64) inventory.Millis {
	lowers := !o.directive.binds || most < o.directive.most
	if !lowers || o.listed == nil || o.listed.Time != 0 && o.listed.Value <= most {
		return 0
	}
	return e.meta.watermark
}

// measure takes in how long a channel took to show what it was told, where d is the listing that tells.
func (e *Engine) measure(r *record, d *inventory.Delta) error {
	for i := range r.directives {
		if r.Channels[i].Name != d.Channel {
			continue
		}
		told := &r.directives[i]
		if told.told == 0 || d.Quantity > told.most || d.Time < told.told {
			return nil
		}
		c, _, err := e.channels.make([]byte(d.Channel))
		if err != nil {
			return err
		}
		e.channels.touch(c)
		c.value.lag.Measure(d.Time - told.told)
		told.told = 0
		return nil
	}
	return nil
}

// action returns what the directive, which binds, tells the channel.
func (d *directive) action() inventory.Action {
	if d.held() {
		return inventory.Hold
	}
	return inventory.Throttle
}

// count counts a directive in, or out.
func (s *Standing) count(d *directive, n int64) {
	switch {
	case d.held():
		s.Held += n
	case d.throttled():
		s.Throttled += n
	}
}

// oneIf is 1 where something is so, else 0.
func oneIf(so bool) int64 {
	if so {
		return 1
	}
	return 0
}

// strictest returns the acting exception that lets the channel show least, of several the first; nil if none
// covers it.
func strictest(open []opened, channel string) (least *opened) {
	for i := range open {
		o := &open[i]
		if o.acting && (o.scope.Channel == "" || o.scope.Channel == channel) && (least == nil || o.most < least.most) {
			least = o
		}
	}
	return least
}

// wants reports whether the exception of that id acts and lets channels show so much.
func wants(open []opened, id string, most int64) bool {
	for i := range open {
		if o := &open[i]; o.acting && o.id == id && o.most == most {
			return true
		}
	}
	return false
}

// lastCleared returns the exception that a release is put down to: the one behind the directive if
// it ended in this look, else the last one that did.
func (e *Engine) lastCleared(verdicts []verdict, began string) (*item[exception], error) {
	var last *item[exception]
	for i := range verdicts {
		if !ended(verdicts[i].exception.value.Status) {
			continue
		}
		last = verdicts[i].exception
		if last.value.ID == began {
			break
		}
	}
	if last != nil {
		return last, nil
	}
	return e.mustException(began)
}

// attribute adds a command to the verdict of its exception, or makes one for it where the
// exception itself did not change.
func (e *Engine) attribute(verdicts []verdict, it *item[exception], kind, command string) []verdict {
	for i := range verdicts {
		if verdicts[i].exception == it {
			verdicts[i].commands = append(verdicts[i].commands, command)
			return verdicts
		}
	}
	return append(verdicts, verdict{exception: it, kind: kind, commands: []string{command}})
}

// command says a command and returns its id.
func (e *Engine) command(action inventory.Action, o order, it *item[exception]) string {
	x := &it.value.Exception
	rule := e.policy.RuleAt(x.Class, e.at(x.SKU, o.location, o.channel))
	autonomy, approvedBy := e.onWhoseWord(x)
	o.directive.revision++
	if d := o.directive; d.binds {
		d.renewAt = e.meta.watermark + rule.RenewAfter()
		o.sellable = d.most
	}
	c := &inventory.Command{
		ID:         e.nextID(""),
		Action:     action,
		Channel:    strings.Clone(o.channel),
		SKU:        x.SKU,
		Location:   o.location,
		Sellable:   o.sellable,
		Revision:   o.directive.revision,
		Exception:  x.ID,
		Class:      x.Class,
		Confidence: x.Confidence,
		Reason:     e.person.reason(action, x),
		Evidence:   maps.Clone(x.Evidence),
		Autonomy:   autonomy,
		ApprovedBy: approvedBy,
		Policy:     e.policy.Version,
		EventTime:  e.meta.watermark,
		IssuedAt:   e.logTime,
		ExpiresAt:  e.after(rule.Expiry),
		Cause:      e.cause,
	}
	e.say(Output{Command: c})
	return c.ID
}

// armRecord sets the record's renewal timer where a directive will want one earlier than it is set.
func (e *Engine) armRecord(rec *item[record]) {
	r := &rec.value
	if at := firstRenewal(r.directives); at != 0 && (r.renewAt == 0 || at < r.renewAt) {
		e.records.touch(rec)
		r.renewAt = e.setTimer(at, timerRenew, rec.key)
	}
}

// armNetwork is armRecord for a SKU's network.
func (e *Engine) armNetwork(net *item[network]) {
	n := &net.value
	if at := firstRenewal(n.directives); at != 0 && (n.renewAt == 0 || at < n.renewAt) {
		e.networks.touch(net)
		n.renewAt = e.setTimer(at, timerNetwork, net.key)
	}
}

func firstRenewal(directives []directive) inventory.Millis {
	first := inventory.Millis(0)
	for i := range directives {
		if d := &directives[i]; d.binds && (first == 0 || d.renewAt < first) {
			first = d.renewAt
		}
	}
	return first
}

// renewRecord says the holds and throttles of a record again that would lapse before long.
func (e *Engine) renewRecord(rec *item[record]) error {
	s, err := e.scene(rec)
	if err != nil {
		return err
	}
	e.show(s)
	r := &rec.value
	e.records.touch(rec)
	r.renewAt = 0
	var verdicts []verdict
	for i := range r.Channels {
		o := order{channel: r.Channels[i].Name, location: e.view.Location, directive: &r.directives[i]}
		if verdicts, err = e.renew(o, verdicts); err != nil {
			return err
		}
	}
	if len(verdicts) > 0 {
		e.remember(r)
		e.before.network = s.net.value.figures()
		e.listStanding(r, &s.net.value)
		e.auditAll(verdicts, r, &s.net.value)
	}
	e.armRecord(rec)
	return nil
}

// renewNetwork does for a SKU's network directives what renewRecord does for a record's.
func (e *Engine) renewNetwork(net *item[network]) error {
	n := &net.value
	e.networks.touch(net)
	n.renewAt = 0
	var verdicts []verdict
	for i, channel := range n.channels {
		var err error
		o := order{channel: channel, location: inventory.Network, directive: &n.directives[i]}
		if verdicts, err = e.renew(o, verdicts); err != nil {
			return err
		}
	}
	if len(verdicts) > 0 {
		e.before.network = n.figures()
		e.listStanding(nil, n)
		e.auditAll(verdicts, nil, n)
	}
	if at := firstRenewal(n.directives); at != 0 {
		n.renewAt = e.setTimer(at, timerNetwork, net.key)
	}
	return nil
}

func (e *Engine) renew(o order, verdicts []verdict) ([]verdict, error) {
	if !o.directive.binds || o.directive.renewAt > e.meta.watermark {
		return verdicts, nil
	}
	it, err := e.mustException(o.directive.exception)
	if err != nil {
		return nil, err
	}
	return e.attribute(verdicts, it, "renew", e.command(o.directive.action(), o, it)), nil
}

// networkATP returns what the whole network has to promise on a channel: Σ max(0, ATP) over
// the SKU's locations that are not held for it.
func (e *Engine) networkATP(net *item[network], channel string) (int64, error) {
	var sum total
	err := e.eachRecord(net.key, func(r *record) {
		for i := range r.Channels {
			if r.Channels[i].Name == channel && i < len(r.directives) && r.directives[i].held() {
				return
			}
		}
		sum.add(max(r.ATP(), 0))
	})
	return sum.shown(), err
}

// eachRecord calls yield for every record of a SKU: those in memory as they stand, the
// rest from the store.
func (e *Engine) eachRecord(sku string, yield func(*record)) error {
	lower := append(append([]byte{keyRecord}, sku...), 0)
	upper := append(append([]byte{keyRecord}, sku...), 1)
	var keys []string
	err := e.store.Scan(lower, upper, func(key, _ []byte) bool {
		keys = append(keys, string(key[1:]))
		return true
	})
	if err != nil {
		return err
	}
	for _, changed := range [...][]*item[record]{e.records.dirty, e.records.frozen} { // which the store may not know yet
		for _, it := range changed {
			if strings.HasPrefix(it.key, string(lower[1:])) {
				keys = append(keys, it.key)
			}
		}
	}
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		it, err := e.records.get([]byte(key))
		if err != nil {
			return err
		}
		if it != nil {
			yield(&it.value)
		}
	}
	return nil
}
