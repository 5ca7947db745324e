package oracle

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Risk is when a channel is throttled.
type Risk struct {
	Raise, Clear float64          // probabilities of an oversell within twice the channel's lag
	Step         float64          // share of what the channel may show by which that changes at least, and by a unit
	Dwell        inventory.Millis // for how long there must be cause to let it show more
	LagMean      inventory.Millis // until a lag is measured
	LagWeight    float64          // of how many measurements
	Asks         bool             // a risk that opens awaits a person's approval
}

// risk is one that stands.
type risk struct {
	most, since, more, calm, at int64
}

// takes reports whether a kind takes something away or asks for it.
func takes(k inventory.Kind) bool {
	switch k {
	case inventory.Sale, inventory.Reserve, inventory.TransferOut, inventory.Adjust, inventory.Block, inventory.Count,
		inventory.Safety, inventory.Allocate:
		return true
	}
	return false
}

// risks looks at the risks of a key, after a delta of that kind or, where that is none, at those that are due.
func (o *Oversell) risksOf(key inventory.Key, kind inventory.Kind) {
	if o.config.Risk == nil || key.SKU == "" {
		return
	}
	now := int64(o.watermark)
	a := o.Availability(key.SKU, key.Location)
	for _, c := range a.Channels {
		s := Scope{SKU: key.SKU, Location: key.Location, Channel: c.Channel, Risk: true}
		p := 0.0
		if c.ATP > 0 || shows(o.log[key], consumption(o.log[key], o.timelines(key)), c.Channel) > 0 {
			p = o.beyond(s, c.ATP)
		}
		if k := o.risks[s]; k != nil && (kind != inventory.KindNone || k.at <= now) {
			o.follow(s, k, c.ATP, p)
		} else if k == nil && takes(kind) && o.short(&a) && !o.oversold(&a, &c) {
			if p > o.config.Risk.Raise {
				k := &risk{most: max(c.ATP-o.buffer(s), 0), since: now}
				k.at = now + o.away(k)
				o.risks[s] = k
				o.open[s] = acting
				if o.config.Risk.Asks || !o.mayAct([]string{c.Channel}) {
					o.open[s] = waiting
				}
			}
		}
	}
}

// short reports whether some channel has so little to promise that a risk is looked for: 32 units, and what is asked for in 16 hours
// like the last one.
func (o *Oversell) short(a *inventory.Availability) bool {
	least := int64(math.MaxInt64)
	for _, c := range a.Channels {
		least = min(least, c.ATP)
	}
	return float64(least) <= 32+16*float64(o.demanded(a.SKU, a.Location, inventory.Minute, 60).Sum)
}

// oversold reports whether a channel has nothing to promise for that alone.
func (o *Oversell) oversold(a *inventory.Availability, c *inventory.ChannelAvailability) bool {
	return a.ATP < 0 || c.ATP < 0 ||
		a.ATP < 1 && o.open[Scope{SKU: a.SKU, Location: a.Location}] != none ||
		c.ATP < 1 && o.open[Scope{SKU: a.SKU, Location: a.Location, Channel: c.Channel}] != none
}

func (o *Oversell) follow(s Scope, k *risk, atp int64, p float64) {
	r, now := o.config.Risk, int64(o.watermark)
	dwell := int64(r.Dwell)
	if p > r.Clear {
		k.calm = 0
	} else if k.calm == 0 {
		k.calm = now
	}
	if k.calm != 0 && now-k.calm >= dwell {
		delete(o.risks, s)
		delete(o.open, s)
		return
	}
	most := max(atp-o.buffer(s), 0)
	step := max(1, int64(r.Step*float64(k.most)))
	if most < k.most+step {
		k.more = 0
	} else if k.more == 0 {
		k.more = now
	}
	less := most < k.most && (most == 0 || k.most-most >= step)
	if less || k.more != 0 && now-k.more >= dwell {
		k.most, k.since, k.more = most, now, 0
	}
	k.at = now + o.away(k)
}

// away is for how long a risk is left alone if nothing happens.
func (o *Oversell) away(k *risk) int64 {
	now, dwell := int64(o.watermark), max(int64(o.config.Risk.Dwell), int64(inventory.Second))
	away := max(dwell, (now-k.since)/4)
	for _, began := range []int64{k.more, k.calm} {
		if began != 0 {
			away = min(away, max(began+dwell-now, int64(inventory.Second)))
		}
	}
	return away
}

// demanded is what was asked for in the newest panes.
func (o *Oversell) demanded(sku, location string, size, panes inventory.Millis) (all Total) {
	for i, pane := range o.Window(sku, location, Demand, size) {
		if i > o.watermark/size-panes {
			all.Count += pane.Count
			all.Sum += pane.Sum
		}
	}
	return all
}

