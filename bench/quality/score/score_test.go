package score

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

func TestAveragePrecision(t *testing.T) {
	near(t, "a perfect order", AveragePrecision(Curve([]Judged{{3, true}, {2, true}, {1, false}})), 1)
	near(t, "the only true one second", AveragePrecision(Curve([]Judged{{3, false}, {2, true}, {1, false}})), 0.5)
	near(t, "true ones first and third", AveragePrecision(Curve([]Judged{{3, true}, {2, false}, {1, true}})), 0.5+0.5*2/3)
	near(t, "a score that says nothing", AveragePrecision(Curve([]Judged{{1, true}, {1, false}, {1, false}, {1, false}})), 0.25)
	if curve := Curve([]Judged{{1, false}}); curve != nil {
		t.Errorf("nothing was true, and there is a curve: %v", curve)
	}
}

// TestACurveRises: recall never falls from point to point, ends at 1, and no precision is beyond 1.
func TestACurveRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		judged := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Judged {
			return Judged{float64(rapid.IntRange(0, 9).Draw(t, "score")), rapid.Bool().Draw(t, "true")}
		}), 1, 50).Draw(t, "judged")
		recall := 0.0
		curve := Curve(judged)
		for _, p := range curve {
			if p.Recall < recall || p.Precision < 0 || p.Precision > 1 {
				t.Fatalf("%v after a recall of %g", p, recall)
			}
			recall = p.Recall
		}
		if len(curve) > 0 && recall != 1 {
			t.Fatalf("the last recall is %g", recall)
		}
		if thin := Thin(curve, 4); len(thin) > 5 {
			t.Fatalf("%d points are left of at most 4", len(thin))
		}
	})
}

func TestCalibrationError(t *testing.T) {
	bins := Calibration([]Judged{{0.8, true}, {0.8, true}, {0.8, true}, {0.8, false}, {0.1, false}, {1, true}}, 10)
	if len(bins) != 3 {
		t.Fatalf("bins %+v", bins)
	}
	near(t, "the error", CalibrationError(bins), (4*0.05+0.1)/6)
	near(t, "the error of nothing", CalibrationError(nil), 0)
}

func TestQuantile(t *testing.T) {
	near(t, "the median", Quantile([]float64{5, 1, 3}, 0.5), 3)
	if q := Quantile([]float64{1, math.Inf(1), math.Inf(1)}, 0.5); !math.IsInf(q, 1) {
		t.Errorf("most never came, and the median is %g", q)
	}
	if q := Quantile(nil, 0.5); !math.IsNaN(q) {
		t.Errorf("the median of nothing is %g", q)
	}
}
