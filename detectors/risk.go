package detectors

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Risk is when a channel is throttled, and how soon what it may show changes.
type Risk struct {
	Raise float64          // probability above which it is raised, 0–1; 1: never
	Clear float64          // at which it is cleared, below Raise
	Step  float64          // share of what the channel may show by which that changes at least, and by a unit
	Dwell inventory.Millis // for how long there must be cause to show more, or to end it, before that is done
	Lag   LagPrior         // of a channel that was not measured yet
}

// Trade is what the engine knows of how a key sells, at the cost of adding it up.
type Trade interface {
	// Asked returns how often customers asked for the key in a span up to now, and for how many units: on all channels, for each
	// of them sells what all of them have.
	Asked(Span) (events, units int64)

	// Lag returns how long a channel takes to show what it is told.
	Lag(channel string) Lag
}

// Span is how far back is looked.
type Span uint8

// The spans.
const (
	FiveMinutes Span = iota
	OneHour
	TwoDays
	FiveWeeks
)

// spanHours is what each has, spanLeast how many events in it speak for a rate: of one nothing follows, and two within five minutes are
// a coincidence as often as not. [A] Set on tuning seeds: with two, risks were four fifths more, and none of them mattered.
var (
	spanHours = [...]float64{FiveMinutes: 1.0 / 12, OneHour: 1, TwoDays: 48, FiveWeeks: 35 * 24}
	spanLeast = [...]int64{FiveMinutes: 3, OneHour: 2, TwoDays: 2}
)

const (
	riskStep  = 0.2 // [A], as the two that follow
	riskDwell = 5 * inventory.Minute
	riskLag   = inventory.Minute

	riskLagWeight = 3 // of how many measurements the lag counts that a policy reckons with. [A]

	// A channel is not looked at that has more to promise than coverUnits and coverHours times what was asked for in the
	// last hour: no lag lasts that long. [A]
	coverUnits = 32
	coverHours = 16

	// lagsAhead is within how many of its lags a channel must not be oversold: it takes one until it shows what it is told, and
	// another until it could show less still. If that were looked at which comes within one, nothing could be shown any more whenever
	// there is a risk.
	lagsAhead = 2

	// awayShare is what part of the time since it changed a risk that stands is left alone: one that stands
	// for days is looked at every few hours.
	awayShare = 4
)

// riskKinds take something away or ask for it.
var riskKinds = KindsOf(inventory.Sale, inventory.Reserve, inventory.TransferOut, inventory.Adjust, inventory.Block, inventory.Count,
	inventory.Safety, inventory.Allocate)

// oversellRisk: before a channel can be told twice to show less, more may be asked for than there is. One exception a channel. It
// is told to show what is left once the greatest likely demand within its lag is taken off. Looked at after deltas that take
// something away or ask for it, and while it stands after every delta and by a timer, for it ends by itself.
func oversellRisk() Detector {
	return Detector{inventory.OversellRisk, riskKinds, lookRisk, describeRisk}
}

// rate is how often a key is asked for: so many events in so many hours, of so many units each. Given these, it is Gamma
// distributed.
type rate struct{ events, hours, units float64 }

// rateOf estimates the rate. It is that of five weeks, unless a shorter span speaks for a higher one: what came in that span, but for the
// event after which is looked, beside what the longer one expects in another as long. So a rate that rises is believed by half at once and in
// full before long; one that falls is believed as the windows forget it.
func rateOf(t Trade) rate {
	events, units := t.Asked(FiveWeeks)
	if events <= 0 || units <= 0 {
		return rate{}
	}
	r := rate{float64(events), spanHours[FiveWeeks], float64(units) / float64(events)}
	for span := int(TwoDays); span >= int(FiveMinutes); span-- {
		hours := spanHours[span]
		recent, _ := t.Asked(Span(span))
		if recent < spanLeast[span] {
			break // nor did more come in what is shorter still
		}
		seen := float64(r.events*hours)/r.hours + float64(max(recent-1, 0))
		if seen*r.hours > float64(r.events*2*hours) {
			r.events, r.hours = seen, 2*hours
		}
	}
	return r
}

// perHour returns the units an hour.
func (r rate) perHour() float64 { return float64(r.events*r.units) / r.hours }

// within returns the demand within so many lags: its mean, and its variance by the Poisson arrivals of events that are geometric in
// size, by the lag's, and by what is not known of the rate.
func (r rate) within(lags float64, l Lag, prior LagPrior) demand {
	if r.events <= 0 {
		return demand{}
	}
	seconds, variance := l.Moments(prior)
	if seconds <= 0 {
		return demand{}
	}
	mean := float64(r.perHour() * lags * seconds / 3600)
	wide := variance / float64(lags*seconds*seconds)
	return demand{mean, float64(mean*(2*r.units-1)) + float64(mean*mean*(wide+(1+wide)/r.events))}
}

