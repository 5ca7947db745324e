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

	// tickSure is how surely a feed is down whose ticks are missing. [A]
	tickSure = 0.95
)

func silenceRule(l *Limits) string {
	return fmt.Sprintf("raise after %s or more in which %g or more moments with a sale were to be expected by the feed's own rhythm, of %g or more seen, "+
		"or in which two of its ticks are missing (and three standard deviations, and 15m), of 10 or more seen; clear when it is heard again",
		lasts(l.SilentLeast), l.SilentEvents, l.SilentKnown)
}

// feedStale: the source of a location's sales is silent against its own rhythm by hour of the week, or against that in which it says that it
// is alive, and vouches for nothing. The exception
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
		confidence := 1 - exp(-v.Feed.missing(v.Vouched, v.Now))
		if v.ticksMissing() {
			confidence = max(confidence, tickSure)
		}
		found = append(found, Finding{Scope: Scope{Class: inventory.FeedStale, Of: strings.Clone(v.Feed.Source)}, Edge: Raise, Confidence: confidence})
	}
	return found
}

// ticksMissing reports whether who vouches for the feed is silent against its own rhythm.
func (v *View) ticksMissing() bool {
	return v.Vouched.Silence > 0 && v.Now >= max(v.Feed.at, v.Vouched.Until)+max(v.Vouched.Silence, v.limits().SilentLeast)
}

// silentAt returns from when on the feed is stale, if nothing is heard from it and nobody vouches for more; 0: not enough is known of its rhythm.
func (f *Feed) silentAt(l *Limits, vouched Vouched) (at inventory.Millis) {
	if f.at == 0 {
		return 0
	}
	heard := max(f.at, vouched.Until)
	if f.hours >= rateHoursMin && f.events >= l.SilentKnown {
		in := f.After(float64(l.SilentEvents*f.hours)/f.events, week)
		at = heard + max(in, l.SilentLeast)
	}
	if vouched.Silence > 0 && vouched.Until > 0 {
		at = sooner(at, heard+max(vouched.Silence, l.SilentLeast))
	}
	return at
}

// missing returns how many moments with a sale were to be expected since the feed was heard.
func (f *Feed) missing(vouched Vouched, now inventory.Millis) float64 {
	heard := max(f.at, vouched.Until)
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
			"heard_event_time": max(v.Feed.at, v.Vouched.Until).String(),
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
	heard := clock(max(v.Feed.at, v.Vouched.Until))
	if missing < v.limits().SilentEvents && v.ticksMissing() {
		d.Reason = fmt.Sprintf("Nothing is heard of the sales at %s from %s since %s, which says more often than that that it is alive.", v.Location, f.Of, heard)
	} else {
		d.Reason = fmt.Sprintf("Nothing is heard of the sales at %s from %s since %s, where %.0f were to be expected.", v.Location, f.Of, heard, missing)
	}
	d.Recommendations = []inventory.Recommendation{
		{Action: "escalate", Why: "look at the feed: what it sells meanwhile is not taken off the stock"},
	}
	return d
}
