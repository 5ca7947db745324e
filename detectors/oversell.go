package detectors

import (
	"fmt"
	"math"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// clearAt is the ATP at which an oversell ends: one unit that can be sold again.
// Raised below 0, cleared at 1: at 0 nothing changes (hysteresis).
const clearAt = 1

// oversell: more was promised than there is, at a location, in a channel's share of
// it, or in the whole network. Looked at after every delta that changes a
// quantity, a ring-fence or a channel.
func oversell() Detector {
	return Detector{inventory.Oversell, AnyKind, lookOversell, describeOversell}
}

func lookOversell(v *View, found []Finding) []Finding {
	atp := v.ATP()
	location := Scope{Class: inventory.Oversell}
	anyOpen := len(v.Open) > 0 // nearly never
	clearAt := int64(math.MaxInt64)
	if anyOpen {
		clearAt = int64(v.limits().OversellClear)
	}
	short := anyOpen && v.IsOpen(location)
	switch {
	case !short && atp < 0:
		found = append(found, Finding{Scope: location, Edge: Raise, Confidence: 1})
		short = true
	case short && atp >= clearAt:
		found = append(found, Finding{Scope: location, Edge: Clear, Confidence: 1})
		short = false
	}
	for i := range v.Channels {
		c := &v.Channels[i]
		if !anyOpen && (short || c.ATP >= 0) {
			continue
		}
		share := Scope{Class: inventory.Oversell, Channel: c.Name}
		switch open := v.IsOpen(share); {
		case open && c.ATP >= clearAt:
			found = append(found, Finding{Scope: share, Edge: Clear, Confidence: 1})
		// While the location itself is short, its exception speaks for every channel.
		case !open && !short && atp >= 0 && c.ATP < 0:
			found = append(found, Finding{Scope: share, Edge: Raise, Confidence: 1})
		}
	}
	if !anyOpen && v.Network.Sum >= 0 {
		return found
	}
	// A single location is its own network.
	network := Scope{Class: inventory.Oversell, Network: true}
	switch open := v.IsOpen(network); {
	case !open && v.Network.Locations >= 2 && v.Network.Sum < 0:
		found = append(found, Finding{Scope: network, Edge: Raise, Confidence: 1})
	case open && v.Network.Sum >= clearAt:
		found = append(found, Finding{Scope: network, Edge: Clear, Confidence: 1})
	}
	return found
}

func describeOversell(v *View, f *Finding) Description {
	atp := v.ATP()
	d := Description{
		Rule: fmt.Sprintf("raise at ATP < 0, clear at ATP ≥ %g", v.limits().OversellClear),
		Evidence: map[string]any{
			"on_hand":     v.OnHand,
			"unavailable": v.Unavailable,
			"reserved":    v.Reserved,
			"safety":      v.Safety,
			"atp":         atp,
			"price":       v.Price,
		},
	}
	short := -atp
	switch {
	case f.Network:
		short = -v.Network.Sum
		d.Evidence["network_sum"] = v.Network.Sum
		d.Evidence["network_atp"] = v.Network.ATP
		d.Evidence["locations"] = v.Network.Locations
		d.Reason = networkSentence(v, f, short)
	case f.Channel != "":
		c := v.channel(f.Channel)
		short = -c.ATP
		others := atp - c.ATP
		d.Evidence["channel_atp"] = c.ATP
		d.Evidence["fenced_for_others"] = others
		d.Reason = shareSentence(v, f, c, others)
	default:
		d.Reason = locationSentence(v, f, short)
	}
	d.Exposure = worth(short, v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	if f.Edge == Raise {
		d.Recommendations = oversellAdvice(v, f, short)
	}
	return d
}

func oversellAdvice(v *View, f *Finding, short int64) []inventory.Recommendation {
	advice := []inventory.Recommendation{
		{Action: "hold", Channel: f.Channel, Why: "every further order adds to the shortfall"},
	}
	if !f.Network && v.Network.Sum >= 0 && v.Network.Locations >= 2 {
		advice = append(advice, inventory.Recommendation{
			Action: "transfer", Quantity: short,
			Why: fmt.Sprintf("other locations of the SKU have %d to promise", v.Network.ATP),
		})
	} else {
		advice = append(advice, inventory.Recommendation{
			Action: "replenish", Quantity: short, Why: "no location of the SKU can cover the shortfall",
		})
	}
	return append(advice, inventory.Recommendation{
		Action: "count", Why: "a count settles whether the record or the promises are wrong",
	})
}

func locationSentence(v *View, f *Finding, short int64) string {
	if f.Edge == Clear {
		return fmt.Sprintf("%s has %s of %s to promise again: %s.", v.Location, units(v.ATP()), v.SKU, v.makeUp())
	}
	return fmt.Sprintf("%s has promised %s more of %s than it has: %s.", v.Location, units(short), v.SKU, v.makeUp())
}

func shareSentence(v *View, f *Finding, c Channel, others int64) string {
	if f.Edge == Clear {
		return fmt.Sprintf("%s may sell %s of %s at %s again, beside the %d kept for other channels.",
			c.Name, units(c.ATP), v.SKU, v.Location, others)
	}
	return fmt.Sprintf("%s is %s of %s over its share at %s: ATP there is %d, of which %d is kept for other channels.",
		c.Name, units(-c.ATP), v.SKU, v.Location, v.ATP(), others)
}

func networkSentence(v *View, f *Finding, short int64) string {
	if f.Edge == Clear {
		return fmt.Sprintf("The network has %s of %s to promise again over %d locations.",
			units(v.Network.Sum), v.SKU, v.Network.Locations)
	}
	return fmt.Sprintf("All %d locations of %s together have promised %s more than they have; none can cover for another.",
		v.Network.Locations, v.SKU, units(short))
}

// makeUp says what ATP is made of: "5 on hand, 2 unavailable, 6 reserved (ATP −3)".
func (v *View) makeUp() string {
	parts := []string{fmt.Sprintf("%d on hand", v.OnHand)}
	for _, p := range []struct {
		units int64
		what  string
	}{{v.Unavailable, "unavailable"}, {v.Reserved, "reserved"}, {v.Safety, "safety stock"}} {
		if p.units != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.units, p.what))
		}
	}
	return fmt.Sprintf("%s (ATP %d)", strings.Join(parts, ", "), v.ATP())
}

func (v *View) channel(name string) Channel {
	for i := range v.Channels {
		if v.Channels[i].Name == name {
			return v.Channels[i]
		}
	}
	return Channel{Name: name}
}

func units(n int64) string {
	if n == 1 {
		return "1 unit"
	}
	return fmt.Sprintf("%d units", n)
}
