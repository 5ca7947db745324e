package policy

import (
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

func threshold(t *testing.T, path string) Threshold {
	t.Helper()
	for _, th := range thresholds() {
		if th.Path == path {
			return th
		}
	}
	t.Fatalf("there is no threshold %s", path)
	return Threshold{}
}

// TestTheTableOfThresholds: each has a place of its own among those of its class, and bounds.
func TestTheTableOfThresholds(t *testing.T) {
	for _, class := range inventory.Classes() {
		taken := map[int]string{}
		for i, th := range Thresholds(class) {
			if th.index != i || i >= thresholdsMax || taken[i] != "" || th.Least <= 0 || th.Most <= th.Least {
				t.Errorf("%s is number %d, from %g to %g", th.Path, th.index, th.Least, th.Most)
			}
			taken[i] = th.Path
		}
	}
	for _, pair := range pairs {
		threshold(t, string(pair.class)+"."+pair.raise)
		threshold(t, string(pair.class)+"."+pair.clear)
	}
}

// TestThresholdsAreSetAndOverridden: by class, then by location and by channel; what is not said stays.
func TestThresholdsAreSetAndOverridden(t *testing.T) {
	p, err := Parse(`name: p
classes:
  demand_spike: {thresholds: {events: 9, raise_chance: 1e-8, clear_chance: 0.05}}
  stale_listing: {thresholds: {grace: 20m}}
overrides:
  - {class: demand_spike, location: "kiosk-*", set: {thresholds: {events: 3}}}
  - {class: stale_listing, channel: ebay, set: {owner: ebay-desk, thresholds: {grace: 2h, excess: 0.5}}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		at   At
		want float64
	}{
		{"demand_spike.events", At{SKU: "tea", Location: "leeds", Channel: ""}, 9},
		{"demand_spike.events", At{SKU: "tea", Location: "kiosk-1", Channel: ""}, 3},
		{"demand_spike.clear_chance", At{SKU: "tea", Location: "kiosk-1", Channel: ""}, 0.05},
		{"stale_listing.grace", At{SKU: "tea", Location: "leeds", Channel: "web"}, 20 * 60e3},
		{"stale_listing.grace", At{SKU: "tea", Location: "leeds", Channel: "ebay"}, 120 * 60e3},
		{"stale_listing.excess", At{SKU: "tea", Location: "leeds", Channel: "ebay"}, 0.5},
		{"stale_listing.excess", At{SKU: "tea", Location: "leeds", Channel: "web"}, 0},
		{"feed_stale.silence", At{SKU: "*", Location: "leeds", Channel: ""}, 0},
	} {
		th := threshold(t, c.path)
		r := p.RuleAt(th.Class(), c.at)
		if got, set := r.Threshold(th); got != c.want || set != (c.want != 0) {
			t.Errorf("%s at %+v is %g, %v, want %g", c.path, c.at, got, set, c.want)
		}
	}
	if !p.Varies(inventory.DemandSpike) || !p.Varies(inventory.StaleListing) || p.Varies(inventory.FeedStale) || !p.VariesByChannel() {
		t.Error("where thresholds vary is not known")
	}
}

func TestMistakesInThresholdsAreSaid(t *testing.T) {
	for text, says := range map[string]string{
		"classes: {demand_spike: {thresholds: 3}}":                                                                   "thresholds of demand_spike is a mapping",
		"classes: {demand_spike: {thresholds: {event: 3}}}":                                                          `no field "event"; there are clear_chance, events, raise_chance`,
		"classes: {demand_spike: {thresholds: {events: 0}}}":                                                         "whole number from 1",
		"classes: {demand_spike: {thresholds: {raise_chance: 1e-3}}}":                                                "raise_chance and clear_chance of demand_spike are set together",
		"classes: {demand_spike: {thresholds: {raise_chance: 0.1, clear_chance: 0.1}}}":                              "clear_chance 0.1 is not above raise_chance 0.1",
		"classes: {promo_stockout: {thresholds: {raise_chance: 0.1, clear_chance: 0.1}}}":                            "clear_chance 0.1 is not below raise_chance 0.1",
		"classes: {feed_stale: {thresholds: {silence: 8d}}}":                                                         "it is at most 7d",
		"classes: {feed_stale: {thresholds: {silence: 5s}}}":                                                         "from 1m",
		"classes: {phantom_inventory: {thresholds: {}}}":                                                             "phantom_inventory has no thresholds to set here",
		"classes: {}\noverrides: [{set: {thresholds: {}}}]":                                                          "an override that sets them names one",
		"classes: {}\noverrides: [{class: [oversell, feed_stale], set: {thresholds: {}}}]":                           "names one",
		"classes: {}\noverrides: [{class: feed_stale, channel: web, set: {thresholds: {silence: 1h}}}]":              "feed_stale is of a location's stock",
		"classes: {}\noverrides: [{class: feed_stale, when: price > 3, set: {thresholds: {silence: 1h}}}]":           "an override with a condition on an exception may set",
		"classes: {}\noverrides: [{class: demand_spike, set: {thresholds: {events: 3}}, channel: web, location: x}]": "demand_spike is of a location's stock",
	} {
		if _, err := Parse("name: p\n" + text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}
