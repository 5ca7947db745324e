package detectors

import "math"

// demand is how many units are asked for within some span: negative binomial with that mean and variance, and Poisson
// where the variance is no greater than the mean. A Poisson demand over a span that is Gamma distributed is exactly that.
type demand struct{ mean, variance float64 }

const (
	summedMean      = 256                  // up to which probabilities are added up one by one
	summedDeviation = 256                  // likewise, its standard deviation
	summedMost      = 16 * summedDeviation // beyond which nothing is left then that would count
	poissonMost     = 1 + 1e-6             // variance to mean up to which it is Poisson
	smoothDigits    = 1 << 10              // to how many a quantile is told that is not added up
	boundDeviations = 64                   // of demand that is not added up, at which a quantile is no longer looked for
)

// beyond returns P(D > n).
func (d demand) beyond(n int64) float64 {
	switch {
	case n < 0:
		return 1
	case d.mean <= 0:
		return 0
	case d.summed():
		_, p := d.walk(n, -1)
		return p
	}
	return d.smooth(n)
}

// quantile returns the least n of which P(D > n) ≤ p, the 1−p quantile; a great one is rounded up by a thousandth at most.
func (d demand) quantile(p float64) int64 {
	switch {
	case d.mean <= 0:
		return 0
	case d.summed():
		n, _ := d.walk(summedMost, p)
		return n
	}
	low, high := int64(-1), int64(min(d.mean+float64(boundDeviations*math.Sqrt(d.variance)), 1<<60))
	for high-low > 1 { // smooth(low) > p, and smooth(high) ≤ p or high is where looking ends
		if middle := low + (high-low)/2; d.smooth(middle) > p {
			low = middle
		} else {
			high = middle
		}
	}
	unit := int64(1) // to ten binary digits, upwards: the curve is no better
	for high > smoothDigits*unit {
		unit *= 2
	}
	return (high + unit - 1) / unit * unit
}

func (d demand) summed() bool {
	return d.mean <= summedMean && d.variance <= summedDeviation*summedDeviation
}

// walk adds up the probabilities of 0, 1, 2 and so on, up to n or until what is left is p at most. It returns where it
// ended and what is left.
func (d demand) walk(n int64, p float64) (at int64, left float64) {
	// Probabilities follow from one another: P(i+1) = P(i) · (base + slope·i) / (i+1).
	base, slope := d.mean, 0.0
	term := 0.0
	if d.variance > d.mean*poissonMost {
		k := float64(d.mean*d.mean) / (d.variance - d.mean)
		slope = (d.variance - d.mean) / d.variance
		base = float64(k * slope)
		term = exp(-k * log(1+d.mean/k))
	} else {
		term = exp(-d.mean)
	}
	n = min(n, summedMost)
	for left = 1 - term; at < n && left > p; {
		term = float64(term * ((base + float64(slope*float64(at))) / float64(at+1)))
		left -= term
		at++
	}
	return at, max(left, 0)
}

// smooth is beyond where too many probabilities would have to be added up: the Gamma distribution of that mean and variance,
// by the approximation of Wilson and Hilferty.
func (d demand) smooth(n int64) float64 {
	shape := float64(d.mean*d.mean) / d.variance
	root := exp(log((float64(n)+0.5)/d.mean) / 3)
	return normalBeyond((root - 1 + 1/float64(9*shape)) * float64(3*math.Sqrt(shape)))
}

// normalBeyond returns P(Z > z) of a standard normal Z, to 1e-7: Abramowitz and Stegun, 26.2.17.
func normalBeyond(z float64) float64 {
	if z < 0 {
		return 1 - normalBeyond(-z)
	}
	t := 1 / (1 + float64(0.2316419*z))
	sum := 0.0
	for _, b := range [...]float64{1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530} {
		sum = float64((sum + b) * t)
	}
	const perRootTwoPi = 0.3989422804014327
	return float64(perRootTwoPi * exp(float64(-0.5*z)*z) * sum)
}
