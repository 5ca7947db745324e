package baseline

import (
	"hash/fnv"
	"math"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// sprtRatio is the rate of a shelf with nothing on it in the sequential test, as a share of its own: not 0, for mis-scans sell
	// what is not there. sprtLow is ln(β/(1−α)) at α = 0.01, β = 0.1.
	sprtRatio = 0.1
	sprtLow   = -2.29

	// cusumDrift is what CUSUM adds for each event that was to be expected: it looks for a rate of a half.
	cusumDrift = 0.5
)

// rule is one baseline.
type rule struct {
	name  string
	score func(b *Board, k *shelf, s *silence) float64
}

// silence is how long a key has not sold.
type silence struct {
	key  inventory.Key
	now  float64 // clock
	days float64 // of trade
	rate float64 // events a day of trade
}

// LowStock is the name of the rule that holdfast's count list is held against.
const LowStock = "low recorded stock"

var rules = []rule{
	{"random", func(b *Board, _ *shelf, s *silence) float64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(s.key.SKU + "\x00" + s.key.Location + strconv.FormatUint(b.salt, 10) + strconv.Itoa(int(s.now))))
		return float64(h.Sum64()>>11) / (1 << 53)
	}},
	// Where the record says 0 somebody looks. What it says is there it never doubts.
	{"zero balance", func(_ *Board, k *shelf, _ *silence) float64 {
		if k.onHand <= 0 {
			return 1
		}
		return 0
	}},
	{LowStock, func(_ *Board, k *shelf, _ *silence) float64 { return -float64(k.onHand) }},
	{"days since last sale", func(_ *Board, _ *shelf, s *silence) float64 { return s.days }},
	// P(no sale) = e^−Λ.
	{"poisson", func(_ *Board, _ *shelf, s *silence) float64 { return s.rate * s.days }},
	// The product of the shares of days on which the key sold nothing, over the days of the run.
	{"zero-run product", func(_ *Board, k *shelf, s *silence) float64 {
		return -s.days * math.Log((k.zeros+1)/(k.days+2))
	}},
	// P(no sale in so many days) = (1 + μ/k)^(−k·days).
	{"nb zero run", func(b *Board, _ *shelf, s *silence) float64 {
		shape := b.shape()
		return s.days * shape * math.Log1p(s.rate/shape)
	}},
	// Each sale takes the sum below its lower bound, from which it starts anew.
	{"sprt", func(_ *Board, _ *shelf, s *silence) float64 {
		return math.Max((1-sprtRatio)*s.rate*s.days, sprtLow)
	}},
	{"cusum", func(_ *Board, k *shelf, s *silence) float64 {
		until := s.now
		if k.paused != 0 {
			until = k.paused
		}
		return k.cusum + cusumDrift*s.rate*max(until-k.cusumAt, 0)
	}},
	// How many orders' picks came up empty since stock was last seen: what a store manager goes by.
	{"nil picks", func(_ *Board, k *shelf, _ *silence) float64 { return float64(k.nilPicks) }},
}

// Names returns the baselines' names, in the order of their scores.
func Names() []string {
	names := make([]string, len(rules))
	for i := range rules {
		names[i] = rules[i].name
	}
	return names
}

// Scores sets dst, which has a place for each, to what the baselines say of a key; all 0 where no delta has named it.
func (b *Board) Scores(key inventory.Key, at inventory.Millis, dst []float64) {
	k := b.keys[key]
	if k == nil {
		clear(dst)
		return
	}
	b.turn(k, at)
	now := b.clock.at(at)
	s := silence{key, now, max(k.silence(now), 0), b.rate(k)}
	for i := range rules {
		dst[i] = rules[i].score(b, k, &s)
	}
}
