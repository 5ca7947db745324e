package detectors_test

import (
	"math"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTheRateIsOfExposureAlone: what sells while a key is held came in no exposure, and a count or a delivery
// ends a silence without a sale in it, which is to be remembered.
func TestTheRateIsOfExposureAlone(t *testing.T) {
	rate := func(live func(w *world)) float64 {
		w := newWorld(1000)
		for range 200 {
			live(w)
		}
		return w.figure(t, "rate_per_day")
	}
	sellEveryTen := func(w *world) {
		w.pass(10)
		w.sell()
	}
	want := rate(sellEveryTen)
	// Of 97 events in 970 hours that are remembered, and the location's rate, which is one a week.
	near(t, "the rate of a key that sells every ten hours", want, 24*(97+0.8)/(970+0.8*168), 0.1)
	near(t, "the rate with counts between", rate(func(w *world) {
		w.pass(6)
		w.see(inventory.Delta{Kind: inventory.Count, Quantity: 1000})
		w.pass(4)
		w.sell()
	}), want, 0.02)
	near(t, "the rate with deliveries between", rate(func(w *world) {
		w.pass(9)
		w.see(inventory.Delta{Kind: inventory.Receipt, Quantity: 5, Ref: "po"})
		w.pass(1)
		w.sell()
	}), want, 0.05)
	near(t, "the rate with sales while held", rate(func(w *world) {
		sellEveryTen(w)
		w.hold(true)
		w.pass(1)
		w.sell()
		w.hold(false)
	}), want, 0.02)
	if got := rate(func(w *world) { // a count of nothing: the silence was of an empty shelf
		w.pass(500)
		w.see(inventory.Delta{Kind: inventory.Count})
		w.see(inventory.Delta{Kind: inventory.Count, Quantity: 1000})
		sellEveryTen(w)
	}); got < 0.9*want {
		t.Errorf("the rate is %.3g a day with weeks of empty shelf between, want %.3g", got, want)
	}
}

func TestAFasterKeySaysSo(t *testing.T) {
	w := newWorld(10_000)
	arm := func() { w.belief.AlarmIn(&w.view, 0.8, 60*inventory.Day) }
	arm()
	rose := 0
	for range 300 {
		w.pass(1)
		if w.sell() {
			rose++
			arm()
		}
	}
	// From a sale a week to one an hour in steps of a quarter.
	if most := math.Log(168)/math.Log(1.25) + 1; rose == 0 || float64(rose) > most {
		t.Errorf("it said so %d times, want at least once and at most %.0f times", rose, most)
	}
}
