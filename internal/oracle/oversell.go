package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Directive is a hold, a throttle or a release: what a command says, without the paper around it.
type Directive struct {
	At       inventory.Millis // event time
	Action   inventory.Action
	Channel  string
	SKU      string
	Location string // or inventory.Network
	Sellable int64  // of a throttle or release
}

// Oversell is a Model with the oversell detector on it, and that of its risk where it is asked for. The first looks at every
// scope of every SKU after each step of event time.
type Oversell struct {
	*Model
	open  map[Scope]standing // exceptions
	shown map[place]int64    // what a channel may show at most that is held, to 0, or throttled
	asks  bool               // what opens awaits a person's approval

	guard Guard
	stops map[string]stopping // by channel
	asked []asked

	risks map[Scope]*risk
	lags  map[string][]float64       // seconds, by channel, as they were measured
	told  map[place]inventory.Millis // when a channel was told to show less that has not been seen to
}

// standing is how an exception stands.
type standing int

const (
	none    standing = iota // there is none
	waiting                 // a person has to say yes
	acting
	muted // a person ended it, and its condition has not
)

// Scope is what one exception is about.
type Scope struct {
	SKU      string
	Location string // or inventory.Network
	Channel  string // "": all channels
	Risk     bool   // of an oversell, and not one
}

// place is what one hold or throttle binds.
type place struct{ sku, location, channel string }

// NewOversell returns a partition that has seen nothing.
func NewOversell(c Config) *Oversell {
	return &Oversell{
		Model: New(c), open: map[Scope]standing{}, shown: map[place]int64{}, asks: c.Asks, guard: c.Guard, stops: map[string]stopping{},
		risks: map[Scope]*risk{}, lags: map[string][]float64{}, told: map[place]inventory.Millis{},
	}
}

// Apply takes the next delta of the log, as [Model.Apply] does, and returns what became of it and the
// directives that follow: first from reservations that lapse by its time, then from itself.
func (o *Oversell) Apply(d inventory.Delta, logTime inventory.Millis) (Outcome, *inventory.Invalid, []Directive) {
	outcome, why := o.judge(&d, logTime)
	if outcome != Applied {
		return outcome, why, nil
	}
	var directives []Directive
	o.lapsing = o.lapsesBy(d.Time)
	for more := true; more; {
		risky, wakes := o.nextRisk(d.Time)
		switch {
		case len(o.lapsing) > 0 && (wakes == 0 || o.lapsing[0].due <= wakes):
			lapsed := o.lapsing[0]
			o.minutesBy(lapsed.due)
			o.watermark, o.lapsing = lapsed.due, o.lapsing[1:]
			directives = append(directives, o.look(lapsed.key, inventory.KindNone)...)
		case wakes != 0:
			o.minutesBy(wakes)
			o.watermark = wakes
			directives = append(directives, o.look(risky, inventory.KindNone)...)
		default:
			more = false
		}
	}
	o.minutesBy(d.Time)
	o.accept(&d)
	d = cloned(&d) // what is remembered of risks and lags outlives what was lent
	o.measure(&d)
	return outcome, nil, append(directives, o.look(d.Key(), d.Kind)...)
}

// nextRisk returns the key of which a risk is looked at next, and when, up to time; 0: none is.
func (o *Oversell) nextRisk(time inventory.Millis) (key inventory.Key, at inventory.Millis) {
	for s, k := range o.risks {
		of := inventory.Key{SKU: s.SKU, Location: s.Location}
		if due := inventory.Millis(k.at); due <= time && (at == 0 || due < at ||
			due == at && cmp.Or(strings.Compare(of.SKU, key.SKU), strings.Compare(of.Location, key.Location)) < 0) {
			key, at = of, due
		}
	}
	return key, at
}

// measure takes in how long a channel took to show what it was told, where d tells.
func (o *Oversell) measure(d *inventory.Delta) {
	p := place{d.SKU, d.Location, d.Channel}
	told, waited := o.told[p]
	if d.Kind != inventory.Listing || !waited || d.Time < told || d.Quantity > o.shown[p] {
		return
	}
	delete(o.told, p)
	o.lags[d.Channel] = append(o.lags[d.Channel], float64(min(d.Time-told, inventory.Hour))/float64(inventory.Second))
}

// Decision is what a person decided about an exception.
type Decision struct {
	ID    string
	Scope Scope  // of the exception, if it stands; zero if not, or if it was another that stood there
	Ends  bool   // reject or resolve
	Acts  bool   // approve
	Guard string // the channel, where it is about a guard's incident that stands
}

