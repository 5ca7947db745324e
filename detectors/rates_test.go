package detectors

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

func lgamma(x float64) float64 { l, _ := math.Lgamma(x); return l }

func lchoose(n, k float64) float64 { return lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1) }

// TestTheBetaBinomialTail: against the textbook's formula, term by term.
func TestTheBetaBinomialTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, trialsMost).Draw(t, "trials")
		x := rapid.Int64Range(0, n).Draw(t, "came")
		strength := rapid.Float64Range(10, rateStrength).Draw(t, "strength")
		rate := rapid.Float64Range(0.001, 0.9).Draw(t, "rate")
		a, b := rate*strength, (1-rate)*strength
		lbeta := func(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }
		want := 0.0
		for k := x; k <= n; k++ {
			want += math.Exp(lchoose(float64(n), float64(k)) + lbeta(float64(k)+a, float64(n-k)+b) - lbeta(a, b))
		}
		if got := betaBinomialTail(n, x, a, b); math.Abs(got-want) > 1e-6*want+1e-12 {
			t.Fatalf("P(X ≥ %d) of %d at Beta(%v, %v) is %v, want %v", x, n, a, b, got, want)
		}
	})
}

// TestTheNegativeBinomialTail: against the textbook's formula, term by term.
func TestTheNegativeBinomialTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.Int64Range(0, 300).Draw(t, "events")
		shape := rapid.Float64Range(0.5, 4).Draw(t, "shape")
		mean := math.Exp2(rapid.Float64Range(-8, 7).Draw(t, "log mean"))
		want := 1.0
		if events > 0 {
			want = 0
			for k := float64(events); k < float64(events)+9000; k++ {
				want += math.Exp(lgamma(k+shape) - lgamma(shape) - lgamma(k+1) + shape*math.Log(shape/(shape+mean)) + k*math.Log(mean/(shape+mean)))
			}
		}
		if got := negativeBinomialTail(events, shape, mean); math.Abs(got-want) > 1e-5*want+1e-300 {
			t.Fatalf("P(X ≥ %d) at mean %v, shape %v is %v, want %v", events, mean, shape, got, want)
		}
	})
}

// TestARateEqualsANaiveOne: its present is what came within the last 24 hours by the clock, its past all before, forgotten by half over four weeks.
func TestARateEqualsANaiveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type event struct {
			at   inventory.Millis
			came bool
		}
		var all []event
		r, now := Rate{}, inventory.Millis(1_795_392_000_000)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now += inventory.Millis(rapid.Int64Range(0, int64(9*inventory.Hour)).Draw(t, "on"))
			e := event{now, rapid.Bool().Draw(t, "came")}
			all = append(all, e)
			r.Add(e.at, e.came)
		}
		n, x, past := int64(0), int64(0), 0.0
		for _, e := range all {
			switch age := now/inventory.Hour - e.at/inventory.Hour; {
			case age >= ratePanes && !e.came:
				past++
			case age >= ratePanes:
			case e.came:
				x++
			default:
				n++
			}
		}
		if r.nowN != n || r.nowX != x || r.pastN > past {
			t.Fatalf("present %d of %d, past of %v; want %d of %d, and at most %v", r.nowX, r.nowN, r.pastN, x, n, past)
		}
		var again Rate
		again.read(wire.NewReader(r.append(nil)))
		if again != r {
			t.Fatalf("%+v is read as %+v", r, again)
		}
	})
}

// TestWorkIsForgottenAndHeldAgainstCapacity.
func TestWorkIsForgottenAndHeldAgainstCapacity(t *testing.T) {
	start := inventory.Millis(1_795_392_000_000)
	var w Work
	see := func(kind inventory.Kind, q int64, at inventory.Millis) {
		w.See(&inventory.Delta{Kind: kind, Quantity: q, Time: start + at, Due: start + at + 8*inventory.Hour}, start+at)
	}
	want := func(what string, waiting, left int64) {
		t.Helper()
		if got, _ := w.left(0); w.waiting() != waiting || got != left {
			t.Errorf("%s: %d waiting and %d left, want %d and %d", what, w.waiting(), got, waiting, left)
		}
	}
	see(inventory.TaskDone, 2, 0)
	see(inventory.Task, 5, 0)
	want("done before it was known", 3, 0)
	see(inventory.Capacity, 4, inventory.Hour)
	see(inventory.TaskDone, 1, 2*inventory.Hour)
	want("done takes off both", 2, 3)
	see(inventory.Task, 7, inventory.Day)
	see(inventory.TaskDone, 3, inventory.Day)
	want("the oldest is done first", 6, 0)
	see(inventory.Task, 1, 3*inventory.Day)
	want("the first day's is forgotten", 7, 0)
	see(inventory.Task, 1, 4*inventory.Day)
	want("and the second's", 2, 0)
	var again Work
	again.read(wire.NewReader(w.append(nil)))
	if again != w {
		t.Errorf("%+v is read as %+v", w, again)
	}
}