// demand is the mean and the variance of what is asked for within so many lags of a channel.
func (o *Oversell) demand(s Scope, lags float64) (mean, variance float64) {
	all := o.demanded(s.SKU, s.Location, inventory.Day, 35)
	if all.Count <= 0 || all.Sum <= 0 {
		return 0, 0
	}
	events, hours, units := float64(all.Count), 35*24.0, float64(all.Sum)/float64(all.Count)
	for _, span := range []struct {
		size, panes inventory.Millis
		hours       float64
		least       int64
	}{{inventory.Hour, 48, 48, 2}, {inventory.Minute, 60, 1, 2}, {inventory.Minute, 5, 1.0 / 12, 3}} {
		recent := o.demanded(s.SKU, s.Location, span.size, span.panes).Count
		if recent < span.least {
			continue
		}
		seen := events/hours*span.hours + float64(max(recent-1, 0))
		if seen/(2*span.hours) > events/hours {
			events, hours = seen, 2*span.hours
		}
	}
	lag, lagVariance := o.lag(s.Channel)
	lag, lagVariance = lags*lag, lags*lagVariance
	if lag <= 0 {
		return 0, 0
	}
	perSecond := events * units / hours / 3600
	mean = perSecond * lag
	relative := lagVariance / (lag * lag)
	return mean, mean*(2*units-1) + mean*mean*(relative+(1+relative)/events)
}

// lag is the mean and the variance of a channel's lag, in seconds.
func (o *Oversell) lag(channel string) (mean, variance float64) {
	prior := float64(o.config.Risk.LagMean) / float64(inventory.Second)
	count, sum, squares := o.config.Risk.LagWeight, o.config.Risk.LagWeight*prior, o.config.Risk.LagWeight*2*prior*prior
	weight := 1.0
	for i := len(o.lags[channel]) - 1; i >= 0; i-- {
		s := o.lags[channel][i]
		count += weight
		sum += weight * s
		squares += weight * s * s
		weight *= 0.98
	}
	mean = sum / count
	return mean, max(squares/count-mean*mean, 0)
}

// beyond is P(D > n) within twice the lag.
func (o *Oversell) beyond(s Scope, n int64) float64 {
	mean, variance := o.demand(s, 2)
	switch {
	case n < 0:
		return 1
	case mean <= 0:
		return 0
	case mean > 256 || variance > 256*256:
		return smooth(mean, variance, n)
	}
	left := 1.0
	for i := range min(n, 16*256) + 1 {
		left -= probability(mean, variance, float64(i))
	}
	return max(left, 0)
}

// buffer is the quantile of the demand within the lag that is not to be shown.
func (o *Oversell) buffer(s Scope) int64 {
	mean, variance := o.demand(s, 1)
	p := o.config.Risk.Raise
	if mean <= 0 {
		return 0
	}
	if mean > 256 || variance > 256*256 {
		n := int64(0)
		for bit := int64(1) << 62; bit > 0; bit >>= 1 { // the greatest n below which too much is left
			if smooth(mean, variance, n+bit-1) > p {
				n += bit
			}
		}
		n = min(n, int64(min(mean+64*math.Sqrt(variance), 1<<60)))
		for unit := int64(1); ; unit *= 2 { // to ten binary digits, upwards
			if n <= 1024*unit {
				return (n + unit - 1) / unit * unit
			}
		}
	}
	left := 1.0
	for n := int64(0); ; n++ {
		if left -= probability(mean, variance, float64(n)); left <= p || n == 16*256 {
			return n
		}
	}
}

// probability is that of the negative binomial distribution, and of Poisson's where the variance is hardly greater.
func probability(mean, variance, n float64) float64 {
	factorial, _ := math.Lgamma(n + 1)
	if variance <= mean*(1+1e-6) {
		return math.Exp(n*math.Log(mean) - mean - factorial)
	}
	k := mean * mean / (variance - mean)
	a, _ := math.Lgamma(n + k)
	b, _ := math.Lgamma(k)
	return math.Exp(a - b - factorial - k*math.Log1p(mean/k) + n*math.Log(mean/(k+mean)))
}

// smooth is P(D > n) where D is great: Gamma by Wilson and Hilferty, with the normal tail of Abramowitz and Stegun 26.2.17.
func smooth(mean, variance float64, n int64) float64 {
	shape := mean * mean / variance
	z := (math.Cbrt((float64(n)+0.5)/mean) - 1 + 1/(9*shape)) * 3 * math.Sqrt(shape)
	t := 1 / (1 + 0.2316419*math.Abs(z))
	tail := t * (0.319381530 + t*(-0.356563782+t*(1.781477937+t*(-1.821255978+t*1.330274429)))) * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	if z < 0 {
		return 1 - tail
	}
	return tail
}
