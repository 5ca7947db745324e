package detectors

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// listingGrace is how long a channel may show more than it may sell: its own processing, and the way there. [A]
const listingGrace = 15 * inventory.Minute

const staleRule = "raise where a channel has shown more than it may sell for 15 min, its own sales since taken off; clear when it no longer does"

// staleListing: a channel shows more than it may sell, and has done so for longer than it needs to take in what it was told: what is
// listed is stale, or a command was not followed. One exception a channel. Looked at whenever the view says that some channel shows
// more than it may sell, which whatever changes stock or a hold may bring about, and when the grace is over.
func staleListing() Detector {
	return Detector{inventory.StaleListing, 0, lookStale, describeStale}
}

func lookStale(v *View, found []Finding) []Finding {
	v.NoteListings()
	if v.Traces == nil || len(v.Traces.stale) == 0 {
		return found
	}
	v.Traces.stale = slices.DeleteFunc(v.Traces.stale, func(s stale) bool {
		c := v.channel(s.channel)
		scope := Scope{Class: inventory.StaleListing, Channel: s.channel}
		ended := c.Shown <= c.allowed()
		if ended && s.at == 0 {
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		}
		return ended
	})
	for i := range v.Traces.stale {
		if s := &v.Traces.stale[i]; s.at != 0 && v.Now >= s.at {
			s.at = 0
			found = append(found, Finding{Scope: Scope{Class: inventory.StaleListing, Channel: s.channel}, Edge: Raise, Confidence: 1})
		}
	}
	return found
}

// NoteListings notes since when channels show too much: at every look, and again where commands followed from it.
func (v *View) NoteListings() {
	for i := range v.Channels {
		if c := &v.Channels[i]; c.Shown > c.allowed() {
			v.noteStale(c)
		}
	}
}

// allowed returns what the channel may show.
func (c *Channel) allowed() int64 {
	return min(max(c.ATP, 0), c.Limit)
}

func (v *View) noteStale(c *Channel) {
	t := v.trace()
	for i := range t.stale {
		if t.stale[i].channel == c.Name {
			return
		}
	}
	t.stale = append(t.stale, stale{strings.Clone(c.Name), v.Now, v.Now + listingGrace})
}

func describeStale(v *View, f *Finding) Description {
	c := v.channel(f.Channel)
	excess := c.Shown - c.allowed()
	d := Description{Rule: staleRule, Evidence: map[string]any{
		"channel": f.Channel, "shown": c.Shown, "may_sell": c.allowed(), "held": c.Limit == 0, "channel_atp": c.ATP, "price": v.Price,
	}}
	if f.Edge == Clear {
		d.Reason = fmt.Sprintf("%s shows no more of %s at %s than it may sell: %d of %d.", c.Name, v.SKU, v.Location, c.Shown, c.allowed())
		return d
	}
	since := v.Now
	for _, s := range v.Traces.stale {
		if s.channel == c.Name {
			since = s.since
		}
	}
	d.Evidence["since_event_time"] = since.String()
	d.Exposure = worth(excess, v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	why := fmt.Sprintf("it may sell %d", c.allowed())
	action := inventory.Recommendation{Action: "throttle", Channel: c.Name, Quantity: c.allowed(), Why: "what it shows beyond that, it may sell too often"}
	if c.allowed() == 0 {
		why = "it may sell none"
		action = inventory.Recommendation{Action: "hold", Channel: c.Name, Why: "every order for it will have to be cancelled"}
	}
	if c.Limit == 0 {
		why = "it is held"
	}
	d.Reason = fmt.Sprintf("%s has shown more of %s at %s than it may sell since %s: %s, where %s.",
		c.Name, v.SKU, v.Location, clock(since), units(c.Shown), why)
	d.Recommendations = []inventory.Recommendation{action,
		{Action: "escalate", Channel: c.Name, Why: "send the quantity again, and ask the channel if it is still not taken in"}}
	return d
}
