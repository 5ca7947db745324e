package policy

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Threshold is a figure of a class that a policy may set, under thresholds. Where it does not, the detector has its own.
type Threshold struct {
	Path        string // the class and its name: "demand_spike.events"
	Unit        Unit
	Least, Most float64 // in its unit; times in milliseconds
	index       int     // among those of its class
}

// Name returns the threshold's name within its class.
func (t Threshold) Name() string { return t.Path[strings.IndexByte(t.Path, '.')+1:] }

// Class returns the class that it is of.
func (t Threshold) Class() inventory.Class {
	return inventory.Class(t.Path[:strings.IndexByte(t.Path, '.')])
}

// Unit is what a threshold counts.
type Unit uint8

// The units.
const (
	Number Unit = iota // a number, or a share of something
	Whole              // a whole number
	Chance             // a probability
	Time               // such as 15m
)

// thresholdsMax is how many thresholds a class has at most.
const thresholdsMax = 7

const (
	second = float64(inventory.Second)
	minute = float64(inventory.Minute)
	day    = float64(inventory.Day)
)

// thresholds returns those of every class.
func thresholds() []Threshold {
	return []Threshold{
		{"oversell.clear_units", Whole, 1, 1e6, 0},
		{"oversell_risk.step", Number, 1e-3, 1, 0},
		{"oversell_risk.calm", Time, second, day, 1},
		{"oversell_risk.lag", Time, second, 60 * minute, 2},
		{"stock_mismatch.tolerance", Number, 1e-4, 1, 0},
		{"stock_mismatch.in_flight", Time, minute, day, 1},
		{"stock_mismatch.settle", Time, minute, 7 * day, 2},
		{"stale_listing.excess", Number, 1e-4, 10, 0},
		{"stale_listing.grace", Time, minute, 7 * day, 1},
		{"receipt_discrepancy.late_share", Number, 1e-3, 10, 0},
		{"receipt_discrepancy.settle", Time, minute, 7 * day, 1},
		{"transfer_delay.late_share", Number, 1e-3, 10, 0},
		{"return_distortion.returns", Whole, 1, 1e6, 0},
		{"return_distortion.times", Number, 1, 100, 1},
		{"return_distortion.raise_chance", Chance, 1e-12, 0.5, 2},
		{"return_distortion.clear_chance", Chance, 1e-12, 1, 3},
		{"return_distortion.backlog_units", Whole, 1, 1e6, 4},
		{"return_distortion.backlog_share", Number, 1e-3, 1, 5},
		{"return_distortion.backlog_grace", Time, minute, 30 * day, 6},
		{"adjustment_anomaly.alarm", Number, 0.5, 100, 0},
		{"adjustment_anomaly.calm", Number, 0.01, 100, 1},
		{"adjustment_anomaly.often", Number, 1, 1000, 2},
		{"adjustment_anomaly.others", Number, 1, 100, 3},
		{"demand_spike.events", Whole, 1, 1e6, 0},
		{"demand_spike.raise_chance", Chance, 1e-12, 0.5, 1},
		{"demand_spike.clear_chance", Chance, 1e-12, 1, 2},
		{"promo_stockout.raise_chance", Chance, 0.01, 1, 0},
		{"promo_stockout.clear_chance", Chance, 0.001, 1, 1},
		{"fulfilment_overload.raise_share", Number, 0.01, 10, 0},
		{"fulfilment_overload.clear_share", Number, 0.01, 10, 1},
		{"cancellation_anomaly.cancellations", Whole, 1, 1e6, 0},
		{"cancellation_anomaly.times", Number, 1, 100, 1},
		{"cancellation_anomaly.raise_chance", Chance, 1e-12, 0.5, 2},
		{"cancellation_anomaly.clear_chance", Chance, 1e-12, 1, 3},
		{"feed_stale.expected_sales", Number, 1, 1e6, 0},
		{"feed_stale.silence", Time, minute, 7 * day, 1},
		{"feed_stale.known_sales", Whole, 1, 1e6, 2},
	}
}

// pairs are thresholds of which both are set or neither: an exception opens at the first and ends at the second.
var pairs = []struct {
	class        inventory.Class
	raise, clear string
	below        bool // the second is below the first; else above
}{
	{inventory.ReturnDistortion, "raise_chance", "clear_chance", false},
	{inventory.AdjustmentAnomaly, "alarm", "calm", true},
	{inventory.DemandSpike, "raise_chance", "clear_chance", false},
	{inventory.PromoStockout, "raise_chance", "clear_chance", true},
	{inventory.FulfilmentOverload, "raise_share", "clear_share", true},
	{inventory.CancellationAnomaly, "raise_chance", "clear_chance", false},
}

// byChannel are the classes whose exceptions are a channel's: an override by channel may set their thresholds.
var byChannel = []inventory.Class{inventory.OversellRisk, inventory.StaleListing, inventory.CancellationAnomaly}

// Thresholds returns what may be set of a class.
func Thresholds(class inventory.Class) []Threshold { return byClass[class] }

var byClass = func() map[inventory.Class][]Threshold {
	all := map[inventory.Class][]Threshold{}
	for _, t := range thresholds() {
		all[t.Class()] = append(all[t.Class()], t)
	}
	return all
}()

// settings are the thresholds that a rule sets, by index; 0: not set.
type settings [thresholdsMax]float64

// Threshold returns what the rule, which is of t's class, sets for it.
func (r *Rule) Threshold(t Threshold) (x float64, set bool) {
	x = r.settings[t.index]
	return x, x != 0
}

// settings reads what a rule or an override sets of a class's thresholds.
func (r *reader) settings(n *yaml.Node, class inventory.Class) (s settings) {
	of := Thresholds(class)
	if len(of) == 0 {
		r.fail(n, "%s has no thresholds to set here", class)
		return s
	}
	known := fields{}
	for _, t := range of {
		known[t.Name()] = func(v *yaml.Node) { s[t.index] = r.threshold(v, t) }
	}
	r.mapping(n, "thresholds of "+string(class), known)
	for _, pair := range pairs {
		if pair.class != class {
			continue
		}
		raise, clear := s.named(class, pair.raise), s.named(class, pair.clear)
		switch {
		case raise == 0 && clear == 0:
		case raise == 0 || clear == 0:
			r.fail(n, "%s and %s of %s are set together: it opens at the one and ends at the other", pair.raise, pair.clear, class)
		case pair.below && clear >= raise:
			r.fail(n, "%s %g is not below %s %g: what opens would end at once", pair.clear, clear, pair.raise, raise)
		case !pair.below && clear <= raise:
			r.fail(n, "%s %g is not above %s %g: what opens would end at once", pair.clear, clear, pair.raise, raise)
		}
	}
	return s
}

func (s *settings) named(class inventory.Class, name string) float64 {
	of := Thresholds(class)
	return s[slices.IndexFunc(of, func(t Threshold) bool { return t.Name() == name })]
}

func (r *reader) threshold(n *yaml.Node, t Threshold) float64 {
	switch t.Unit {
	case Time:
		d := r.duration(n, t.Name(), inventory.Millis(t.Least))
		if float64(d) > t.Most {
			r.fail(n, "%s %q: it is at most %s", t.Name(), n.Value, formatDuration(inventory.Millis(t.Most)))
		}
		return float64(d)
	case Whole:
		return float64(r.whole(n, t.Name(), int64(t.Least), int64(t.Most)))
	}
	return r.number(n, t.Name(), t.Least, t.Most)
}
