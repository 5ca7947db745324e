package detectors_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// doubted returns a world whose probability is p.
func doubted(onHand int64, p float64) *world {
	w := newWorld(onHand)
	w.feed.Picked(0)
	for i := 0; w.probability() < p; i++ {
		if i == 100 {
			panic("no probability that high")
		}
		if w.probability() < 0.2 || p > 0.75 {
			w.pickFails(fmt.Sprint("o", i))
		} else {
			w.see(inventory.Delta{Kind: inventory.Substitute, Quantity: 1})
		}
	}
	return w
}

func TestPhantomEdges(t *testing.T) {
	open := []detectors.Scope{{Class: inventory.PhantomInventory}}
	phantom := detector(inventory.PhantomInventory)
	for _, c := range []struct {
		name string
		p    float64
		do   func(v *detectors.View)
		want detectors.Edge // 0: none
	}{
		{"below the alarm", 0.5, nil, 0},
		{"above it", 0.8, nil, detectors.Raise},
		{"above it, and raised already", 0.8, func(v *detectors.View) { v.Open = open }, 0},
		{"between the thresholds", 0.5, func(v *detectors.View) { v.Open = open }, 0},
		{"below the lower one", 0.01, func(v *detectors.View) { v.Open = open }, detectors.Clear},
		{"nothing on record any more", 0.8, func(v *detectors.View) { v.Open = open; v.OnHand = 0 }, detectors.Clear},
		{"nothing on record", 0.8, func(v *detectors.View) { v.OnHand = 0 }, 0},
		{"nothing to promise", 0.8, func(v *detectors.View) { v.Reserved = v.OnHand }, 0},
		{"another alarm", 0.5, func(v *detectors.View) { v.Alarm.Raise = 0.3 }, detectors.Raise},
	} {
		w := doubted(5, c.p)
		if c.do != nil {
			c.do(&w.view)
		}
		found := phantom.Look(&w.view, nil)
		switch {
		case c.want == 0 && len(found) > 0:
			t.Errorf("%s: found %+v", c.name, found)
		case c.want != 0 && (len(found) != 1 || found[0].Edge != c.want || found[0].Scope != open[0]):
			t.Errorf("%s: found %+v, want edge %d", c.name, found, c.want)
		case c.want == detectors.Raise:
			near(t, "the confidence in the hold", found[0].Confidence, w.probability(), 0)
		case c.want == detectors.Clear:
			near(t, "the confidence in the release", found[0].Confidence, 1-w.probability(), 0)
		}
	}
}

// TestWhatPhantomLooksAt: sales and counts can only clear; what raises is looked at always.
func TestWhatPhantomLooksAt(t *testing.T) {
	kinds := detector(inventory.PhantomInventory).Kinds
	for _, k := range inventory.Kinds() {
		want := k == inventory.PickFailed || k == inventory.Substitute || k == inventory.Adjust
		if kinds.Has(k) != want {
			t.Errorf("looks at a %s: %v, want %v", k, kinds.Has(k), want)
		}
	}
	if !kinds.Has(inventory.KindNone) || !detectors.AnyKind.Has(inventory.Tick) {
		t.Error("does not look when a timer fires, or any kind is not any")
	}
}

