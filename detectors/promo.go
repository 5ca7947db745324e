package detectors

import (
	"fmt"
	"math"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// upliftWeight is how many demand events the announced uplift counts as, against what the promotion really brings. [A]
	upliftWeight = 10

	// promoRaise and promoClear are chances that it runs out.
	promoRaise = 0.8
	promoClear = 0.4

	// promoEvery is how often a promotion is looked at while it runs.
	promoEvery = inventory.Hour
)

// promo is the promotion that runs for a key.
type promo struct {
	percent int64
	from    inventory.Millis
	due     inventory.Millis
	base    float64 // demand events an hour of exposure before it
	clock   float64 // of the feed when it began
	events  int64   // demand events since
	at      inventory.Millis
}

func promoRule(o *Odds) string {
	return fmt.Sprintf("raise where nothing is left to promise, or the chance that demand until the promotion's end, or until the next delivery should have come, exceeds "+
		"what is there and under way is %g or more; clear at %g or when it ends", o.Raise, o.Clear)
}

// promoStockout: a promotion has used up what is there, or will use up that and what is under way before it ends or the next delivery comes. Its uplift is the announced one at first,
// and more and more what the promotion really brings. Looked at after what changes the supply, when all is promised, and every hour while one runs. One
// promotion a key: the latest one told of.
func promoStockout() Detector {
	return Detector{inventory.PromoStockout, KindsOf(inventory.Promo), lookPromo, describePromo}
}

func lookPromo(v *View, found []Finding) []Finding {
	if d := v.Delta; d != nil && d.Kind == inventory.Promo {
		v.announce(d)
	}
	if v.Traces == nil || v.Traces.promo == nil {
		return found
	}
	scope := Scope{Class: inventory.PromoStockout}
	p := v.Traces.promo
	open := v.IsOpen(scope)
	if v.Now >= p.due || p.percent == 0 {
		v.Traces.promo = nil
		if open {
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		}
		return found
	}
	due := v.Now >= p.at
	if v.Delta != nil {
		switch v.Delta.Kind {
		case inventory.Sale, inventory.Reserve:
			p.events++
			due = due || !open && v.ATP() <= 0
		case inventory.Promo, inventory.Count, inventory.Receipt, inventory.TransferIn, inventory.Adjust, inventory.ASN:
			due = true
		}
	}
	if !due {
		return found
	}
	p.at = min(v.Now+promoEvery, p.due)
	o := &v.limits().Promo
	switch chance := v.promoRunsOut(p); {
	case open && chance <= o.Clear:
		found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1 - chance})
	case !open && chance >= o.Raise:
		found = append(found, Finding{Scope: scope, Edge: Raise, Confidence: chance})
	}
	return found
}

// announce takes in a promotion, unless a later one is known.
func (v *View) announce(d *inventory.Delta) {
	t := v.trace()
	if p := t.promo; p != nil && d.Time < p.from {
		return
	}
	shape, hours := v.Belief.rate(v.Feed)
	next := &promo{percent: d.Quantity, from: d.Time, due: d.Due, base: shape / hours, clock: v.Feed.Clock()}
	if t.promo != nil { // what it brought so far is known under the new figures, too
		next.base, next.clock, next.events = t.promo.base, t.promo.clock, t.promo.events
	}
	t.promo = next
}

// uplift returns how many times as much as before is asked for.
func (v *View) uplift(p *promo) float64 {
	expected := float64(p.base * max(v.Feed.Clock()-p.clock, 0))
	return (float64(upliftWeight*(1+float64(p.percent)/100)) + float64(p.events)) / (upliftWeight + expected)
}

// promoUntil returns until when what is there has to last: the promotion's end, or when the next delivery to the location should have come.
func (v *View) promoUntil(p *promo) inventory.Millis {
	if next := v.Place.nextSupply(v.Now); next > 0 {
		return min(p.due, next)
	}
	return p.due
}

