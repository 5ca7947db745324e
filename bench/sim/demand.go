package sim

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// byHour is the share of a day's demand over the counter in each hour: stores are open
// from 9 to 20. byHourOnline is that of the channels that never close.
var (
	byHour       = [24]float64{9: .05, 10: .07, 11: .09, 12: .12, 13: .1, 14: .08, 15: .08, 16: .1, 17: .13, 18: .12, 19: .06}
	byHourOnline = [24]float64{.015, .01, .005, .005, .005, .01, .02, .03, .045, .05, .055, .055, .055, .05, .05, .05, .05, .055, .06, .075, .085, .08, .055, .03}
	byWeekday    = [7]float64{1.2, .8, .8, .85, .95, 1.15, 1.25} // from Sunday
)

// onlineShare is what each channel wants of a SKU, by channel, as a multiple of a store's demand.
var onlineShare = [len(online)]float64{1.2, 0.8}

const (
	// moodShape is the shape of the Gamma-distributed multiple by which a SKU's demand changes
	// from day to day.
	moodShape = 4

	promosADay  = 0.01 // of SKUs: how many begin to be promoted
	promoFor    = 2 * inventory.Day
	upliftLeast = 0.5
	upliftMost  = 2.0
)

// dawn draws what kind of day it will be for each SKU.
func (s *Sim) dawn() {
	for _, k := range s.skus {
		k.mood = s.gamma(moodShape) / moodShape
		k.perDay *= 1 + k.trend
		if s.now >= k.promoTill && s.chance(promosADay) {
			s.promote(k)
		}
	}
	for _, sh := range s.shelves {
		sh.forget(s.now - historyDays*inventory.Day)
	}
}

// promote begins a promotion of a SKU in every store, and says so.
func (s *Sim) promote(k *sku) {
	k.promoTill = s.now + promoFor
	k.uplift = 1 + upliftLeast + (upliftMost-upliftLeast)*s.rng.Float64()
	for place := range s.config.Stores {
		d := s.shelf(place, k.number).delta(inventory.Promo, int64(math.Round(100*(k.uplift-1))))
		d.Ref, d.Due = "promo-"+k.name, k.promoTill
		s.send(s.erp, s.now, d)
	}
}

// demand draws what people want in the hour that begins.
func (s *Sim) demand() {
	end := s.now + inventory.Hour - 1
	at := s.now.Time()
	weekday := byWeekday[at.Weekday()]
	counter, remote := byHour[at.Hour()]*weekday, byHourOnline[at.Hour()]*weekday
	for _, sh := range s.shelves {
		if sh.place.isCentre() || counter == 0 {
			continue
		}
		for range s.poisson(sh.sku.today(s.now) * sh.place.size * counter) {
			units := s.units(sh.sku)
			s.at(s.between(s.now, end), func(at inventory.Millis) { s.sell(sh, units, at) })
		}
	}
	for _, k := range s.skus {
		for channel := range online {
			for range s.poisson(k.today(s.now) * onlineShare[channel] * remote) {
				units := s.units(k)
				s.at(s.between(s.now, end), func(at inventory.Millis) { s.orderOnline(k, channel, units, at) })
			}
		}
	}
}

// today is perDay as it is now.
func (k *sku) today(now inventory.Millis) float64 {
	if now < k.promoTill {
		return k.perDay * k.mood * k.uplift
	}
	return k.perDay * k.mood
}

// units draws what one customer takes.
func (s *Sim) units(k *sku) int64 {
	n := int64(1)
	for more := k.clump / (1 + k.clump); s.chance(more); {
		n++
	}
	return n
}

// poisson draws a count (Knuth's method: the means here are small).
func (s *Sim) poisson(mean float64) int {
	limit, n := math.Exp(-mean), 0
	for p := s.rng.Float64(); p > limit; p *= s.rng.Float64() {
		n++
	}
	return n
}

// gamma draws from a Gamma distribution of a whole shape and rate 1.
func (s *Sim) gamma(shape int) (sum float64) {
	for range shape {
		sum += s.rng.ExpFloat64()
	}
	return sum
}