func TestPhantomSaysItsFigures(t *testing.T) {
	sold := func(w *world) { // every two hours
		for range 300 {
			w.pass(2)
			w.sell()
		}
	}
	for _, c := range []struct {
		name string
		live func(w *world)
		edge detectors.Edge
		want string
	}{
		{"silence", func(w *world) { sold(w); w.pass(30) }, detectors.Raise,
			"leeds records 200 units of tea that are probably not there (%p): no sale in 30 hours of trade, where %e were expected."},
		{"of an hour", func(w *world) {
			for range 490 {
				w.pass(0.2)
				w.sell()
			}
			w.pass(1.2)
		}, detectors.Raise,
			"leeds records 10 units of tea that are probably not there (%p): no sale in an hour of trade, where %e were expected."},
		{"of days", func(w *world) { sold(w); w.pass(60) }, detectors.Raise,
			"leeds records 200 units of tea that are probably not there (%p): no sale in 2.5 days of trade, where %e were expected."},
		{"silence and a pick", func(w *world) { sold(w); w.pass(10); w.pickFails("o1") }, detectors.Raise,
			"leeds records 200 units of tea that are probably not there (%p): no sale in 10 hours of trade, where %e were expected, and a pick came up empty."},
		{"picks", func(w *world) { w.pickFails("o1"); w.pickFails("o2"); w.pickFails("o3") }, detectors.Raise,
			"leeds records 500 units of tea that are probably not there (%p): 3 of its picks came up empty."},
		{"a correction", func(w *world) { w.see(inventory.Delta{Kind: inventory.Adjust, Quantity: -499}) }, detectors.Raise,
			"leeds records 1 unit of tea that are probably not there (%p): orders for it were filled with something else, or its record was corrected downwards."},
		{"found", sold, detectors.Clear,
			"The 200 units of tea at leeds were found after all (%p in doubt): 200 units to promise."},
		{"gone from the record", func(w *world) { w.see(inventory.Delta{Kind: inventory.Count}) }, detectors.Clear,
			"leeds no longer records any tea."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(500)
			c.live(w)
			d := describe(&w.view, inventory.PhantomInventory, detectors.Scope{}, c.edge)
			want := strings.NewReplacer(
				"%p", fmt.Sprintf("%.0f %%", 100*w.probability()),
				"%e", fmt.Sprintf("%.1f", w.figure(t, "expected_sales")),
			).Replace(c.want)
			if d.Reason != want {
				t.Errorf("it says\n%s\nwant\n%s", d.Reason, want)
			}
			if c.edge == detectors.Clear && len(d.Recommendations) > 0 || c.edge == detectors.Raise && len(d.Recommendations) != 2 {
				t.Errorf("recommends %+v", d.Recommendations)
			}
			if d.Rule != "raise at P(phantom) ≥ 0.8, clear at ≤ 0.4" {
				t.Errorf("the rule is %q", d.Rule)
			}
		})
	}
}

// TestTheEvidenceAddsUp: with its figures and the formula anybody can work out the probability.
func TestTheEvidenceAddsUp(t *testing.T) {
	w := newWorld(20)
	for range 10 {
		w.pass(3)
		w.sell()
	}
	w.pass(40)
	w.pickFails("o1")
	e := func(name string) float64 { return w.figure(t, name) }
	silence := e("rate_shape") * math.Log1p(e("expected_sales")/e("rate_shape"))
	near(t, "log_odds_silence", e("log_odds_silence"), silence, 0.001)
	near(t, "expected_sales", e("expected_sales"), e("hours_silent")*e("rate_per_day")/24, 0.001)
	sum := logit(e("prior")) + silence + e("log_odds_vanished") + e("log_odds_picks")
	near(t, "probability", e("probability"), sigmoid(sum), 0.001)
	near(t, "on_hand", e("on_hand"), 10, 0)
	near(t, "price", e("price"), 250, 0)
}

// TestWhatAPhantomPutsAtRisk is a week's orders, of what is to be promised at most.
func TestWhatAPhantomPutsAtRisk(t *testing.T) {
	exposure := func(w *world) int64 {
		return describe(&w.view, inventory.PhantomInventory, detectors.Scope{}, detectors.Raise).Exposure
	}
	slow := newWorld(500) // one a week
	if got := exposure(slow); got != 250 {
		t.Errorf("exposure of a slow key is %d, want one unit of 250", got)
	}
	for range 300 {
		slow.pass(1)
		slow.sell()
	}
	if got, week := exposure(slow), slow.figure(t, "rate_per_day")*7; got != int64(math.Ceil(week))*250 {
		t.Errorf("exposure of a fast key is %d, want %.1f units of 250", got, week)
	}
	slow.view.Reserved = slow.view.OnHand - 3
	if got := exposure(slow); got != 3*250 {
		t.Errorf("exposure is %d where three units are left to promise", got)
	}
}
