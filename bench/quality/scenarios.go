package quality

import (
	"fmt"
	"math"
	"strings"

	"github.com/holdfast-atp/holdfast/bench/quality/baseline"
	"github.com/holdfast-atp/holdfast/bench/quality/score"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Units of figures.
const (
	percent = "%"
	hours   = "h"
	events  = "events"
	rate    = "/1000"
)

// calibrationBins is into how many groups stated confidences are sorted.
const calibrationBins = 10

// figures collects a run's metrics. What could not be measured there, such as a share of nothing, is left out.
type figures struct{ metrics []report.Metric }

func (f *figures) add(name, unit string, better report.Direction, value float64) {
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		f.metrics = append(f.metrics, report.Metric{Name: name, Unit: unit, Value: value, Better: better})
	}
}

func (f *figures) aim(name, unit string, bound report.Bound, target, value float64) {
	before := len(f.metrics)
	better := report.Higher
	if bound == report.AtMost {
		better = report.Lower
	}
	if f.add(name, unit, better, value); len(f.metrics) > before {
		f.metrics[before].Target = &report.Target{Bound: bound, Value: target}
	}
}

// scenario begins one of a seed a run.
func (c *Config) scenario(name, title string, results []*result, measure func(r *result, f *figures)) report.Scenario {
	s := report.Scenario{Name: name, Title: title, Seed: c.Seeds[0], Config: c.describe()}
	for _, r := range results {
		var f figures
		measure(r, &f)
		s.Runs = append(s.Runs, report.Run{Metrics: f.metrics})
	}
	return s
}

// worth is what holds are worth and cost, with channels that obey.
func worth(c *Config, results []*result) report.Scenario {
	saved := func(with, without int64) float64 { return 100 * (1 - float64(with)/float64(without)) }
	s := c.scenario("oversell", "What holds save and cost: channels obey after their lag", results, func(r *result, f *figures) {
		a := r.arms
		n, b, h := &a.None, &a.Buffer, &a.Holdfast
		f.aim("oversold units saved, against none", percent, report.AtLeast, 95, saved(h.Oversold(), n.Oversold()))
		f.aim("oversold units saved, against a fixed safety stock", percent, report.AtLeast, 60, saved(h.Oversold(), b.Oversold()))
		f.aim("oversell commanded before the next order", percent, report.AtLeast, 95, 100*float64(a.Commanded)/float64(a.Conditions))
		f.aim("false holds for phantoms per 1,000 SKU-location-days", rate, report.AtMost, 1, float64(a.Wrong)/a.KeyDays*1000)
		f.aim("sellable unit-hours held back wrongly", percent, report.AtMost, 2, 100*h.WronglyHeld/h.Sellable)
		for _, bound := range []struct {
			name string
			of   *Yardstick
		}{{"oracle", &a.Oracle}, {"omniscient", &a.Omniscient}} {
			y := bound.of
			f.add("bound, "+bound.name+": oversold units saved, against none", percent, report.Neither, saved(y.Oversold(), n.Oversold()))
			f.add("bound, "+bound.name+": oversold units saved, against a fixed safety stock", percent, report.Neither, saved(y.Oversold(), b.Oversold()))
			f.add("bound, "+bound.name+": sellable unit-hours held back wrongly", percent, report.Neither, 100*y.WronglyHeld/y.Sellable)
			f.add("bound, "+bound.name+": oversold, listings behind", report.Count, report.Neither, float64(y.OversoldRaced))
			f.add("bound, "+bound.name+": oversold, records wrong", report.Count, report.Neither, float64(y.OversoldUnfound))
		}
		f.add("bound, oracle: false holds per 1,000 SKU-location-days", rate, report.Neither, float64(a.Oracle.FalseHolds)/a.KeyDays*1000)
		f.add("sellable unit-hours a fixed safety stock holds back wrongly", percent, report.Neither, 100*b.WronglyHeld/b.Sellable)
		f.add("units of that safety stock", report.Count, report.Neither, a.BufferUnits)
		f.add("saved where listings were behind, against none", percent, report.Higher, saved(h.OversoldRaced, n.OversoldRaced))
		f.add("saved where records were wrong, against none", percent, report.Higher, saved(h.OversoldUnfound, n.OversoldUnfound))
		f.add("oversold without, listings behind", report.Count, report.Neither, float64(n.OversoldRaced))
		f.add("oversold without, records wrong", report.Count, report.Neither, float64(n.OversoldUnfound))
		f.add("oversold with holdfast, listings behind", report.Count, report.Lower, float64(h.OversoldRaced))
		f.add("oversold with holdfast, records wrong", report.Count, report.Lower, float64(h.OversoldUnfound))
		f.add("oversold with a fixed safety stock", report.Count, report.Neither, float64(b.Oversold()))
		f.add("oversold with holdfast", report.Count, report.Lower, float64(h.Oversold()))
		f.add("units ordered online without", report.Count, report.Neither, float64(n.Ordered))
		f.add("cancelled units avoided, of those without", percent, report.Higher, saved(h.Cancelled, n.Cancelled))
		f.add("units refused online for it, of those ordered without", percent, report.Lower, 100*float64(h.OnlineRefused-n.OnlineRefused)/float64(n.Ordered))
		f.add("units shipped online more, of those ordered without", percent, report.Higher, 100*float64(h.Shipped-n.Shipped)/float64(n.Ordered))
	})
	return s
}