// promoDemand returns the demand events to be expected until then, their shape, and the units of one.
func (v *View) promoDemand(p *promo) (events, shape, each float64) {
	shape, _ = v.Belief.rate(v.Feed)
	until := v.promoUntil(p)
	days := float64(moodShape * (1 + inHours(until-v.Now)/24)) // days do as they like, and even out
	shape = float64(shape*days) / (shape + days)
	events = float64(float64(p.base*v.uplift(p)) * v.Feed.warp(v.Now, until))
	each = 1
	if past := v.Past.LastDays(); past.Count > 0 {
		each = max(float64(past.Sum)/float64(past.Count), 1)
	}
	return events, shape, each
}

func (v *View) supply() int64 { return max(v.ATP(), 0) + v.Inbound + v.InTransit }

func (v *View) promoRunsOut(p *promo) float64 {
	if v.ATP() <= 0 {
		return 1
	}
	events, shape, each := v.promoDemand(p)
	return negativeBinomialTail(int64(float64(v.supply())/each)+1, shape, events)
}

func describePromo(v *View, f *Finding) Description {
	d := Description{
		Rule:     promoRule(&v.limits().Promo),
		Evidence: map[string]any{"atp": v.ATP(), "inbound": v.Inbound, "in_transit": v.InTransit, "price": v.Price},
	}
	if v.Traces == nil || v.Traces.promo == nil {
		d.Reason = fmt.Sprintf("The promotion of %s at %s is over.", v.SKU, v.Location)
		return d
	}
	p := v.Traces.promo
	events, _, each := v.promoDemand(p)
	demand := int64(math.Ceil(min(float64(events*each), inventory.QuantityMax)))
	missing := max(demand-v.supply(), 1)
	d.Evidence["announced_uplift"] = p.percent
	d.Evidence["demand_events"] = p.events
	d.Evidence["expected_units"] = demand
	until := v.promoUntil(p)
	d.Evidence["due"] = p.due.String()
	d.Evidence["expected_until"] = until.String()
	d.Evidence["chance"] = Round4(v.promoRunsOut(p))
	if f.Edge == Clear {
		d.Reason = fmt.Sprintf("%s has enough of %s for its promotion again: %s there and under way, where %d are expected to be asked for until %s.",
			v.Location, v.SKU, units(v.supply()), demand, clock(until))
		return d
	}
	d.Exposure = worth(missing, v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	d.Reason = fmt.Sprintf("%s will run out of %s before its promotion ends %s: %s are expected to be asked for until %s, where %d are there and under way.",
		v.Location, v.SKU, clock(p.due), units(demand), clock(until), v.supply())
	if v.ATP() <= 0 {
		d.Reason = fmt.Sprintf("%s has nothing of %s left to promise, and its promotion goes on until %s: %s are expected to be asked for until %s, where %d are under way.",
			v.Location, v.SKU, clock(p.due), units(demand), clock(until), v.supply())
	}
	d.Recommendations = []inventory.Recommendation{{Action: "replenish", Quantity: missing, Why: "what is under way does not cover the promotion"}}
	if spare := v.Network.ATP - max(v.ATP(), 0); spare > 0 {
		d.Recommendations = append(d.Recommendations, inventory.Recommendation{
			Action: "transfer", Quantity: min(missing, spare), Why: fmt.Sprintf("other locations of the SKU have %d to promise", spare),
		})
	}
	return d
}

func (p *promo) append(dst []byte) []byte {
	dst = wire.AppendInt(dst, p.percent)
	dst = wire.AppendInt(dst, p.from)
	dst = wire.AppendInt(dst, p.due)
	dst = wire.AppendFloat(dst, p.base)
	dst = wire.AppendFloat(dst, p.clock)
	dst = wire.AppendInt(dst, p.events)
	return wire.AppendInt(dst, p.at)
}

func (p *promo) read(r *wire.Reader) {
	*p = promo{percent: r.Int(), from: inventory.Millis(r.Int()), due: inventory.Millis(r.Int()),
		base: r.Float(), clock: r.Float(), events: r.Int(), at: inventory.Millis(r.Int())}
}
