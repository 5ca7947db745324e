package detectors

import (
	"fmt"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// silentEvents is how many moments with a sale must be missing before a feed is called stale, silentLeast how long it must have
	// been silent, and silentKnown how many such moments its rhythm must be learned from. [A] Each partition sees only its own SKUs'
	// sales: one that sees few of a location's says nothing, rather than guess.
	silentEvents = 12
	silentLeast  = 30 * inventory.Minute
	silentKnown  = 50
)

func silenceRule(l *Limits) string {
	return fmt.Sprintf("raise after %s or more in which %g or more moments with a sale were to be expected by the feed's own rhythm, of %g or more seen; "+
		"clear when it is heard again", lasts(l.SilentLeast), l.SilentEvents, l.SilentKnown)
}

// feedStale: the source of a location's sales is silent against its own rhythm by hour of the week, and vouches for nothing. The exception
// is the location's, with SKU "*". Every partition judges by what it saw itself, so that several may tell of one feed. Looked at when
// silence alone comes to that, and when the feed is heard again. What silence says of stock stands still meanwhile: the
// location's clock does (see [Feed]).
func feedStale() Detector {
	return Detector{inventory.FeedStale, 0, lookSilence, describeSilence}
}

func lookSilence(v *View, found []Finding) []Finding {
	at := v.Feed.silentAt(v.limits(), v.Vouched)
	silent := at > 0 && v.Now >= at
	if v.Place.silent {
		for i := range v.Open {
			if scope := v.Open[i]; scope.Class == inventory.FeedStale && (!silent || scope.Of != v.Feed.Source) {
				v.Place.silent = false
				return append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
			}
		}
		return found
	}
	if silent {
		v.Place.silent = true
		missing := v.Feed.missing(v.Vouched, v.Now)
		found = append(found, Finding{Scope: Scope{Class: inventory.FeedStale, Of: strings.Clone(v.Feed.Source)}, Edge: Raise, Confidence: 1 - exp(-missing)})
	}
	return found
}

// silentAt returns from when on the feed is stale, if nothing is heard from it and nobody vouches for more; 0: not enough is known of its rhythm.
func (f *Feed) silentAt(l *Limits, vouched inventory.Millis) inventory.Millis {
	if f.at == 0 || f.hours < rateHoursMin || f.events < l.SilentKnown {
		return 0
	}
	in := f.After(float64(l.SilentEvents*f.hours)/f.events, week)
	return max(f.at, vouched) + max(in, l.SilentLeast)
}

// missing returns how many moments with a sale were to be expected since the feed was heard.
func (f *Feed) missing(vouched, now inventory.Millis) float64 {
	heard := max(f.at, vouched)
	if now <= heard {
		return 0
	}
	return float64(f.warp(heard, now)*f.events) / f.hours
}

func describeSilence(v *View, f *Finding) Description {
	missing := v.Feed.missing(v.Vouched, v.Now)
	d := Description{
		Rule: silenceRule(v.limits()),
		Evidence: map[string]any{
			"source":           f.Of,
			"heard_event_time": v.Feed.at.String(),
			"expected_sales":   Round4(missing),
			"rate_per_hour":    Round4(v.Feed.events / v.Feed.hours),
		},
	}
	if f.Edge == Clear {
		d.Reason = fmt.Sprintf("%s is heard from %s again.", f.Of, v.Location)
		return d
	}
	d.Exposure = worth(int64(missing), v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	d.Reason = fmt.Sprintf("Nothing is heard of the sales at %s from %s since %s, where %.0f were to be expected.",
		v.Location, f.Of, clock(v.Feed.at), missing)
	d.Recommendations = []inventory.Recommendation{
		{Action: "escalate", Why: "look at the feed: what it sells meanwhile is not taken off the stock"},
	}
	return d
}