// of returns what a method came to.
func (r *result) of(method string) *PhantomSeed {
	for i := range r.methods {
		if r.methods[i].Method == method {
			return &r.methods[i]
		}
	}
	panic("no method is called " + method)
}

// best returns the best of the baselines by a figure of which more is better.
func (r *result) best(figure func(*PhantomSeed) float64) (best float64) {
	best = math.Inf(-1)
	for _, name := range baseline.Names() {
		best = max(best, figure(r.of(name)))
	}
	return best
}

// phantoms is how well phantom inventory is found at a prevalence.
func phantoms(c *Config, phantom float64, results []*result) report.Scenario {
	title := fmt.Sprintf("Phantom inventory, %g %% of what is promised: open loop, every method sees the same deltas", 100*phantom)
	// Of the two dozen alarms of one seed chance alone makes an error of 0.1: what is stated is judged over all of them.
	var all []score.Judged
	for _, r := range results {
		all = append(all, r.stated...)
	}
	stated := score.CalibrationError(score.Calibration(all, calibrationBins))
	s := c.scenario("phantom-"+inPercent(phantom), title, results, func(r *result, f *figures) {
		h, low, oracle := r.of(Holdfast), r.of(baseline.LowStock), r.of(Oracle)
		aim := f.aim
		if phantom != c.main() { // the targets are about one prevalence
			aim = func(name, unit string, bound report.Bound, _, value float64) {
				f.add(name, unit, report.Neither, value)
			}
		}
		aim("AUPRC, of the best baseline's", report.Ratio, report.AtLeast, 1.25, h.AUPRC/r.best(func(s *PhantomSeed) float64 { return s.AUPRC }))
		aim("time to detect, of the best baseline's", report.Ratio, report.AtMost, 0.5, timeRatio(r))
		aim("daily count list, lift over low recorded stock", report.Ratio, report.AtLeast, 1.5, hitRate(h)/hitRate(low))
		aim("false alarms per 1,000 SKU-location-days", rate, report.AtMost, 1, h.WrongPer1000)
		aim("calibration error of stated confidence, all seeds (ECE)", report.Count, report.AtMost, 0.05, stated)
		f.add("calibration error of stated confidence, this seed (ECE)", report.Count, report.Lower, score.CalibrationError(score.Calibration(r.stated, calibrationBins)))
		f.add("calibration error of every probability (ECE)", report.Count, report.Lower, score.CalibrationError(r.believed))
		f.add("AUPRC, of the oracle's", report.Ratio, report.Higher, h.AUPRC/oracle.AUPRC)
		f.add("daily count list, lift over the best baseline", report.Ratio, report.Higher, hitRate(h)/r.best(hitRate))
		f.add("episodes", report.Count, report.Neither, float64(h.Episodes))
	})
	s.Plots = []report.Plot{precisionRecall(results), delays(results), calibration(results), cost(results)}
	return s
}

// methods is what every method came to at a prevalence.
func methods(c *Config, phantom float64, results []*result) report.Scenario {
	title := fmt.Sprintf("Phantom inventory, %g %%: every method, the baselines with as many false alarms as holdfast", 100*phantom)
	return c.scenario("phantom-"+inPercent(phantom)+"-methods", title, results, func(r *result, f *figures) {
		for _, figure := range []struct {
			name, unit string
			better     report.Direction
			of         func(*PhantomSeed) float64
		}{
			{"AUPRC", report.Count, report.Higher, func(s *PhantomSeed) float64 { return s.AUPRC }},
			{"count list hits", percent, report.Higher, func(s *PhantomSeed) float64 { return 100 * hitRate(s) }},
			{"alarms right", percent, report.Higher, func(s *PhantomSeed) float64 { return 100 * float64(s.Alarms-s.Wrong) / float64(s.Alarms) }},
			{"episodes found", percent, report.Higher, func(s *PhantomSeed) float64 { return 100 * float64(s.Found) / float64(s.Episodes) }},
			{"phantom hours before an alarm", percent, report.Lower, func(s *PhantomSeed) float64 { return 100 * s.UnfoundShare }},
			{"median delay of those found", hours, report.Lower, func(s *PhantomSeed) float64 { return s.MedianHours }},
			{"p90 delay of those found", hours, report.Lower, func(s *PhantomSeed) float64 { return s.P90Hours }},
			{"median delay in expected sales", events, report.Lower, func(s *PhantomSeed) float64 { return s.MedianEvents }},
			{"median delay of episodes over 2 days", hours, report.Lower, func(s *PhantomSeed) float64 { return s.LongMedian }},
			{"looks at stock under a false alarm", percent, report.Lower, func(s *PhantomSeed) float64 { return 100 * s.WrongShare }},
		} {
			for i := range r.methods {
				f.add(figure.name+": "+r.methods[i].Method, figure.unit, figure.better, figure.of(&r.methods[i]))
			}
		}
	})
}