// risk is one that stands.
type risk struct {
	channel string
	most    int64            // that it may show
	since   inventory.Millis // when that changed
	more    inventory.Millis // since when there has been cause to show more; 0: there is none
	calm    inventory.Millis // since when there has been cause to end it; 0: there is none
	at      inventory.Millis // when it is looked at next
}

func lookRisk(v *View, found []Finding) []Finding {
	raises := v.Delta != nil && riskKinds.Has(v.Delta.Kind) && v.nearlyOut(v.Delta)
	stands := v.Traces != nil && len(v.Traces.risks) > 0
	if !stands && !raises || v.Delta == nil && !v.riskDue() {
		return found
	}
	r := rateOf(v.Trade)
	if stands {
		kept := v.Traces.risks[:0]
		for _, k := range v.Traces.risks {
			var ended bool
			if found, ended = v.follow(&k, r, found); !ended {
				kept = append(kept, k)
			}
		}
		clear(v.Traces.risks[len(kept):])
		v.Traces.risks = kept
	}
	if !raises || r.events <= 0 {
		return found
	}
	for i := range v.Channels {
		c := &v.Channels[i]
		limits := v.On(c.Name).Risk
		lag := v.Trade.Lag(c.Name)
		d := r.within(lagsAhead, lag, limits.Lag)
		// By Markov's inequality most need not be added up.
		if d.mean <= float64(limits.Raise*float64(c.ATP+1)) || c.over() || v.oversold(c) || v.IsOpen(riskScope(c.Name)) {
			continue
		}
		p := d.beyond(c.ATP)
		if p <= limits.Raise {
			continue
		}
		k := risk{channel: strings.Clone(c.Name), most: limits.left(c, r, lag), since: v.Now}
		k.at = v.Now + limits.away(&k, v.Now)
		v.trace().risks = append(v.trace().risks, k)
		found = append(found, Finding{Scope: riskScope(c.Name), Edge: Raise, Confidence: p, Most: k.most})
	}
	return found
}

// nearlyOut reports whether some channel has so little to promise that its risk is worth working out, after d.
//
// The last hour is added up only where what is known of it could say so. HourMost is never less than what was asked for in it: it rises with all
// that is asked for, and what leaves the hour only makes it less. So a look again comes once a seventeenth of what is above the bound has been
// asked for, and what is decided is the same as if each look added up.
func (v *View) nearlyOut(d *inventory.Delta) bool {
	if *v.HourMost != 0 && (d.Kind == inventory.Sale || d.Kind == inventory.Reserve) {
		*v.HourMost = min(*v.HourMost+d.Quantity, inventory.QuantityMax)
	}
	least := int64(math.MaxInt64)
	for i := range v.Channels {
		least = min(least, v.Channels[i].ATP)
	}
	if least <= coverUnits {
		return len(v.Channels) > 0
	}
	if *v.HourMost != 0 && least > covers(*v.HourMost) {
		return false
	}
	_, units := v.Trade.Asked(OneHour)
	*v.HourMost = units + 1
	return least <= covers(units)
}

// covers returns how much to promise is little where so many units were asked for in an hour.
func covers(units int64) int64 { return coverUnits + coverHours*min(units, inventory.QuantityMax) }

// over reports whether nothing is left that a channel could promise, or shows.
func (c *Channel) over() bool { return c.ATP <= 0 && c.Shown <= 0 }

// riskDue reports whether some risk that stands is to be looked at by now.
func (v *View) riskDue() bool {
	return v.Traces != nil && slices.ContainsFunc(v.Traces.risks, func(k risk) bool { return k.at <= v.Now })
}

// oversold reports whether more was promised than there is for a channel: that holds it.
func (v *View) oversold(c *Channel) bool {
	atp, clearAt := v.ATP(), int64(v.limits().OversellClear)
	return atp < 0 || c.ATP < 0 ||
		atp < clearAt && v.IsOpen(Scope{Class: inventory.Oversell}) ||
		c.ATP < clearAt && v.IsOpen(Scope{Class: inventory.Oversell, Channel: c.Name})
}

func riskScope(channel string) Scope { return Scope{Class: inventory.OversellRisk, Channel: channel} }

// follow looks at a risk that stands; it reports whether that is over.
func (v *View) follow(k *risk, r rate, found []Finding) (_ []Finding, ended bool) {
	if v.Delta == nil && k.at > v.Now {
		return found, false
	}
	c := v.channel(k.channel)
	limits := v.On(k.channel).Risk
	lag := v.Trade.Lag(k.channel)
	p := limits.chance(&c, r, lag)
	if p > limits.Clear {
		k.calm = 0
	} else if k.calm == 0 {
		k.calm = v.Now
	}
	if k.calm != 0 && v.Now-k.calm >= limits.Dwell {
		return append(found, Finding{Scope: riskScope(k.channel), Edge: Clear, Confidence: 1 - p}), true
	}
	most := limits.left(&c, r, lag)
	step := max(int64(float64(limits.Step*float64(k.most))), 1)
	adjust := most < k.most && (most == 0 || most <= k.most-step)
	switch {
	case most < k.most+step:
		k.more = 0
	case k.more == 0:
		k.more = v.Now
	}
	if adjust || k.more != 0 && v.Now-k.more >= limits.Dwell {
		k.most, k.since, k.more = most, v.Now, 0
		found = append(found, Finding{Scope: riskScope(k.channel), Edge: Adjust, Confidence: p, Most: most})
	}
	k.at = v.Now + limits.away(k, v.Now)
	return found, false
}

