package detectors

import (
	"fmt"
	"math/bits"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// cancelRate and cancelTrials are what is held to be usual before anything is known: one order in fifty is cancelled. [A]
	cancelRate   = 0.02
	cancelTrials = 50

	// cancelsLeast is how many cancellations make a story, and cancelTimes how many times the usual rate.
	cancelsLeast = 5
	cancelTimes  = 2

	// cancelRaise and cancelClear are the chances of as many cancellations at the usual rate. The first is looked at with every
	// cancellation, and so has to be that small.
	cancelRaise = 1e-4
	cancelClear = 1e-2
)

func cancelRule(o *Odds) string {
	return fmt.Sprintf("raise where %g or more orders of a day, and %g times the usual rate, were cancelled, of which the chance at the usual rate is %g "+
		"or less (beta-binomial); clear at %g", o.Least, o.Times, o.Raise, o.Clear)
}

// cancellationAnomaly: of a channel's orders at a location far more are cancelled than usually. The exception is the location's, with
// SKU "*". Looked at after cancellations, ever more seldom as they become many, and every hour while one stands. A reservation that lapses is no cancellation.
func cancellationAnomaly() Detector {
	return Detector{inventory.CancellationAnomaly, KindsOf(inventory.Release), lookCancellations, describeCancellations}
}

func lookCancellations(v *View, found []Finding) []Finding {
	for i := range v.Place.channels {
		c := &v.Place.channels[i]
		scope := Scope{Class: inventory.CancellationAnomaly, Channel: c.name}
		open := v.IsOpen(scope)
		o := &v.On(c.name).Cancels
		if !open && float64(c.rate.nowX) < o.Least || v.Kind != inventory.KindNone && (open || !worthALook(c.rate.nowX)) {
			continue
		}
		c.rate.advance(v.Now)
		usual, strength := c.rate.usual(cancelRate, cancelTrials)
		if !open && (float64(c.rate.nowX) < o.Least || float64(c.rate.nowX) < o.Times*usual*float64(c.rate.nowN)) {
			continue
		}
		switch tail := c.rate.tail(usual, strength); {
		case open && (tail >= o.Clear || float64(c.rate.nowX) < o.Least):
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		case !open && tail <= o.Raise:
			found = append(found, Finding{Scope: scope, Edge: Raise, Confidence: 1 - tail})
		}
	}
	return found
}

// worthALook reports whether n is one of those counts at which the odds are worked out, which takes a step an order, trialsMost at
// most: each below 16, and above it some eight to sixteen until the next power of two.
func worthALook(n int64) bool {
	return n&(1<<max(bits.Len64(uint64(n))-4, 0)-1) == 0
}

func describeCancellations(v *View, f *Finding) Description {
	d := Description{Rule: cancelRule(&v.On(f.Channel).Cancels), Evidence: map[string]any{"channel": f.Channel}}
	for i := range v.Place.channels {
		c := &v.Place.channels[i]
		if c.name != f.Channel {
			continue
		}
		usual, strength := c.rate.usual(cancelRate, cancelTrials)
		d.Evidence["orders_of_a_day"] = c.rate.nowN
		d.Evidence["cancelled_of_them"] = c.rate.nowX
		d.Evidence["usual_rate"] = Round4(usual)
		d.Evidence["chance"] = Round4(c.rate.tail(usual, strength))
		d.Exposure = worth(c.rate.nowX, v.Price)
		d.Severity = severity(d.Exposure, f.Confidence)
		if f.Edge == Clear {
			d.Reason = fmt.Sprintf("Cancellations of %s at %s are usual again: %d within a day, in which %d orders came.", c.name, v.Location, c.rate.nowX, c.rate.nowN)
			return d
		}
		d.Reason = fmt.Sprintf("%d of the %d orders of %s at %s within a day were cancelled, where %.1f %% is usual.",
			c.rate.nowX, c.rate.nowN, c.name, v.Location, usual*100)
	}
	d.Recommendations = []inventory.Recommendation{
		{Action: "escalate", Channel: f.Channel, Why: "a marketplace counts cancellations against its seller"},
		{Action: "count", Why: "records that promise what is not there are the usual reason"},
	}
	return d
}