// Decide takes a person's decision, the next message of the log, and returns what became of it and the directives that
// follow.
func (o *Oversell) Decide(d Decision) (Outcome, []Directive) {
	id := inventory.Delta{Source: "a person", ID: d.ID} // a source of its own, as long as no log has it
	if o.remembers(&id) {
		return Duplicate, nil
	}
	o.accepted[identity{id.Source, id.ID}] = o.watermark
	switch now := o.open[d.Scope]; {
	case d.Guard != "":
		o.decideGuard(d)
	case now != waiting && now != acting:
	case d.Ends:
		o.open[d.Scope] = muted
	case d.Acts:
		o.open[d.Scope] = acting
	}
	return Applied, o.look(inventory.Key{}, inventory.KindNone)
}

// SetPolicy takes a policy under which what opens, risks too, awaits a person's approval, or does not, with a guard; the next message of the log.
func (o *Oversell) SetPolicy(id string, asks bool, guard Guard) Outcome {
	outcome := o.Heed(id)
	if outcome == Applied {
		o.asks, o.guard = asks, guard
		if o.config.Risk != nil {
			o.config.Risk.Asks = asks
		}
	}
	return outcome
}

// Heed takes a message of a person's that changes nothing of what the model knows, the next of the log.
func (o *Oversell) Heed(id string) Outcome {
	d := inventory.Delta{Source: "a person", ID: id}
	if o.remembers(&d) {
		return Duplicate
	}
	o.accepted[identity{d.Source, d.ID}] = o.watermark
	return Applied
}

// Open returns the exceptions that stand, by SKU, location and channel.
func (o *Oversell) Open() []Scope {
	var open []Scope
	for s, how := range o.open {
		if how != muted {
			open = append(open, s)
		}
	}
	slices.SortFunc(open, func(a, b Scope) int {
		return cmp.Or(strings.Compare(a.SKU, b.SKU), strings.Compare(a.Location, b.Location), strings.Compare(a.Channel, b.Channel), cmp.Compare(fmt.Sprint(a.Risk), fmt.Sprint(b.Risk)))
	})
	return open
}

// Availability is the Model's, with the holds in force.
func (o *Oversell) Availability(sku, location string) inventory.Availability {
	a := o.Model.Availability(sku, location)
	for i := range a.Channels {
		most, bound := o.shown[place{sku, location, a.Channels[i].Channel}]
		a.Channels[i].Held = bound && most == 0
		if bound && most > 0 {
			a.Channels[i].Throttled = &most
		}
	}
	return a
}

// Network is the Model's, with the holds in force.
func (o *Oversell) Network(sku string) inventory.SKUAvailability {
	n := o.network(sku, func(channel, location string) bool {
		most, bound := o.shown[place{sku, location, channel}]
		return bound && most == 0
	})
	for i := range n.Locations {
		n.Locations[i] = o.Availability(sku, n.Locations[i].Location)
	}
	return n
}

// lapse is a reservation that ends by itself.
type lapse struct {
	due inventory.Millis
	key inventory.Key
	ref reference
}

// Pending is a reservation that lapses by itself, unless something happens to it before.
type Pending struct {
	Key inventory.Key
	Ref string
	Due inventory.Millis
}

// Pending returns those that have still to lapse, by when they do.
func (o *Model) Pending() (all []Pending) {
	for _, l := range o.lapsesBy(inventory.MillisMax) {
		all = append(all, Pending{l.key, l.ref.ref, l.due})
	}
	return all
}

// lapsesBy returns what lapses after the watermark, up to time: one after another, those of one
// moment by SKU, location and reference.
func (o *Model) lapsesBy(time inventory.Millis) []lapse {
	var lapses []lapse
	for key := range o.log {
		for ref, t := range o.timelines(key) {
			if t.open > 0 && t.due > 0 && t.due <= time {
				lapses = append(lapses, lapse{t.due, key, ref})
			}
		}
	}
	slices.SortFunc(lapses, func(a, b lapse) int {
		return cmp.Or(cmp.Compare(a.due, b.due), strings.Compare(a.key.SKU, b.key.SKU),
			strings.Compare(a.key.Location, b.key.Location), strings.Compare(a.ref.ref, b.ref.ref))
	})
	return lapses
}

