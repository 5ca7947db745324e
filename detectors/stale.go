package detectors

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// listingGrace is how long a channel may show more than it may sell that was told otherwise, or says so now though no demand of late
// explains it: its own processing, and the way there. Where stock fell since it listed, it may be the turn of its next feed: it has
// as long as its feeds take ([Place] learns that). [A]
const listingGrace = 15 * inventory.Minute

// listingExcess is the share of what a channel may sell by which it has to show more, 1/listingExcess, for that to matter: a unit too
// many among forty is gone with the next listing, long before anybody could buy it. [A]
const listingExcess = 4

func staleRule(l *Limits) string {
	return fmt.Sprintf("raise where a channel has shown %g %% more than it may sell, its own sales taken off, for longer than its feeds take (mean and three standard deviations), "+
		"or for %s where it is held or its listing was wrong from the start; clear when it shows no more than that", 100*l.StaleExcess, lasts(l.StaleGrace))
}

// staleListing: a channel shows a good deal more than it may sell, and has done so for longer than it needs to take in what it was told: what is
// listed is stale, or a command was not followed. One exception a channel. Looked at whenever the view says that some channel shows
// more than it may sell, which whatever changes stock or a hold may bring about, and when the grace is over.
func staleListing() Detector {
	return Detector{inventory.StaleListing, 0, lookStale, describeStale}
}

func lookStale(v *View, found []Finding) []Finding {
	v.followed()
	v.NoteListings()
	if v.Traces == nil || len(v.Traces.stale) == 0 {
		return found
	}
	v.Traces.stale = slices.DeleteFunc(v.Traces.stale, func(s stale) bool {
		c := v.channel(s.channel)
		scope := Scope{Class: inventory.StaleListing, Channel: s.channel}
		ended := c.Shown <= c.allowed() || s.at != 0 && !v.overshown(&c)
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

// followed learns from a listing that came while the channel showed too much how long its feeds take. What it still shows too much
// has happened since it was sent.
func (v *View) followed() {
	d := v.Delta
	if d == nil || d.Kind != inventory.Listing || v.Traces == nil {
		return
	}
	for i := range v.Traces.stale {
		if s := &v.Traces.stale[i]; s.channel == d.Channel {
			v.Place.follows(s.channel, v.Now-s.since)
			s.since = v.Now
			if s.at != 0 {
				s.at = inventory.MillisMax // until it is noted again, or ends
			}
		}
	}
}

// NoteListings notes since when channels show too much: at every look, and again where commands followed from it.
func (v *View) NoteListings() {
	for i := range v.Channels {
		if c := &v.Channels[i]; v.overshown(c) {
			v.noteStale(c)
		}
	}
}

// allowed returns what the channel may show.
func (c *Channel) allowed() int64 {
	return min(max(c.ATP, 0), c.Limit)
}

// overshown reports whether the channel shows so much more than it may that it matters. What is on its way here may have come without a word yet,
// and be shown rightly, unless the channel is held.
func (v *View) overshown(c *Channel) bool {
	excess := c.Shown - c.allowed()
	if c.Limit > 0 {
		excess -= v.InTransit
	}
	return excess > 0 && excess > part(c.allowed()-1, v.On(c.Name).StaleExcess)
}

func (v *View) noteStale(c *Channel) {
	t := v.trace()
	at := v.Now + v.On(c.Name).StaleGrace
	if d := v.Delta; c.Limit > 0 && (d == nil || d.Kind != inventory.Listing || d.Channel != c.Name || c.Shown-c.allowed() <= v.Past.LastHour().Sum) {
		at = v.Now + v.Place.patience(c.Name)
	}
	for i := range t.stale {
		if s := &t.stale[i]; s.channel == c.Name {
			if s.at != 0 {
				s.at = min(s.at, at)
			}
			return
		}
	}
	t.stale = append(t.stale, stale{strings.Clone(c.Name), v.Now, at})
}

func describeStale(v *View, f *Finding) Description {
	c := v.channel(f.Channel)
	excess := c.Shown - c.allowed()
	d := Description{Rule: staleRule(v.On(f.Channel)), Evidence: map[string]any{
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
