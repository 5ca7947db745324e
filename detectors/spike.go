package detectors

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// spikeLeast is how many demand events within an hour make a story. [A]
	spikeLeast = 5

	// spikeRaise and spikeClear are the chances of as many demand events in an hour at the key's own rate.
	spikeRaise = 1e-6
	spikeClear = 1e-2

	// spikeShare: after demand was looked at it is looked at again once an eighth more of it could have come.
	spikeShare = 8

	// spikeKnown is for how many hours of exposure a key must be known, and spikePool how many demand events of its location, before
	// anything of it is a surprise.
	spikeKnown = 24
	spikePool  = 50

	spikeEvery = 10 * inventory.Minute // one that stands is looked at
)

func spikeRule(o *Odds) string {
	return fmt.Sprintf("raise where the chance of as many demand events within an hour, %g or more, is %g or less at the key's own rate (negative binomial), clear at %g",
		o.Least, o.Raise, o.Clear)
}

// demandSpike: within an hour far more was asked for than the key's own rate, by hour of the week, lets expect. Looked at after sales and
// reservations, though not after each: only once so many came that it could have become one; and every ten minutes while one stands.
func demandSpike() Detector {
	return Detector{inventory.DemandSpike, KindsOf(inventory.Sale, inventory.Reserve), lookSpike, describeSpike}
}

func lookSpike(v *View, found []Finding) []Finding {
	scope := Scope{Class: inventory.DemandSpike}
	open := v.IsOpen(scope)
	if !open {
		if v.Delta == nil || v.Delta.Kind != inventory.Sale && v.Delta.Kind != inventory.Reserve {
			return found
		}
		if *v.Patience > 0 {
			*v.Patience--
			return found
		}
	}
	o := &v.limits().Spike
	least := int64(o.Least)
	hour := v.Past.LastHour()
	*v.Patience = uint8(min(max(least-hour.Count, hour.Count/spikeShare, 1)-1, 255))
	switch {
	case open && (hour.Count < least || v.surprise(hour.Count) >= o.Clear):
		v.trace().spikeAt = 0
		return append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
	case open:
		v.trace().spikeAt = v.Now + spikeEvery
	case hour.Count >= least && v.knowsDemand():
		if p := v.surprise(hour.Count); p <= o.Raise {
			v.trace().spikeAt = v.Now + spikeEvery
			return append(found, Finding{Scope: scope, Edge: Raise, Confidence: 1 - p})
		}
	}
	return found
}

func (v *View) knowsDemand() bool {
	return v.Feed.keyEvents >= spikePool && v.Belief.hours+v.Belief.silence(v) >= spikeKnown
}

// expected returns how many demand events are to be expected between two moments, and the shape of their distribution: each day
// does as it likes. A promotion that runs brings what it does.
func (v *View) expected(from, to inventory.Millis) (mean, shape float64) {
	shape, hours := v.Belief.rate(v.Feed)
	mean = float64(shape/hours) * v.Place.hours.hours(from, to)
	if v.Traces != nil && v.Traces.promo != nil {
		mean = float64(mean * v.uplift(v.Traces.promo))
	}
	return mean, float64(shape*moodShape) / (shape + moodShape)
}

// surprise returns the chance of so many demand events or more in the last hour.
func (v *View) surprise(events int64) float64 {
	mean, shape := v.expected(v.Now-inventory.Hour, v.Now)
	return negativeBinomialTail(events, shape, mean)
}

// eventsMost is how many events are judged one by one; more are brought down to so many, in proportion.
const eventsMost = 1000

// negativeBinomialTail returns P(X ≥ events) for a Poisson count over a Gamma rate of that shape.
func negativeBinomialTail(events int64, shape, mean float64) float64 {
	if events <= 0 {
		return 1
	}
	if events > eventsMost {
		mean = float64(mean*eventsMost) / float64(events)
		events = eventsMost
	}
	more := mean / (shape + mean)
	p := exp(float64(shape * log(shape/(shape+mean))))
	below := 0.0
	for k := range events {
		below += p
		p = float64(float64(p*more) * (shape + float64(k)) / float64(k+1))
	}
	tail := 0.0
	for k := events; p > tail*1e-9 && k < events+10*eventsMost; k++ {
		tail += p
		p = float64(float64(p*more) * (shape + float64(k)) / float64(k+1))
	}
	return min(tail, 1)
}

func describeSpike(v *View, f *Finding) Description {
	hour := v.Past.LastHour()
	mean, _ := v.expected(v.Now-inventory.Hour, v.Now)
	d := Description{
		Rule: spikeRule(&v.limits().Spike),
		Evidence: map[string]any{
			"events_of_an_hour": hour.Count, "units_of_an_hour": hour.Sum, "expected_events": Round4(mean),
			"chance": Round4(v.surprise(hour.Count)), "atp": v.ATP(), "price": v.Price,
		},
	}
	if f.Edge == Clear {
		d.Reason = fmt.Sprintf("Demand for %s at %s is usual again: %d orders and sales within an hour.", v.SKU, v.Location, hour.Count)
		return d
	}
	d.Exposure = worth(min(hour.Sum, max(v.ATP(), 0)+1), v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	d.Reason = fmt.Sprintf("%s of %s were asked for at %s within an hour, in %d orders and sales, where %.1f of these were to be expected; %d are left to promise.",
		units(hour.Sum), v.SKU, v.Location, hour.Count, mean, v.ATP())
	d.Recommendations = []inventory.Recommendation{
		{Action: "throttle", Quantity: max(v.ATP(), 0), Why: "at this rate channels sell what others have sold already"},
		{Action: "escalate", Why: "a wrong price, a campaign that nobody announced, or a buyer who resells"},
	}
	return d
}
