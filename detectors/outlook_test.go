package detectors_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// steady sells so many units an hour, in orders of so many.
type steady struct{ perHour, units int64 }

func (s steady) Asked(span detectors.Span) (events, units int64) {
	minutes := [...]int64{detectors.FiveMinutes: 5, detectors.OneHour: 60, detectors.TwoDays: 2880, detectors.FiveWeeks: 50_400}[span]
	events = s.perHour * minutes / 60
	return events, events * s.units
}

func (steady) Lag(string) detectors.Lag { return detectors.Lag{} }

// TestAnOutlookIsMadeOfChances: all of them are from 0 to 1, a longer window and less to promise never make it better, and what nobody
// can order is at no risk.
func TestAnOutlookIsMadeOfChances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.Int64Range(0, 60).Draw(t, "on hand"))
		for range rapid.IntRange(0, 30).Draw(t, "sales") {
			w.pass(rapid.Float64Range(0.1, 20).Draw(t, "hours"))
			w.sell()
		}
		if rapid.Bool().Draw(t, "a pick failed") {
			w.pickFails("o1")
		}
		w.pass(rapid.Float64Range(0, 200).Draw(t, "silence"))
		v := &w.view
		v.Trade = steady{rapid.Int64Range(0, 20).Draw(t, "an hour"), rapid.Int64Range(1, 5).Draw(t, "units")}
		v.Reserved = rapid.Int64Range(0, 5).Draw(t, "reserved")
		shown := rapid.Int64Range(0, 60).Draw(t, "shown")
		v.Channels = []detectors.Channel{
			{Name: "web", Lists: true, Shown: shown, Limit: 100, Asked: rapid.Int64Range(0, 9).Draw(t, "web")},
			{Name: "store", Asked: rapid.Int64Range(0, 9).Draw(t, "store"), Limit: 100},
		}
		window := inventory.Millis(rapid.Int64Range(int64(inventory.Minute), int64(inventory.Day)).Draw(t, "window"))
		o := v.Outlook(v.Now+window, 0)
		for name, p := range map[string]float64{"chance": o.Chance, "empty": o.Empty, "runs out": o.RunsOut} {
			if !(p >= 0 && p <= 1) {
				t.Fatalf("%s is %g", name, p)
			}
		}
		if shown == 0 && len(o.Channels) > 0 {
			t.Fatalf("nobody can order, and %+v", o)
		}
		for _, c := range o.Channels {
			if !(c.Chance >= 0 && c.Chance <= o.Chance+1e-9) {
				t.Fatalf("%s takes an order too many with %g, and all do with %g", c.Name, c.Chance, o.Chance)
			}
		}
		const less = 1e-6 // by which approximations differ
		if longer := v.Outlook(v.Now+2*window, 0); longer.RunsOut < o.RunsOut-less || longer.Demand < o.Demand {
			t.Fatalf("twice the window: %+v, once: %+v", longer, o)
		}
		if supplied := v.Outlook(v.Now+window, 5); supplied.RunsOut > o.RunsOut+less {
			t.Fatalf("five more: %+v, none: %+v", supplied, o)
		}
		if o.Exposure < 250 && o.Demand > 0 {
			t.Fatalf("at risk are %d, less than a unit", o.Exposure)
		}
	})
}
