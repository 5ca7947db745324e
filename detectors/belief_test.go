package detectors_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// gammaSilence is the probability that a key sells nothing for u hours, its rate being Gamma(a, b):
// the integral over the rate, by Simpson's rule.
func gammaSilence(a, b, u float64) float64 {
	const steps = 20_000
	most := (a + 30*math.Sqrt(a) + 30) / b
	h := most / steps
	norm, silent := 0.0, 0.0
	for i := range steps + 1 {
		rate := float64(i) * h
		weight := 4.0
		switch {
		case i == 0 || i == steps:
			weight = 1
		case i%2 == 0:
			weight = 2
		}
		density := math.Pow(rate, a-1) * math.Exp(-b*rate)
		norm += weight * density
		silent += weight * density * math.Exp(-rate*u)
	}
	return silent / norm
}

// TestTheProbabilityIsBayes holds the filter against the definition: a rate learned from discounted
// events over discounted exposure, the chance of silence as an integral over it, and Bayes' rule.
func TestTheProbabilityIsBayes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(1000)
		var waits []float64
		for range rapid.IntRange(0, 30).Draw(t, "sales") {
			wait := float64(rapid.IntRange(1, 300).Draw(t, "wait")) / 4
			waits = append(waits, wait)
			w.pass(wait)
			w.sell()
		}
		silent := float64(rapid.IntRange(0, 2000).Draw(t, "silent")) / 4
		w.pass(silent)

		const halfLife = 28 * 24.0
		events, exposure, since := 0.0, 0.0, 0.0
		for i := len(waits) - 1; i >= 0; i-- {
			events += math.Exp2(-since / halfLife)
			since += waits[i]
			exposure += waits[i] * math.Exp2(-since/halfLife) * math.Exp2(waits[i]/halfLife)
		}
		const pooled = 1 / 168.0 // an event a week, until the location has shown more
		rate := (0.8 + events) / (0.8/pooled + exposure)
		shape := min(0.8+events, 8)
		spread := 1 / (1/shape + 1/(4*(1+silent/24)))
		prior, last := 0.001, 0.0
		if n := w.view.OnHand; n <= 50 {
			prior += 0.3 * math.Exp(-float64(n)/1.3)
			last = 2 * math.Exp(-float64(n)/2)
		}
		// What vanishes at some hour was there before, and is silent since.
		const steps = 2000
		ratio := func(u float64) float64 { return math.Pow(1+rate*u/spread, spread) }
		if spread > 1 && silent > 0 {
			near(t, "the ratio, as an integral over the rate", ratio(silent)*gammaSilence(spread, spread/rate, silent), 1, 1e-3)
		}
		odds := prior / (1 - prior) * ratio(silent)
		for i := range steps {
			at := silent * (float64(i) + 0.5) / steps
			odds += 0.0025 / 24 * (1 + last) * silent / steps * ratio(silent) / ratio(at)
		}
		want := odds / (1 + odds)
		near(t, fmt.Sprintf("the probability after %d sales and %.1f hours", len(waits), silent), w.probability(), want, 1e-3)
	})
}

// TestSilenceAloneNeedsThisManyExpectedSales are from DOMAIN: 2 % to 80 % is 5.28 nats, which s·ln(1 + expected/s) has to reach.
func TestSilenceAloneNeedsThisManyExpectedSales(t *testing.T) {
	nats := logit(0.8) - logit(0.02)
	near(t, "2 % to 80 %", nats, 5.28, 0.005)
	for _, c := range []struct {
		name  string
		sales int
		shape float64 // of the rate
	}{
		{"a key that never sold", 0, 0.8},
		{"a key that sold once", 1, 1.8},
		{"a key that sold a thousand times, whose rate drifts all the same", 1000, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(5000)
			for range 20_000 {
				w.feed.Learn(0.1) // a location where things sell so fast that nothing vanishes meanwhile
			}
			for range c.sales {
				w.pass(0.1)
				w.sell()
			}
			raise := 1 / (1 + math.Exp(-(w.odds() + nats)))
			in, ok := w.belief.AlarmIn(&w.view, raise, 1000*inventory.Day)
			if !ok {
				t.Fatal("no alarm in a thousand days")
			}
			rate := w.figure(t, "rate_per_day") / float64(inventory.Day)
			spread := 1 / (1/c.shape + 1/(4*(1+float64(in)/float64(inventory.Day))))
			want := spread * math.Expm1(nats/spread)
			if got := float64(in) * rate; got > 1.02*want || got < 0.9*want && c.sales > 0 { // what vanishes meanwhile hurries it
				t.Errorf("the alarm comes after %.2f expected sales, want %.2f", got, want)
			}
		})
	}
}

