package detectors

import (
	"math"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// TestMathsAgreesWithTheLibrary: within 1e-12 everywhere, and far closer in the mean.
func TestMathsAgreesWithTheLibrary(t *testing.T) {
	positive := func(low, high float64) *rapid.Generator[float64] { // evenly by size
		return rapid.Map(rapid.Float64Range(math.Log2(low), math.Log2(high)), math.Exp2)
	}
	signed := func(most float64) *rapid.Generator[float64] {
		return rapid.OneOf(positive(1e-18, most), rapid.Map(positive(1e-18, most), func(x float64) float64 { return -x }), rapid.Just(0.0))
	}
	for _, c := range []struct {
		name         string
		ours, theirs func(float64) float64
		of           *rapid.Generator[float64]
	}{
		{"exp", exp, math.Exp, signed(700)},
		{"exp2", exp2, math.Exp2, signed(1000)},
		{"expm1", expm1, math.Expm1, signed(700)},
		{"log", log, math.Log, positive(1e-300, 1e300)},
		{"log about 1", log, math.Log, rapid.Map(signed(0.4), func(x float64) float64 { return 1 + x })},
		{"log1p", log1p, math.Log1p, rapid.OneOf(positive(1e-18, 1e18), rapid.Just(0.0))},
	} {
		t.Run(c.name, func(t *testing.T) {
			sum, n := 0.0, 0
			rapid.Check(t, func(t *rapid.T) {
				for _, x := range rapid.SliceOfN(c.of, 100, 100).Draw(t, "x") {
					got, want := c.ours(x), c.theirs(x)
					off := math.Abs(got - want)
					if want != 0 {
						off /= math.Abs(want)
					}
					if !(off <= 1e-12) {
						t.Fatalf("of %v it is %v, want %v: off by %.2g", x, got, want, off)
					}
					sum, n = sum+off, n+1
				}
			})
			if mean := sum / float64(n); !(mean < 1e-15) {
				t.Errorf("off by %.2g in the mean", mean)
			}
		})
	}
}

// TestMathsAtTheEdges: what lies beyond stays finite and in order.
func TestMathsAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"exp(0)", exp(0), 1},
		{"exp(-1000)", exp(-1000), exp(-700)},
		{"exp(∞)", exp(math.Inf(1)), exp(700)},
		{"exp2(-∞)", exp2(math.Inf(-1)), exp2(-1000)},
		{"exp2(-1)", exp2(-1), 0.5},
		{"expm1(0)", expm1(0), 0},
		{"log(1)", log(1), 0},
		{"log(2)", log(2), math.Ln2},
		{"log1p(0)", log1p(0), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	if !(log(math.Inf(1)) > 709) || !(log(0) < -708) {
		t.Errorf("log of ∞ and 0 is %v and %v, want more and less than that of any number", log(math.Inf(1)), log(0))
	}
}

// TestMathsHasTheseBits, on every machine.
func TestMathsHasTheseBits(t *testing.T) {
	sum := uint64(0)
	for i := range 4000 {
		x := float64(i)/64 + 1.0/3
		for _, y := range []float64{exp(x - 31), exp2(x - 31), expm1(x - 31), expm1(x / 4096), log(x), log(1 / x), log1p(x), log1p(x / 1e4)} {
			sum = bits.RotateLeft64(sum, 1) ^ math.Float64bits(y)
		}
	}
	if want := uint64(0x7ebaf1e520b601a0); sum != want {
		t.Errorf("the bits of 32,000 results add up to %#x, want %#x", sum, want)
	}
}

func BenchmarkMaths(b *testing.B) {
	xs := make([]float64, 1024)
	for i := range xs {
		xs[i] = float64(i*i%997)/500 + 0.001
	}
	for _, f := range []struct {
		name string
		f    func(float64) float64
	}{
		{"exp/ours", exp}, {"exp/math", math.Exp}, {"exp2/ours", exp2}, {"exp2/math", math.Exp2}, {"expm1/ours", expm1},
		{"expm1/math", math.Expm1}, {"log/ours", log}, {"log/math", math.Log}, {"log1p/ours", log1p}, {"log1p/math", math.Log1p},
	} {
		b.Run(f.name, func(b *testing.B) {
			x := 0.0
			for n := 0; b.Loop(); n++ {
				x = f.f(xs[n&1023] + float64(x*1e-20)) // one after the other, as in a formula
			}
		})
	}
}
