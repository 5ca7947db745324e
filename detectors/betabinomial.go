package detectors

import (
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// ratePanes is how many hours are the present, which a rate is judged by; what is older is its past.
	ratePanes = 24

	// rateStrength bounds how many trials the past counts as, however many it had: rates drift, and a present that differs from
	// it by less than that is none of anybody's concern.
	rateStrength = 200

	// trialsMost is how many trials the present is brought down to before it is judged, in proportion: more would say with
	// ever more certainty what is clear already.
	trialsMost = 400
)

// Rate is how many of some trials came out one way: by the hour over the last day, and before that all together, forgotten by half
// over four weeks.
type Rate struct {
	hour       int64 // of the newest pane; 0: nothing came yet
	n, x       [ratePanes]uint32
	pastN      float64
	pastX      float64
	nowN, nowX int64 // sums of the panes
}

// Add counts a trial, or one that came out so, as of a moment that is never before the last.
func (r *Rate) Add(now inventory.Millis, came bool) {
	r.advance(now)
	at := r.hour % ratePanes
	if came {
		r.x[at]++
		r.nowX++
		return
	}
	r.n[at]++
	r.nowN++
}

func (r *Rate) advance(now inventory.Millis) {
	hour := int64(now / inventory.Hour)
	if r.hour == 0 {
		r.hour = hour
	}
	if hour == r.hour {
		return
	}
	steps := min(hour-r.hour, ratePanes)
	for i := range steps {
		at := (r.hour + 1 + i) % ratePanes
		r.pastN += float64(r.n[at])
		r.pastX += float64(r.x[at])
		r.nowN -= int64(r.n[at])
		r.nowX -= int64(r.x[at])
		r.n[at], r.x[at] = 0, 0
	}
	keep := discount(float64(hour - r.hour))
	r.pastN = float64(r.pastN * keep)
	r.pastX = float64(r.pastX * keep)
	r.hour = hour
}

// usual returns the rate of the past, and what it counts for in trials. Of that little is known at first, and it is
// held to be priorRate, of priorTrials.
func (r *Rate) usual(priorRate, priorTrials float64) (rate, strength float64) {
	trials := r.pastN + priorTrials
	came := min(r.pastX, r.pastN) + float64(priorRate*priorTrials)
	return came / trials, min(trials, rateStrength)
}

// tail returns the chance that so many or more of the present's trials come out so, if its rate is a draw from a Beta
// distribution about the usual one: the upper tail of the beta-binomial.
func (r *Rate) tail(rate, strength float64) float64 {
	n, x := r.nowN, r.nowX
	x = min(x, n)
	if n > trialsMost {
		n, x = trialsMost, x*trialsMost/n
	}
	return betaBinomialTail(n, x, float64(rate*strength), float64((1-rate)*strength))
}

// betaBinomialTail returns P(X ≥ x) of n trials with a rate that is Beta(a, b).
func betaBinomialTail(n, x int64, a, b float64) float64 {
	p := 1.0 // P(X = 0) = Π (b+i)/(a+b+i)
	for i := range n {
		p = float64(p * ((b + float64(i)) / (a + b + float64(i))))
	}
	below := 0.0
	for k := range x {
		below += p
		p = float64(p * (float64(n-k) / float64(k+1)) * ((a + float64(k)) / (b + float64(n-k-1))))
	}
	tail := p // P(X = x) and on: small tails are lost in 1 − below
	for k := x; k < n && p > tail*1e-9; k++ {
		p = float64(p * (float64(n-k) / float64(k+1)) * ((a + float64(k)) / (b + float64(n-k-1))))
		tail += p
	}
	if x == 0 {
		return 1
	}
	return min(tail, max(1-below, tail))
}

func (r *Rate) append(dst []byte) []byte {
	dst = wire.AppendInt(dst, r.hour)
	for i := range r.n {
		dst = wire.AppendUint(dst, uint64(r.n[i]))
		dst = wire.AppendUint(dst, uint64(r.x[i]))
	}
	return wire.AppendFloat(wire.AppendFloat(dst, r.pastN), r.pastX)
}

func (r *Rate) read(in *wire.Reader) {
	*r = Rate{hour: in.Int()}
	if r.hour < 0 {
		in.Fail(wire.ErrShort)
		r.hour = 0
	}
	for i := range r.n {
		r.n[i], r.x[i] = uint32(in.Uint()), uint32(in.Uint())
		r.nowN += int64(r.n[i])
		r.nowX += int64(r.x[i])
	}
	r.pastN, r.pastX = in.Float(), in.Float()
}