// TestTheAlarmIsWhenTheProbabilityGetsThere: the timer is the inverse of the log-odds, from any state.
func TestTheAlarmIsWhenTheProbabilityGetsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(500)
		for range rapid.IntRange(5, 60).Draw(t, "sales") {
			w.pass(float64(rapid.IntRange(1, 40).Draw(t, "wait")) / 10)
			w.sell()
		}
		w.pass(float64(rapid.IntRange(0, 20).Draw(t, "silent")) / 10)
		if rapid.Bool().Draw(t, "a pick failed") {
			w.pickFails("o1")
		}
		const raise = 0.8
		in, ok := w.belief.AlarmIn(&w.view, raise, 60*inventory.Day)
		if !ok {
			t.Fatalf("no alarm in 60 days at %v", w.probability())
		}
		first := in
		for fired := 1; ; fired++ { // it may be early, and is set again then
			w.pass(float64(in) / float64(inventory.Hour))
			if p := w.probability(); p > raise+0.001 {
				t.Fatalf("%.4f already when alarm %d fires", p, fired)
			}
			if in, ok = w.belief.AlarmIn(&w.view, raise, 60*inventory.Day); !ok {
				t.Fatalf("no alarm in 60 days at %v, the first being in %d ms", w.probability(), first)
			}
			if in < inventory.Minute {
				break
			}
			if fired == 20 {
				t.Fatalf("alarm %d is still %d ms off, the first was %d", fired, in, first)
			}
		}
		near(t, "the probability when the alarm has nothing to wait for", w.probability(), raise, 0.001)
	})
}

func TestNoAlarmWhereSilenceSaysNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world)
	}{
		{"held", func(w *world) { w.hold(true) }},
		{"nothing on record", func(w *world) { w.see(inventory.Delta{Kind: inventory.Count}) }},
	} {
		w := newWorld(10)
		if !w.belief.Waiting() {
			t.Errorf("%s: not even waiting before", c.name)
		}
		c.do(w)
		if _, ok := w.belief.AlarmIn(&w.view, 0.8, 60*inventory.Day); ok || w.belief.Waiting() {
			t.Errorf("%s: an alarm is set all the same", c.name)
		}
	}
	w := newWorld(10)
	if _, ok := w.belief.AlarmIn(&w.view, 0.8, inventory.Day); ok {
		t.Error("an alarm is set beyond the most that was asked for")
	}
	var unknown detectors.Belief
	if _, ok := unknown.AlarmIn(&w.view, 0.8, 60*inventory.Day); ok || unknown.Waiting() {
		t.Error("an alarm is set for a key that nobody has seen")
	}
}

// TestAnEmptyPick are DOMAIN's check figures: ln(0.97/p) where a share p of picks fails anyway.
func TestAnEmptyPick(t *testing.T) {
	for _, c := range []struct {
		percent int
		odds    float64
	}{{5, 2.97}, {16, 1.80}} {
		w := newWorld(20)
		for i := range 4000 {
			w.feed.Picked(empty(i*c.percent%100 < c.percent))
		}
		near(t, "the share of picks that fail anyway", w.figure(t, "location_empty_rate"), float64(c.percent)/100, 0.003)
		before := w.odds()
		w.pickFails("o1")
		near(t, "what one adds", w.odds()-before, c.odds, 0.04)
		w.pickFails("o1")
		near(t, "what one adds that is tried again", w.odds()-before, c.odds, 0.04)
		near(t, "the count of them", w.figure(t, "empty_picks"), 1, 0)
	}
}

