package detectors

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// returnRate and returnTrials are what is held to be usual at a location before anything is known of it, returnStrength how
	// many sales its rate counts as for one of its keys. [A]
	returnRate     = 0.05
	returnTrials   = 100
	returnStrength = 50

	// returnsLeast is how many returns make a story, returnTimes how many times the usual rate.
	returnsLeast = 5
	returnTimes  = 2
	returnRaise  = 1e-5
	returnClear  = 1e-2

	// backlogLeast units, and one in backlogShare of those on hand, that wait for backlogGrace are a backlog. [A]
	backlogLeast = 5
	backlogShare = 4
	backlogGrace = 48 * inventory.Hour

	// inspection is what the exception about a backlog is about.
	inspection = "inspection"
)

func returnRule(l *Limits) string {
	o := &l.Returns
	return fmt.Sprintf("raise where %g or more returns in five weeks, %g times the location's rate, have a chance of %g or less (beta-binomial), clear at %g; "+
		"or where %g or more units, %g %% of those on hand, have been unavailable for %s since a return, clear when fewer are",
		o.Least, o.Times, o.Raise, o.Clear, l.BacklogUnits, 100*l.BacklogShare, lasts(l.BacklogGrace))
}

// returnDistortion: far more of a key comes back than of others at its location, or what came back is not sorted out: the record has units that
// nobody can buy. Two exceptions, the second about "inspection". Looked at after returns, once a day while the first stands, and when the time
// of the second is over.
func returnDistortion() Detector {
	return Detector{inventory.ReturnDistortion, KindsOf(inventory.Return), lookReturns, describeReturns}
}

func lookReturns(v *View, found []Finding) []Finding {
	returned := v.Delta != nil && v.Delta.Kind == inventory.Return
	scope := Scope{Class: inventory.ReturnDistortion}
	if open := v.IsOpen(scope); returned || open && v.Delta == nil {
		x := v.Past.Returns()
		n := max(v.Past.LastDays().Count, x)
		usual := v.Place.returnRate()
		o := &v.limits().Returns
		few := float64(x) < o.Least || float64(x) < o.Times*usual*float64(n)
		tail := 1.0
		if open || !few {
			tail = v.returnChance(n, x)
		}
		switch {
		case open && (tail >= o.Clear || float64(x) < o.Least):
			v.trace().returnsAt = 0
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		case open:
			v.trace().returnsAt = v.Now + inventory.Day
		case tail <= o.Raise:
			v.trace().returnsAt = v.Now + inventory.Day
			found = append(found, Finding{Scope: scope, Edge: Raise, Confidence: 1 - tail})
		}
	}
	return lookBacklog(v, returned, found)
}

func (v *View) returnChance(n, x int64) float64 {
	if n > trialsMost {
		n, x = trialsMost, x*trialsMost/n
	}
	usual := v.Place.returnRate()
	return betaBinomialTail(n, x, float64(usual*returnStrength), float64((1-usual)*returnStrength))
}

func lookBacklog(v *View, returned bool, found []Finding) []Finding {
	scope := Scope{Class: inventory.ReturnDistortion, Of: inspection}
	l := v.limits()
	many := v.Unavailable >= max(int64(l.BacklogUnits), part(v.OnHand, l.BacklogShare))
	open := v.IsOpen(scope)
	switch {
	case many && returned && !open && (v.Traces == nil || v.Traces.backlogAt == 0):
		v.trace().backlogAt = v.Now + l.BacklogGrace
	case !many:
		if v.Traces != nil {
			v.Traces.backlogAt = 0
		}
		if open {
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		}
	case !open && v.Traces != nil && v.Traces.backlogAt != 0 && v.Now >= v.Traces.backlogAt:
		v.Traces.backlogAt = 0
		found = append(found, Finding{Scope: scope, Edge: Raise, Confidence: 1})
	}
	return found
}

// Demand tells the location of an event of demand at a time, Came of a return.
func (p *Place) Demand(at inventory.Millis) {
	p.hours.add(at)
	p.demand = float64(p.demand*placeKeep) + 1
	p.returns = float64(p.returns * placeKeep)
}

// Came tells the location of a return.
func (p *Place) Came() { p.returns++ }

// placeKeep forgets all but the last few thousand.
const placeKeep = 0.9998

func (p *Place) returnRate() float64 {
	return min((p.returns+returnRate*returnTrials)/(p.demand+returnTrials), 0.9)
}

func describeReturns(v *View, f *Finding) Description {
	d := Description{Rule: returnRule(v.limits()), Evidence: map[string]any{"on_hand": v.OnHand, "unavailable": v.Unavailable, "price": v.Price}}
	if f.Of == inspection {
		d.Evidence["ref"] = inspection
		if f.Edge == Clear {
			d.Reason = fmt.Sprintf("What came back of %s at %s is sorted out: %d of %d units are unavailable.", v.SKU, v.Location, v.Unavailable, v.OnHand)
			return d
		}
		d.Exposure = worth(v.Unavailable, v.Price)
		d.Severity = severity(d.Exposure, f.Confidence)
		d.Reason = fmt.Sprintf("%d of the %d units of %s at %s have been unavailable for %s since some came back: nobody has said whether they can be sold.",
			v.Unavailable, v.OnHand, v.SKU, v.Location, lasts(v.limits().BacklogGrace))
		d.Recommendations = []inventory.Recommendation{
			{Action: "escalate", Quantity: v.Unavailable, Why: "inspect them: unblock what can be sold, write off what can't"},
		}
		return d
	}
	x, n := v.Past.Returns(), v.Past.LastDays().Count
	usual := v.Place.returnRate()
	d.Evidence["returns_of_five_weeks"] = x
	d.Evidence["demand_events"] = n
	d.Evidence["location_rate"] = Round4(usual)
	d.Evidence["chance"] = Round4(v.returnChance(max(n, x), x))
	d.Exposure = worth(x, v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	if f.Edge == Clear {
		d.Reason = fmt.Sprintf("As much of %s comes back at %s as of anything: %d returns in five weeks.", v.SKU, v.Location, x)
		return d
	}
	d.Reason = fmt.Sprintf("%d returns of %s came back to %s within five weeks, for %d orders and sales, where %.1f %% is usual there.", x, v.SKU, v.Location, n, usual*100)
	d.Recommendations = []inventory.Recommendation{
		{Action: "escalate", Why: "a fault of the goods, a wrong description, or returns that are no returns"},
		{Action: "count", Quantity: v.OnHand, Why: "what was booked in as sellable may not be"},
	}
	return d
}