// chance returns the probability that a channel is oversold before it can be told twice to show less.
func (l *Risk) chance(c *Channel, r rate, lag Lag) float64 {
	if c.over() {
		return 0
	}
	return r.within(lagsAhead, lag, l.Lag).beyond(c.ATP)
}

// left returns what a channel may show: what it has beyond what may be asked for within its lag.
func (l *Risk) left(c *Channel, r rate, lag Lag) int64 {
	return max(c.ATP-r.within(1, lag, l.Lag).quantile(l.Raise), 0)
}

// away returns for how long a risk may be left alone.
func (l *Risk) away(k *risk, now inventory.Millis) inventory.Millis {
	dwell := max(l.Dwell, inventory.Second)
	away := max(dwell, (now-k.since)/awayShare)
	for _, began := range [...]inventory.Millis{k.more, k.calm} {
		if began != 0 {
			away = min(away, max(began+dwell-now, inventory.Second))
		}
	}
	return away
}

func describeRisk(v *View, f *Finding) Description {
	c := v.channel(f.Channel)
	limits := v.On(f.Channel).Risk
	r := rateOf(v.Trade)
	lag := v.Trade.Lag(f.Channel)
	seconds, variance := lag.Moments(limits.Lag)
	d := r.within(1, lag, limits.Lag)
	buffer := d.quantile(limits.Raise)
	short := max(buffer-max(c.ATP, 0), 1)
	description := Description{
		Rule: fmt.Sprintf("raise at P(demand within twice the channel's lag > ATP) > %g, and let it show ATP less the %g quantile of demand within its lag; clear at %g for %s",
			limits.Raise, 1-limits.Raise, limits.Clear, lasts(limits.Dwell)),
		Evidence: map[string]any{
			"channel_atp":             c.ATP,
			"atp":                     v.ATP(),
			"units_per_hour":          Round4(r.perHour()),
			"units_per_order":         Round4(r.units),
			"lag_seconds":             Round4(seconds),
			"lag_deviation_seconds":   Round4(math.Sqrt(variance)),
			"expected_within_lag":     Round4(d.mean),
			"variance_within_lag":     Round4(d.variance),
			"buffer":                  buffer,
			"oversell_probability":    Round4(limits.chance(&c, r, lag)),
			"probability_to_act_at":   limits.Raise,
			"price":                   v.Price,
			"sellable":                f.Most,
			"dwell_seconds":           int64(limits.Dwell / inventory.Second),
			"probability_to_clear_at": limits.Clear,
		},
	}
	description.Exposure = worth(short, v.Price)
	description.Severity = severity(description.Exposure, f.Confidence)
	if f.Edge == Clear {
		description.Reason = fmt.Sprintf("%s has %s of %s to promise at %s, enough for what is asked for before %s can show less (%s an hour).",
			f.Channel, units(c.ATP), v.SKU, v.Location, f.Channel, rounded(r.perHour()))
		return description
	}
	show, action := fmt.Sprintf("it may show %d", f.Most), inventory.Recommendation{
		Action: string(inventory.Throttle), Channel: f.Channel, Quantity: f.Most, Why: "the rest may be asked for before it can show less",
	}
	if f.Most == 0 {
		show, action = "it may show none", inventory.Recommendation{
			Action: string(inventory.Hold), Channel: f.Channel, Why: "all that is left may be asked for before it can show less",
		}
	}
	description.Reason = fmt.Sprintf("%s of %s are asked for at %s an hour, and %s takes %.0f s to show less: more than the %d to promise are asked for within twice that with a probability of %.1f %%, so %s.",
		rounded(r.perHour()), v.SKU, v.Location, f.Channel, seconds, max(c.ATP, 0), f.Confidence*100, show)
	description.Recommendations = []inventory.Recommendation{action,
		{Action: "replenish", Quantity: short, Why: "what is left will not last"}}
	return description
}

// rounded writes a rate for people.
func rounded(x float64) string { return fmt.Sprint(math.Round(float64(x*10)) / 10) }

func (k *risk) append(dst []byte) []byte {
	dst = wire.AppendString(dst, k.channel)
	for _, n := range [...]int64{k.most, int64(k.since), int64(k.more), int64(k.calm), int64(k.at)} {
		dst = wire.AppendInt(dst, n)
	}
	return dst
}

func (k *risk) read(r *wire.Reader) {
	k.channel = r.String()
	k.most = r.Int()
	for _, m := range [...]*inventory.Millis{&k.since, &k.more, &k.calm, &k.at} {
		*m = inventory.Millis(r.Int())
	}
}