// look opens and resolves what is to be, and returns the holds, throttles and releases by
// which what channels may show differs from what it ought to be. Risks are looked at of that key alone, after a delta of that kind.
func (o *Oversell) look(key inventory.Key, kind inventory.Kind) []Directive {
	var directives []Directive
	for _, sku := range slices.Sorted(maps.Keys(o.locations)) {
		n := o.Network(sku)
		o.edges(&n)
		if sku == key.SKU {
			o.risksOf(key, kind)
		}
		wanted := o.wanted(&n)
		for _, p := range places(&n) {
			want, wants := wanted[p]
			most, bound := o.shown[p]
			switch {
			case wants && (!bound || most != want):
				o.tell(p, want)
				o.shown[p] = want
				o.ask(p.channel)
				action := inventory.Throttle
				if want == 0 {
					action = inventory.Hold
				}
				directives = append(directives, Directive{o.watermark, action, p.channel, sku, p.location, want})
			case !wants && bound:
				delete(o.shown, p)
				delete(o.told, p)
				o.ease(p.channel)
				directives = append(directives, Directive{o.watermark, inventory.Unhold, p.channel, sku, p.location, o.sellable(p)})
			}
		}
	}
	return directives
}

// tell notes that a channel is told to show so much at most, if that is less than it was and than it does anyway.
func (o *Oversell) tell(p place, most int64) {
	before, bound := o.shown[p]
	lowers := !bound || most < before
	for _, c := range o.Availability(p.sku, p.location).Channels {
		if c.Channel == p.channel && c.Listed != nil && *c.Listed <= most {
			lowers = false
		}
	}
	delete(o.told, p)
	if lowers && p.location != inventory.Network {
		o.told[p] = o.watermark
	}
}

// edges opens and resolves the exceptions of one SKU.
func (o *Oversell) edges(n *inventory.SKUAvailability) {
	var all []int64
	for _, a := range n.Locations {
		own := Scope{SKU: n.SKU, Location: a.Location}
		o.edge(own, a.ATP, names(a.Channels))
		if o.open[own] == none {
			for _, c := range a.Channels {
				o.edge(Scope{SKU: n.SKU, Location: a.Location, Channel: c.Channel}, c.ATP, []string{c.Channel})
			}
		}
		all = append(all, a.ATP)
	}
	var everywhere []string
	for _, c := range n.Channels {
		everywhere = append(everywhere, c.Channel)
	}
	if len(n.Locations) >= 2 { // a single location is its own network
		o.edge(Scope{SKU: n.SKU, Location: inventory.Network}, sum(all), everywhere)
	}
}

func names(channels []inventory.ChannelAvailability) (all []string) {
	for _, c := range channels {
		all = append(all, c.Channel)
	}
	return all
}

// edge opens an exception, which concerns those channels, below zero and resolves it at one or more; in between it stays as it is.
func (o *Oversell) edge(s Scope, atp int64, channels []string) {
	switch {
	case atp < 0 && o.open[s] == none && o.asks:
		o.open[s] = waiting
	case atp < 0 && o.open[s] == none && !o.mayAct(channels):
		o.open[s] = waiting
	case atp < 0 && o.open[s] == none:
		o.open[s] = acting
	case atp >= 1:
		delete(o.open, s)
	}
}

// wanted is what the open exceptions let be shown at most, by place of the SKU.
func (o *Oversell) wanted(n *inventory.SKUAvailability) map[place]int64 {
	wanted := map[place]int64{}
	for _, a := range n.Locations {
		for _, c := range a.Channels {
			s := Scope{SKU: n.SKU, Location: a.Location, Channel: c.Channel, Risk: true}
			if o.open[s] == acting {
				wanted[place{n.SKU, a.Location, c.Channel}] = o.risks[s].most
			}
			if o.open[Scope{SKU: n.SKU, Location: a.Location}] == acting || o.open[Scope{SKU: n.SKU, Location: a.Location, Channel: c.Channel}] == acting {
				wanted[place{n.SKU, a.Location, c.Channel}] = 0
			}
			if o.open[Scope{SKU: n.SKU, Location: inventory.Network}] == acting {
				wanted[place{n.SKU, inventory.Network, c.Channel}] = 0
			}
		}
	}
	return wanted
}

// places is every place of the SKU that could be held: locations first, then the network.
func places(n *inventory.SKUAvailability) []place {
	var all []place
	for _, a := range n.Locations {
		for _, c := range a.Channels {
			all = append(all, place{n.SKU, a.Location, c.Channel})
		}
	}
	for _, c := range n.Channels {
		all = append(all, place{n.SKU, inventory.Network, c.Channel})
	}
	return all
}

// sellable is what a released channel may show again.
func (o *Oversell) sellable(p place) int64 {
	if p.location == inventory.Network {
		for _, c := range o.Network(p.sku).Channels {
			if c.Channel == p.channel {
				return c.ATP
			}
		}
		return 0
	}
	for _, c := range o.Availability(p.sku, p.location).Channels {
		if c.Channel == p.channel {
			return max(0, c.ATP)
		}
	}
	return 0
}
