package oracle

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Directive is a hold or a release: what a command says, without the paper around it.
type Directive struct {
	At       inventory.Millis // event time
	Action   inventory.Action
	Channel  string
	SKU      string
	Location string // or inventory.Network
	Sellable int64  // of a release
}

// Oversell is a Model with the oversell detector on it. It looks at every scope of every SKU
// after each step of event time.
type Oversell struct {
	*Model
	open map[Scope]standing // exceptions
	held map[place]bool     // holds in force
	asks bool               // what opens awaits a person's approval

	guard Guard
	stops map[string]stopping // by channel
	asked []asked
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
}

// place is what one hold binds.
type place struct{ sku, location, channel string }

// NewOversell returns a partition that has seen nothing.
func NewOversell(c Config) *Oversell {
	return &Oversell{Model: New(c), open: map[Scope]standing{}, held: map[place]bool{}, asks: c.Asks, guard: c.Guard, stops: map[string]stopping{}}
}

// Apply takes the next delta of the log, as [Model.Apply] does, and returns what became of it and the
// directives that follow: first from reservations that lapse by its time, then from itself.
func (o *Oversell) Apply(d inventory.Delta, logTime inventory.Millis) (Outcome, *inventory.Invalid, []Directive) {
	outcome, why := o.judge(&d, logTime)
	if outcome != Applied {
		return outcome, why, nil
	}
	var directives []Directive
	for o.lapsing = o.lapsesBy(d.Time); len(o.lapsing) > 0; {
		o.minutesBy(o.lapsing[0].due)
		o.watermark = o.lapsing[0].due
		o.lapsing = o.lapsing[1:]
		directives = append(directives, o.look()...)
	}
	o.minutesBy(d.Time)
	o.accept(&d)
	return outcome, nil, append(directives, o.look()...)
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
	return Applied, o.look()
}

// SetPolicy takes a policy under which what opens awaits a person's approval, or does not, with a guard; the next message of the log.
func (o *Oversell) SetPolicy(id string, asks bool, guard Guard) Outcome {
	d := inventory.Delta{Source: "a person", ID: id}
	if o.remembers(&d) {
		return Duplicate
	}
	o.accepted[identity{d.Source, d.ID}] = o.watermark
	o.asks, o.guard = asks, guard
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
		return cmp.Or(strings.Compare(a.SKU, b.SKU), strings.Compare(a.Location, b.Location), strings.Compare(a.Channel, b.Channel))
	})
	return open
}

// Availability is the Model's, with the holds in force.
func (o *Oversell) Availability(sku, location string) inventory.Availability {
	a := o.Model.Availability(sku, location)
	for i := range a.Channels {
		a.Channels[i].Held = o.held[place{sku, location, a.Channels[i].Channel}]
	}
	return a
}

// Network is the Model's, with the holds in force.
func (o *Oversell) Network(sku string) inventory.SKUAvailability {
	return o.network(sku, func(channel, location string) bool { return o.held[place{sku, location, channel}] })
}

// lapse is a reservation that ends by itself.
type lapse struct {
	due inventory.Millis
	key inventory.Key
	ref reference
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

// look opens and resolves what is to be, and returns the holds and releases by
// which what is held differs from what ought to be.
func (o *Oversell) look() []Directive {
	var directives []Directive
	for _, sku := range slices.Sorted(maps.Keys(o.locations)) {
		n := o.Network(sku)
		o.edges(&n)
		wanted := o.wanted(&n)
		for _, p := range places(&n) {
			switch {
			case wanted[p] && !o.held[p]:
				o.held[p] = true
				o.ask(p.channel)
				directives = append(directives, Directive{o.watermark, inventory.Hold, p.channel, sku, p.location, 0})
			case !wanted[p] && o.held[p]:
				delete(o.held, p)
				o.ease(p.channel)
				directives = append(directives, Directive{o.watermark, inventory.Unhold, p.channel, sku, p.location, o.sellable(p)})
			}
		}
	}
	return directives
}

// edges opens and resolves the exceptions of one SKU.
func (o *Oversell) edges(n *inventory.SKUAvailability) {
	var all []int64
	for _, a := range n.Locations {
		own := Scope{n.SKU, a.Location, ""}
		o.edge(own, a.ATP, names(a.Channels))
		if o.open[own] == none {
			for _, c := range a.Channels {
				o.edge(Scope{n.SKU, a.Location, c.Channel}, c.ATP, []string{c.Channel})
			}
		}
		all = append(all, a.ATP)
	}
	var everywhere []string
	for _, c := range n.Channels {
		everywhere = append(everywhere, c.Channel)
	}
	if len(n.Locations) >= 2 { // a single location is its own network
		o.edge(Scope{n.SKU, inventory.Network, ""}, sum(all), everywhere)
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

// wanted is every place of the SKU at which an open exception wants a hold.
func (o *Oversell) wanted(n *inventory.SKUAvailability) map[place]bool {
	wanted := map[place]bool{}
	for _, a := range n.Locations {
		for _, c := range a.Channels {
			if o.open[Scope{n.SKU, a.Location, ""}] == acting || o.open[Scope{n.SKU, a.Location, c.Channel}] == acting {
				wanted[place{n.SKU, a.Location, c.Channel}] = true
			}
			if o.open[Scope{n.SKU, inventory.Network, ""}] == acting {
				wanted[place{n.SKU, inventory.Network, c.Channel}] = true
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
