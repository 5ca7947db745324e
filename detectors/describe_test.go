package detectors_test

import (
	"math"
	"slices"
	"testing"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestOversellSentences(t *testing.T) {
	location, web, network := detectors.Scope{}, detectors.Scope{Channel: "web"}, detectors.Scope{Network: true}
	for _, c := range []struct {
		name   string
		scope  detectors.Scope
		edge   detectors.Edge
		stock  inventory.Quantities
		web    int64 // its ATP
		all    detectors.Network
		says   string
		short  int64
		advice []string
	}{
		{"short, and others have some", location, detectors.Raise,
			inventory.Quantities{OnHand: 5, Unavailable: 2, Reserved: 6, Safety: 1}, -4, detectors.Network{Locations: 3, Sum: 5, ATP: 9},
			"leeds has promised 4 units more of tea than it has: 5 on hand, 2 unavailable, 6 reserved, 1 safety stock (ATP -4).",
			4, []string{"hold", "transfer", "count"}},
		{"short, and nobody has any", location, detectors.Raise,
			inventory.Quantities{Reserved: 1}, -1, detectors.Network{Locations: 2, Sum: -1},
			"leeds has promised 1 unit more of tea than it has: 0 on hand, 1 reserved (ATP -1).",
			1, []string{"hold", "replenish", "count"}},
		{"short, and alone", location, detectors.Raise,
			inventory.Quantities{Reserved: 1}, -1, detectors.Network{Locations: 1, Sum: -1},
			"leeds has promised 1 unit more of tea than it has: 0 on hand, 1 reserved (ATP -1).",
			1, []string{"hold", "replenish", "count"}},
		{"covered again", location, detectors.Clear,
			inventory.Quantities{OnHand: 3, Reserved: 1}, 2, detectors.Network{Locations: 1, Sum: 2, ATP: 2},
			"leeds has 2 units of tea to promise again: 3 on hand, 1 reserved (ATP 2).",
			-2, nil},
		{"a share is short", web, detectors.Raise,
			inventory.Quantities{OnHand: 3}, -2, detectors.Network{Locations: 2, Sum: 8, ATP: 8},
			"web is 2 units of tea over its share at leeds: ATP there is 3, of which 5 is kept for other channels.",
			2, []string{"hold", "transfer", "count"}},
		{"a share is covered again", web, detectors.Clear,
			inventory.Quantities{OnHand: 6}, 1, detectors.Network{Locations: 1, Sum: 6, ATP: 6},
			"web may sell 1 unit of tea at leeds again, beside the 5 kept for other channels.",
			-1, nil},
		{"all are short", network, detectors.Raise,
			inventory.Quantities{Reserved: 1}, -1, detectors.Network{Locations: 4, Sum: -7, ATP: 2},
			"All 4 locations of tea together have promised 7 units more than they have; none can cover for another.",
			7, []string{"hold", "replenish", "count"}},
		{"all are covered again", network, detectors.Clear,
			inventory.Quantities{OnHand: 1}, 1, detectors.Network{Locations: 4, Sum: 1, ATP: 3},
			"The network has 1 unit of tea to promise again over 4 locations.",
			-1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := detectors.View{
				SKU: "tea", Location: "leeds", Quantities: c.stock, Price: 250, Network: c.all,
				Channels: []detectors.Channel{{Name: "amazon", ATP: 99}, {Name: "web", ATP: c.web}},
			}
			d := describe(&v, inventory.Oversell, c.scope, c.edge)
			if d.Reason != c.says {
				t.Errorf("it says\n%s\nwant\n%s", d.Reason, c.says)
			}
			if want := max(c.short, 0) * 250; d.Exposure != want {
				t.Errorf("exposure is %d, want %d", d.Exposure, want)
			}
			var advice []string
			for _, r := range d.Recommendations {
				advice = append(advice, r.Action)
				if r.Why == "" || r.Action == "hold" && r.Channel != c.scope.Channel ||
					(r.Action == "transfer" || r.Action == "replenish") && r.Quantity != c.short {
					t.Errorf("recommends %+v", r)
				}
			}
			if !slices.Equal(advice, c.advice) {
				t.Errorf("recommends %q, want %q", advice, c.advice)
			}
			for name, want := range map[string]int64{
				"on_hand": c.stock.OnHand, "unavailable": c.stock.Unavailable, "reserved": c.stock.Reserved,
				"safety": c.stock.Safety, "atp": c.stock.ATP(), "price": 250,
			} {
				if d.Evidence[name] != want {
					t.Errorf("the evidence has %s %v, want %d", name, d.Evidence[name], want)
				}
			}
			if d.Rule != "raise at ATP < 0, clear at ATP ≥ 1" {
				t.Errorf("the rule is %q", d.Rule)
			}
		})
	}
}

// TestSeverityIsMoneyAtRisk, by how sure it is: the finding's confidence is 0.9.
func TestSeverityIsMoneyAtRisk(t *testing.T) {
	for _, c := range []struct {
		short, price int64
		exposure     int64
		severity     inventory.Severity
	}{
		{1, 0, 1, inventory.Low}, // a price that nobody told counts as 1: more units still rank above fewer
		{5, 0, 5, inventory.Low},
		{1, 2_222, 2_222, inventory.Low},
		{1, 2_223, 2_223, inventory.Medium},
		{10, 2_222, 22_220, inventory.Medium},
		{10, 2_223, 22_230, inventory.High},
		{100, 1_112, 111_200, inventory.Critical},
		{inventory.QuantityMax, inventory.QuantityMax, inventory.QuantityMax, inventory.Critical},
	} {
		v := detectors.View{SKU: "tea", Location: "leeds", Quantities: inventory.Quantities{OnHand: -c.short}, Price: c.price}
		d := describe(&v, inventory.Oversell, detectors.Scope{}, detectors.Raise)
		if d.Exposure != c.exposure || d.Severity != c.severity {
			t.Errorf("%d short at %d: exposure %d, %s; want %d, %s", c.short, c.price, d.Exposure, d.Severity, c.exposure, c.severity)
		}
	}
}

func TestFourDigits(t *testing.T) {
	for _, c := range []struct{ x, want float64 }{
		{0, 0}, {math.NaN(), 0}, {math.Inf(1), 0}, {1, 1}, {-1.23456, -1.235}, {0.000123456, 0.0001235},
		{123456, 123500}, {0.99999, 1},
	} {
		near(t, "what is left", detectors.Round4(c.x), c.want, 1e-12*math.Abs(c.want))
	}
}

func TestWhatIsOpen(t *testing.T) {
	web := detectors.Scope{Class: inventory.Oversell, Channel: "web"}
	v := detectors.View{Open: []detectors.Scope{web}}
	if !v.IsOpen(web) || v.IsOpen(detectors.Scope{Class: inventory.Oversell}) {
		t.Error("a scope is taken for another")
	}
	if !v.IsOpenClass(inventory.Oversell) || v.IsOpenClass(inventory.PhantomInventory) {
		t.Error("a class is taken for another")
	}
}

func TestKinds(t *testing.T) {
	set := detectors.KindsOf(inventory.Sale, inventory.Tick)
	for _, k := range inventory.Kinds() {
		if want := k == inventory.Sale || k == inventory.Tick; set.Has(k) != want {
			t.Errorf("%s is in the set: %v", k, !want)
		}
	}
	if !set.Has(inventory.KindNone) {
		t.Error("a timer is no reason to look")
	}
}
