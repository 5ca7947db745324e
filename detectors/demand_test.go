package detectors

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestTheFiguresOfTheLiterature are those by which buffers are checked: demand of so many units an hour within a lag of so many
// minutes, Poisson or with a dispersion of 2.
func TestTheFiguresOfTheLiterature(t *testing.T) {
	dispersed := func(mean float64) demand { return demand{mean, mean + mean*mean/2} }
	poisson := func(mean float64) demand { return demand{mean, mean} }
	for _, c := range []struct {
		what   string
		d      demand
		q, q10 int64 // 99 % and 99.9 %
	}{
		{"60 an hour, 5 minutes", poisson(5), 11, 13},
		{"60 an hour, 5 minutes, dispersed", dispersed(5), 19, 26},
		{"6 an hour, 30 minutes", poisson(3), 8, 10},
		{"6 an hour, 30 minutes, dispersed", dispersed(3), 12, 17},
	} {
		if got, got10 := c.d.quantile(0.01), c.d.quantile(0.001); got != c.q || got10 != c.q10 {
			t.Errorf("%s: buffers are %d and %d, want %d and %d", c.what, got, got10, c.q, c.q10)
		}
	}
	for _, c := range []struct {
		mean float64
		atp  int64
		want string
	}{{5, 10, "3.2 %"}, {3, 3, "57.7 %"}} {
		if got := fmt.Sprintf("%.1f %%", 100*poisson(c.mean).beyond(c.atp-1)); got != c.want {
			t.Errorf("%d to promise and %g expected: sold out at %s, want %s", c.atp, c.mean, got, c.want)
		}
	}
}

// TestDemandIsADistribution: what is left falls with n, a quantile is where it first is low enough, and where
// probabilities are no longer added up, the smooth curve goes on from there.
func TestDemandIsADistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mean := math.Exp(rapid.Float64Range(-6, 8).Draw(t, "log of the mean"))
		d := demand{mean, mean * (1 + math.Exp(rapid.Float64Range(-20, 3).Draw(t, "log of the excess")))}
		p := math.Exp(rapid.Float64Range(-9, -0.1).Draw(t, "log of p"))
		n := d.quantile(p)
		if left := d.beyond(n); left > p {
			t.Fatalf("%+v: at the quantile %d of %g, %g is left", d, n, p, left)
		}
		if n > 0 && n <= smoothDigits && d.beyond(n-1) <= p {
			t.Fatalf("%+v: the quantile of %g is %d, but at %d only %g is left", d, p, n, n-1, d.beyond(n-1))
		}
		if least := n - n/512; n > smoothDigits && d.beyond(least-1) <= p {
			t.Fatalf("%+v: the quantile of %g is %d, but at %d only %g is left", d, p, n, least-1, d.beyond(least-1))
		}
		if d.beyond(-1) != 1 || d.beyond(math.MaxInt64/4) > 1e-9 {
			t.Fatalf("%+v: %g is above −1, %g above all", d, d.beyond(-1), d.beyond(math.MaxInt64/4))
		}
	})
}

// TestDemandEqualsItsDefinition: probabilities as the textbook writes them, by the Gamma function.
func TestDemandEqualsItsDefinition(t *testing.T) {
	for _, d := range []demand{{0.01, 0.01}, {0.3, 0.5}, {5, 5}, {5, 17.5}, {60, 60}, {60, 600}, {250, 250}, {250, 5000}} {
		left := 1.0
		for n := range int64(1000) {
			left -= math.Exp(logProbability(d, float64(n)))
			if got := d.beyond(n); math.Abs(got-left) > 1e-9 {
				t.Fatalf("%+v: P(D > %d) is %g, want %g", d, n, got, left)
			}
		}
	}
}

func logProbability(d demand, n float64) float64 {
	factorial, _ := math.Lgamma(n + 1)
	if d.variance == d.mean {
		return n*math.Log(d.mean) - d.mean - factorial
	}
	k := d.mean * d.mean / (d.variance - d.mean)
	a, _ := math.Lgamma(n + k)
	b, _ := math.Lgamma(k)
	return a - b - factorial + k*math.Log(k/(k+d.mean)) + n*math.Log(d.mean/(k+d.mean))
}

// TestTheSmoothCurveIsNear: just below where it takes over it says what adding up says, to a hundredth and a few units.
func TestTheSmoothCurveIsNear(t *testing.T) {
	for _, d := range []demand{{200, 200}, {200, 2000}, {256, 256}, {256, 20000}} {
		for _, p := range []float64{0.5, 0.1, 0.01, 0.0025} {
			n := d.quantile(p)
			if got, want := d.smooth(n), d.beyond(n); math.Abs(got-want) > 0.01 {
				t.Errorf("%+v: P(D > %d) is %g by the curve, want %g", d, n, got, want)
			}
		}
	}
	for z, want := range map[float64]float64{0: 0.5, 1: 0.15865525, -1: 0.84134475, 2.3263479: 0.01, 3: 0.00134990} {
		if got := normalBeyond(z); math.Abs(got-want) > 1e-7 {
			t.Errorf("beyond %g deviations is %g, want %g", z, got, want)
		}
	}
}