func inPercent(share float64) string {
	return strings.ReplaceAll(fmt.Sprintf("%g", math.Round(1000*share)/10), ".", "-")
}

func hitRate(s *PhantomSeed) float64 { return float64(s.ListHits) / float64(s.ListPlaces) }

// timeRatio returns the median time until the long episodes were found against the best baseline's, those never found
// among them. Where holdfast finds less than half of them it is at least 1; where that holds of the baselines alone it is 0.
func timeRatio(r *result) float64 {
	best := -r.best(func(s *PhantomSeed) float64 {
		if math.IsNaN(s.LongMedian) {
			return math.Inf(-1)
		}
		return -s.LongMedian
	})
	own := r.of(Holdfast).LongMedian
	switch {
	case math.IsNaN(own):
		return math.NaN()
	case math.IsInf(own, 1) && math.IsInf(best, 1):
		return 1
	case math.IsInf(own, 1):
		return 10
	case math.IsInf(best, 1):
		return 0
	}
	return own / best
}

// nilPicks is the baseline that finds most, as a rule.
const nilPicks = "nil picks"

// groups is who is found and who isn't: by velocity, and by what went wrong.
func groups(c *Config, phantom float64, results []*result) report.Scenario {
	velocities := []struct {
		name     string
		from, to float64
	}{{"under 0.5 sales a day", 0, 0.5}, {"0.5 to 2 sales a day", 0.5, 2}, {"over 2 sales a day", 2, math.Inf(1)}}
	causes := map[string]int{}
	for _, r := range results {
		for _, d := range r.found[Holdfast] {
			causes[string(d.cause)]++
		}
	}
	title := fmt.Sprintf("Phantom inventory, %g %%, by velocity and by what went wrong: episodes found, and the hours of those before an alarm", 100*phantom)
	return c.scenario("phantom-"+inPercent(phantom)+"-groups", title, results, func(r *result, f *figures) {
		group := func(name string, is func(d *delayIn) bool) {
			for _, method := range []string{Holdfast, nilPicks, Oracle} {
				n, found, lasted, unfound := 0, 0, 0.0, 0.0
				for _, d := range r.found[method] {
					if !is(&d) {
						continue
					}
					n++
					if !math.IsInf(d.hours, 1) {
						found++
					}
					lasted += d.lasted
					unfound += min(d.lasted, d.hours)
				}
				f.add(name+": found, "+method, percent, report.Higher, 100*float64(found)/float64(n))
				f.add(name+": hours before an alarm, "+method, percent, report.Lower, 100*unfound/lasted)
			}
		}
		for _, v := range velocities {
			group(v.name, func(d *delayIn) bool { return d.perDay >= v.from && d.perDay < v.to })
		}
		for _, cause := range sortedKeys(causes) {
			if cause != "" {
				group(cause, func(d *delayIn) bool { return string(d.cause) == cause })
			}
		}
		group("2 days and longer", func(d *delayIn) bool { return d.lasted >= inHours(longEpisode) })
	})
}

// classScenario is how the exceptions of every class met what was injected.
func classScenario(c *Config, results []*result) report.Scenario {
	opened := map[inventory.Class]int{}
	for _, r := range results {
		for _, k := range r.classes {
			opened[k.Class] += k.Opened
		}
	}
	s := c.scenario("classes", "Every class: injected faults against exceptions, in an open loop", results, func(r *result, f *figures) {
		for _, k := range r.classes {
			precision, recall := 100*float64(k.Right)/float64(k.Opened), 100*float64(k.Found)/float64(k.Injected)
			if k.Class == inventory.Oversell || k.Class == inventory.PhantomInventory || k.Class == inventory.OversellRisk { // have figures of their own
				f.add(string(k.Class)+" precision", percent, report.Higher, precision)
				f.add(string(k.Class)+" recall", percent, report.Higher, recall)
			} else {
				f.aim(string(k.Class)+" precision", percent, report.AtLeast, 90, precision)
				f.aim(string(k.Class)+" recall", percent, report.AtLeast, 90, recall)
			}
			f.add(string(k.Class)+" injected", report.Count, report.Neither, float64(k.Injected))
		}
	})
	for _, class := range inventory.Classes() {
		if opened[class] == 0 {
			s.Caveats = append(s.Caveats, string(class)+" is not there: no exception of it was ever opened")
		}
	}
	return s
}

// networkScenario is what the networks are like, beside what is published.
func networkScenario(c *Config, results []*result) report.Scenario {
	return c.scenario("network", "The simulated networks, beside what is published of real ones", results, func(r *result, f *figures) {
		for _, figure := range r.network {
			name, _, _ := strings.Cut(figure.Name, ",")
			f.add(name+"; published: "+figure.Published, percent, report.Neither, figure.Measured)
		}
		f.add("deltas", report.Count, report.Neither, float64(r.deltas))
	})
}