// empty is a pick's share of emptiness.
func empty(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func TestTwoEmptyPicksAloneCross(t *testing.T) {
	w := newWorld(4) // a doubt of 1.5 % to begin with
	near(t, "the prior", w.probability(), 0.015, 0.001)
	for i := range 2000 {
		w.feed.Picked(empty(i%20 == 0))
	}
	if !w.pickFails("o1") {
		t.Error("an empty pick did not raise the belief")
	}
	if p := w.probability(); p >= 0.8 {
		t.Errorf("%.2f after one empty pick", p)
	}
	w.pickFails("o2")
	if p := w.probability(); p < 0.8 {
		t.Errorf("%.2f after two empty picks", p)
	}
	for i := range 50 {
		w.pickFails(fmt.Sprint("p", i))
	}
	near(t, "what any number of them adds", w.figure(t, "log_odds_picks"), 8, 0)
	for range 50 {
		w.see(inventory.Delta{Kind: inventory.Adjust, Quantity: 1})
	}
	near(t, "what any number of finds takes off", w.figure(t, "log_odds_picks"), -8, 0)
}

func TestWhatDeltasSayOfTheStock(t *testing.T) {
	prior := func(n int64) float64 { return 0.001 + 0.3*math.Exp(-float64(n)/1.3) }
	suspect := func(w *world) float64 { // one empty pick: about one in four
		w.pickFails("o1")
		return w.probability()
	}
	for _, c := range []struct {
		name string
		d    inventory.Delta
		want func(before float64) float64
	}{
		{"a sale proves that it was there; was it the last?", inventory.Delta{Kind: inventory.Sale, Quantity: 2},
			func(float64) float64 { return prior(8) }},
		{"so does a good pick", inventory.Delta{Kind: inventory.Ship, Quantity: 8, Ref: "o2"},
			func(float64) float64 { return prior(2) }},
		{"a count is better", inventory.Delta{Kind: inventory.Count, Quantity: 4},
			func(float64) float64 { return prior(4) / 10 }},
		{"of what comes in nearly all is there", inventory.Delta{Kind: inventory.Receipt, Quantity: 10, Ref: "po"},
			func(p float64) float64 { return p / 50 }},
		{"however it comes in", inventory.Delta{Kind: inventory.TransferIn, Quantity: 10, Ref: "t"},
			func(p float64) float64 { return p / 50 }},
		{"and so does what comes back", inventory.Delta{Kind: inventory.Return, Quantity: 1, Reason: "sellable"},
			func(p float64) float64 { return p / 50 }},
		{"but for what comes back broken", inventory.Delta{Kind: inventory.Return, Quantity: 1, Reason: "damaged"},
			func(p float64) float64 { return p }},
		{"a correction downwards", inventory.Delta{Kind: inventory.Adjust, Quantity: -1},
			func(p float64) float64 { return sigmoid(logit(p) + 0.3) }},
		{"and upwards", inventory.Delta{Kind: inventory.Adjust, Quantity: 1},
			func(p float64) float64 { return sigmoid(logit(p) - 1) }},
		{"something else was sent", inventory.Delta{Kind: inventory.Substitute, Quantity: 1, Ref: "o2"},
			func(p float64) float64 { return sigmoid(logit(p) + 1.2) }},
		{"a listing says nothing", inventory.Delta{Kind: inventory.Listing, Quantity: 5, Channel: "web"},
			func(p float64) float64 { return p }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(10)
			before := suspect(w)
			rose := w.see(c.d)
			near(t, "the probability", w.probability(), c.want(before), 1e-6)
			if higher := w.probability() > before; rose && c.d.Kind != inventory.Sale && c.d.Kind != inventory.Ship && !higher {
				t.Error("the belief is said to have risen, and has not")
			} else if higher && !rose {
				t.Error("the belief has risen, and nobody says so")
			}
		})
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func TestStockVanishesFasterWhereItIsCorrectedDownwards(t *testing.T) {
	after := func(corrections int) float64 {
		w := newWorld(10)
		for range corrections {
			w.see(inventory.Delta{Kind: inventory.Adjust, Quantity: -1})
			w.see(inventory.Delta{Kind: inventory.Adjust, Quantity: 1})
		}
		w.see(inventory.Delta{Kind: inventory.Count, Quantity: 10}) // half of it is forgotten, and all else
		before := w.odds()
		w.pass(10 * 24)
		return w.odds() - before
	}
	none, some, many, more := after(0), after(2), after(20), after(40)
	if !(none > 0 && some > none && many > some) {
		t.Errorf("log-odds rise by %.3f, %.3f and %.3f in ten days, want more after more corrections", none, some, many)
	}
	near(t, "the rise after ever more of them", more, many, 1e-3)
}

// TestSilenceStandsStillWhileNothingCanSell and goes on where it stopped.
func TestSilenceStandsStillWhileNothingCanSell(t *testing.T) {
	w := newWorld(10)
	w.pass(5)
	w.hold(true)
	w.hold(true)
	w.pass(100)
	near(t, "the silence while held", w.figure(t, "hours_silent"), 5, 0)
	w.hold(false)
	w.pass(2)
	near(t, "the silence after that", w.figure(t, "hours_silent"), 7, 0)
	w.view.OnHand = 0
	w.belief.Hold(&w.view)
	w.pass(100)
	w.view.OnHand = 3
	w.belief.Hold(&w.view)
	w.pass(1)
	near(t, "the silence but for when there was nothing on record", w.belief.Waited(&w.view), 8, 1e-9)
}

// TestASilentFeedIsNoSilentDemand: ten days of which nobody says anything add no silence, nor does
// the sale elsewhere that ends them.
func TestASilentFeedIsNoSilentDemand(t *testing.T) {
	w := newWorld(1000)
	for range 300 {
		w.pass(1)
		w.feed.Sale(w.view.Now)
		w.sell()
	}
	w.pass(2)
	w.view.Now += 10 * inventory.Day
	near(t, "the silence while the feed is down", w.figure(t, "hours_silent"), 2, 0.3)
	w.feed.Sale(w.view.Now)
	near(t, "the silence once it is back", w.figure(t, "hours_silent"), 2, 0.3)
	w.feed.Vouch(w.view.Now + inventory.Hour)
	near(t, "the silence an hour later", w.figure(t, "hours_silent"), 3, 0.5)
}

func TestABeliefIsReadAsItWasWritten(t *testing.T) {
	var fresh detectors.Belief
	reread(t, &fresh, new(detectors.Belief))
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(20)
		for i := range rapid.IntRange(0, 20).Draw(t, "steps") {
			w.pass(float64(rapid.IntRange(0, 50).Draw(t, "hours")))
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				w.sell()
			case 1:
				w.pickFails(fmt.Sprint("o", i))
			case 2:
				w.see(inventory.Delta{Kind: inventory.Adjust, Quantity: -1})
			case 3:
				w.hold(!w.view.Held)
			case 4:
				w.see(inventory.Delta{Kind: inventory.Receipt, Quantity: 3, Ref: "po"})
			}
		}
		var back detectors.Belief
		reread(t, &w.belief, &back)
		w2 := newWorld(20)
		coded := w.belief
		w2.belief, w2.view.Now, w2.view.OnHand, w2.view.Held, w2.feed = coded, w.view.Now, w.view.OnHand, w.view.Held, w.feed
		near(t, "the probability of what was read", w2.probability(), w.probability(), 0)
	})
}
