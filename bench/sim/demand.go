package sim

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// byHour is the share of a day's demand over the counter in each hour: stores are open
// from 9 to 20. byHourOnline is that of the channels that never close.
var (
	byHour       = [24]float64{9: .05, 10: .07, 11: .09, 12: .12, 13: .1, 14: .08, 15: .08, 16: .1, 17: .13, 18: .12, 19: .06}
	byHourOnline = [24]float64{.015, .01, .005, .005, .005, .01, .02, .03, .045, .05, .055, .055, .055, .05, .05, .05, .05, .055, .06, .075, .085, .08, .055, .03}
	byWeekday    = [7]float64{1.2, .8, .8, .85, .95, 1.15, 1.25} // from Sunday
)

// dawn draws what kind of day it will be for each SKU.
func (s *Sim) dawn() {
	for _, k := range s.skus {
		k.mood = gamma(s.want, s.trade.Mood) / float64(s.trade.Mood)
		k.perDay *= 1 + k.trend
		if promoted := chance(s.want, promosADay); promoted && s.now >= k.promo.till {
			s.plan(k)
		}
	}
	for _, sh := range s.shelves {
		sh.forget(s.now - historyDays*inventory.Day)
		old, _ := slices.BinarySearch(sh.sales, s.now-lotSales)
		sh.sales = slices.Delete(sh.sales, 0, old)
	}
	for _, p := range s.places {
		for c := range p.counters {
			p.counters[c].before, p.counters[c].today = p.counters[c].today, 0
		}
	}
}

// demand draws what people want in the hour that begins.
func (s *Sim) demand() {
	end := s.now + inventory.Hour - 1
	counter, remote := seasonAt(s.now)
	online := s.onlineShare() * remote
	for _, sh := range s.shelves {
		if sh.place.centre {
			continue
		}
		sh.truth.wanted += sh.sku.known(s.now) * (sh.place.size*counter + online)
		if counter == 0 {
			continue
		}
		wanted := sh.sku.today(s.now) * sh.place.size * counter
		if s.now < sh.rush.till {
			wanted += sh.rush.each
		}
		for range poisson(s.want, wanted) {
			units := units(s.want, sh.sku)
			s.at(between(s.want, s.now, end), func(at inventory.Millis) { s.sell(sh, units, at) })
		}
	}
	for _, k := range s.skus {
		for c, channel := range s.channels {
			for range poisson(s.want, k.today(s.now)*channel.Share*remote) {
				units, near := units(s.want, k), s.want.IntN(s.config.Stores)
				s.at(between(s.want, s.now, end), func(at inventory.Millis) { s.orderOnline(k, c, units, near, at) })
			}
		}
	}
}

// seasonAt returns the shares of a day's demand that come over the counter, and online, in the hour of a time.
func seasonAt(t inventory.Millis) (counter, remote float64) {
	at := t.Time()
	weekday := byWeekday[at.Weekday()]
	return byHour[at.Hour()] * weekday, byHourOnline[at.Hour()] * weekday
}

// today is perDay as it is now.
func (k *sku) today(now inventory.Millis) float64 { return k.known(now) * k.mood }

// known is today without the mood that nobody foresees.
func (k *sku) known(now inventory.Millis) float64 {
	if k.promo.runs(now) {
		return k.perDay * k.promo.uplift
	}
	return k.perDay
}

// units draws what one customer takes.
func units(rng *rand.Rand, k *sku) int64 {
	n := int64(1)
	for more := k.clump / (1 + k.clump); chance(rng, more); {
		n++
	}
	return n
}

// poisson draws a count (Knuth's method: the means here are small).
func poisson(rng *rand.Rand, mean float64) int {
	limit, n := math.Exp(-mean), 0
	for p := rng.Float64(); p > limit; p *= rng.Float64() {
		n++
	}
	return n
}

// gamma draws from a Gamma distribution of a whole shape and rate 1.
func gamma(rng *rand.Rand, shape int) (sum float64) {
	for range shape {
		sum += rng.ExpFloat64()
	}
	return sum
}
