package detectors

import (
	"fmt"
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Alarm is when phantom inventory is raised and cleared, as probabilities that
// nothing is to be found. Raise follows from costs: m/(m+C) for a margin m and a cancellation's cost C.
type Alarm struct{ Raise, Clear float64 }

// phantom: the record says that there is stock to promise, and nobody can find it.
// The filter is [Belief]. Looked at after every delta that bears on the belief, and
// when silence alone would reach the alarm.
func phantom() Detector {
	rises := KindsOf(inventory.PickFailed, inventory.Substitute, inventory.Adjust)
	return Detector{inventory.PhantomInventory, rises, lookPhantom, describePhantom}
}

func lookPhantom(v *View, found []Finding) []Finding {
	scope := Scope{Class: inventory.PhantomInventory}
	if v.IsOpen(scope) {
		if v.OnHand <= 0 || v.Belief.Probability(v) <= v.Alarm.Clear {
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1 - v.Belief.Probability(v)})
		}
		return found
	}
	if v.OnHand <= 0 || v.ATP() <= 0 {
		return found
	}
	if p := v.Belief.Probability(v); p >= v.Alarm.Raise {
		found = append(found, Finding{Scope: scope, Edge: Raise, Confidence: p})
	}
	return found
}

func describePhantom(v *View, f *Finding) Description {
	b := v.Belief
	q := b.quiet(v)
	silent := b.silence(v)
	expected := q.rate * silent
	p := b.Probability(v)
	// What may have vanished since stock was last seen, in view of the silence since then.
	vanished := b.logOdds(v) - logit(b.prior) - b.silenceOdds(v) - b.evidence
	d := Description{
		Rule: fmt.Sprintf("raise at P(phantom) ≥ %g, clear at ≤ %g", v.Alarm.Raise, v.Alarm.Clear),
		Evidence: map[string]any{
			"on_hand":               v.OnHand,
			"atp":                   v.ATP(),
			"price":                 v.Price,
			"probability":           Round4(p),
			"prior":                 Round4(b.prior),
			"hours_silent":          Round4(silent),
			"expected_sales":        Round4(expected),
			"rate_per_day":          Round4(q.rate * 24),
			"rate_shape":            Round4(q.spread(silent)),
			"demand_events":         Round4(b.events),
			"log_odds_silence":      Round4(b.silenceOdds(v)),
			"log_odds_picks":        Round4(b.evidence),
			"log_odds_vanished":     Round4(vanished),
			"empty_picks":           b.emptyPicks,
			"location_empty_rate":   Round4(v.Feed.emptyRate()),
			"last_proof_event_time": b.provedAt.String(),
		},
	}
	// What is at stake: the orders that a week's demand would put on stock that is not there.
	week := int64(math.Ceil(q.rate * 7 * 24))
	d.Exposure = worth(min(v.ATP(), max(week, 1)), v.Price)
	d.Severity = severity(d.Exposure, p)
	if f.Edge == Clear {
		d.Reason = clearSentence(v, p)
		return d
	}
	d.Reason = phantomSentence(v, silent, expected, p)
	d.Recommendations = []inventory.Recommendation{
		{Action: "hold", Why: "orders for stock that cannot be found end in cancellations"},
		{Action: "count", Quantity: v.OnHand, Why: "only a count tells what is there"},
	}
	return d
}

func phantomSentence(v *View, silent, expected, p float64) string {
	why := ""
	if expected >= 0.5 {
		why = fmt.Sprintf("no sale in %s, where %.1f were expected", span(silent), expected)
	}
	if n := v.Belief.emptyPicks; n > 0 {
		if why != "" {
			why += ", and "
		}
		why += fmt.Sprintf("%d of its picks came up empty", n)
		if n == 1 {
			why = why[:len(why)-len("1 of its picks came up empty")] + "a pick came up empty"
		}
	}
	if why == "" {
		why = "orders for it were filled with something else, or its record was corrected downwards"
	}
	return fmt.Sprintf("%s records %s of %s that are probably not there (%.0f %%): %s.",
		v.Location, units(v.OnHand), v.SKU, p*100, why)
}

func clearSentence(v *View, p float64) string {
	if v.OnHand <= 0 {
		return fmt.Sprintf("%s no longer records any %s.", v.Location, v.SKU)
	}
	return fmt.Sprintf("The %s of %s at %s were found after all (%.0f %% in doubt): %s to promise.",
		units(v.OnHand), v.SKU, v.Location, p*100, units(max(v.ATP(), 0)))
}

func span(hours float64) string {
	if math.Round(hours) == 1 {
		return "an hour of trade"
	}
	if hours < 48 {
		return fmt.Sprintf("%.0f hours of trade", hours)
	}
	return fmt.Sprintf("%.1f days of trade", hours/24)
}
