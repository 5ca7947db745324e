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

// onlineShare is what web and amazon want of each SKU, as multiples of a store's demand.
var onlineShare = map[string]float64{web: 1.2, amazon: 0.8}

// moodShape is the shape of the Gamma-distributed multiple by which a SKU's demand changes
// from day to day.
const moodShape = 4

// demand draws what people want until end.
func (s *Sim) demand(end inventory.Millis) {
	if s.now%inventory.Day == 0 {
		for i := range s.skus {
			s.skus[i].mood = s.gamma(moodShape) / moodShape
		}
	}
	at := s.now.Time()
	share := float64(slice) / float64(inventory.Hour) * byWeekday[at.Weekday()]
	counter, remote := byHour[at.Hour()]*share, byHourOnline[at.Hour()]*share
	for _, sh := range s.shelves {
		if sh.place.isCentre() {
			continue
		}
		for range s.poisson(sh.sku.perDay * sh.sku.mood * sh.place.size * counter) {
			units := s.units(sh.sku)
			s.at(s.between(s.now, end-1), func(at inventory.Millis) { s.sell(sh, units, at) })
		}
	}
	for i := range s.skus {
		k := &s.skus[i]
		for _, channel := range online {
			for range s.poisson(k.perDay * k.mood * onlineShare[channel] * remote) {
				units := s.units(k)
				s.at(s.between(s.now, end-1), func(at inventory.Millis) { s.orderOnline(i, channel, units, at) })
			}
		}
	}
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
