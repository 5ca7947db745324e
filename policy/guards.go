package policy

import (
	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Guards bound what may be done by policy alone on any one channel. Where a bound is reached acting stops there: what opens awaits a
// person's approval, and an incident says so.
type Guards struct {
	Owner string           // the role that answers for the incident
	SLA   inventory.Millis // by when it should have dealt with it

	usual    Guard
	channels map[string]Guard
}

// Guard is the bounds of one channel.
type Guard struct {
	Commands int64   // holds and throttles within a minute of event time, over all partitions; 0: no bound
	Share    float64 // of the channel's listings, SKU by location, that may be held at once, from 0 to 1; 0: no bound
	From     int64   // listings held, over all partitions, below which the share is not looked at
}

// Guards returns the policy's guards.
func (p *Policy) Guards() Guards { return p.guards }

// Of returns the bounds of a channel in one of so many partitions; 0 counts as one. SKUs are spread over partitions
// by a hash of their names, so each partition has an equal part of what is counted. That is rounded up, and a share is the same in
// each: no partition has to know of another, and a replay decides alike.
func (g *Guards) Of(channel string, partitions int) Guard {
	b, own := g.channels[channel]
	if !own {
		b = g.usual
	}
	n := int64(max(partitions, 1))
	b.Commands = (b.Commands + n - 1) / n
	b.From = (b.From + n - 1) / n
	return b
}

// The bounds of a policy that says nothing of guards. Only a mistake brings them about: no channel takes so many commands, and no
// retailer means half of a catalogue of that size to be held.
const (
	usualCommands = 120_000
	usualShare    = 0.5
	usualFrom     = 120_000
	usualSLA      = 15 * inventory.Minute
)

// usualGuards are those of a policy that says nothing of guards.
func usualGuards() Guards {
	return Guards{Owner: fallback().Owner, SLA: usualSLA, usual: Guard{usualCommands, usualShare, usualFrom}}
}

// countMax bounds what a guard counts.
const countMax = 1_000_000_000

// guards reads what bounds acting; "none" for no bounds.
func (r *reader) guards(n *yaml.Node) Guards {
	if n.Kind == yaml.ScalarNode && n.Value == "none" {
		return Guards{}
	}
	g := usualGuards()
	known := r.bounds(&g.usual)
	var channels *yaml.Node // read once the usual bounds are known
	known["owner"] = func(v *yaml.Node) { g.Owner = r.name(v, "owner") }
	known["sla"] = func(v *yaml.Node) { g.SLA = r.duration(v, "sla", inventory.Minute) }
	known["channels"] = func(v *yaml.Node) { channels = v }
	r.mapping(n, "guards (none, for no bounds)", known)
	if channels != nil {
		g.channels = map[string]Guard{}
		r.named(channels, "channels", func(key, v *yaml.Node) {
			own := g.usual
			r.mapping(v, "a channel's guard", r.bounds(&own))
			g.channels[r.name(key, "a channel")] = own
		})
	}
	return g
}

// bounds are the fields of a guard.
func (r *reader) bounds(g *Guard) fields {
	return fields{
		"commands_per_minute": func(v *yaml.Node) { g.Commands = r.whole(v, "commands_per_minute", 1, countMax) },
		"held_share": func(v *yaml.Node) {
			if g.Share = r.share(v, "held_share"); g.Share == 0 {
				r.fail(v, "held_share is above 0; 1 is no bound")
			}
		},
		"held_from": func(v *yaml.Node) { g.From = r.whole(v, "held_from", 0, countMax) },
	}
}
