package quality

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/bench/quality/score"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// foreseen is how long the windows are of which is said what will happen in them; they follow one another.
	foreseen = 4 * inventory.Hour

	// foresightTop is how many keys the list of each window has whose hits are counted.
	foresightTop = 10

	// coverDays is over how many days the cover rule takes the mean of what was asked for.
	coverDays = 28
)

// foresight holds what holdfast said of each window to come against what came, beside the cover rule: Poisson demand at the mean rate of
// four weeks against what the books promise.
type foresight struct {
	keys    []inventory.Key
	begun   []int                              // of each key: what could not be filled when the window began
	skipped []bool                             // of each key: it was so already then, or an oversell stood
	said    [2][]float64                       // of each key, by method
	days    map[inventory.Key][coverDays]int64 // units asked for by day
	today   inventory.Millis
	judged  [2][]score.Judged
	top     [2]int // hits on the lists
	places  int
}

// The methods that say what a window will bring.
const (
	byHoldfast = iota
	byCover
)

func newForesight() *foresight { return &foresight{days: map[inventory.Key][coverDays]int64{}} }

// hear takes in a delta.
func (f *foresight) hear(d *inventory.Delta) {
	if d.Kind == inventory.Sale || d.Kind == inventory.Reserve {
		days := f.days[d.Key()]
		days[f.today%coverDays] += d.Quantity
		f.days[d.Key()] = days
	}
}

// hour ends a window, and begins the next, where it is time for that.
func (f *foresight) hour(c *Config, l *loop, at inventory.Millis) error {
	if day := at / inventory.Day; day != f.today {
		f.today = day
		for key, days := range f.days {
			days[day%coverDays] = 0
			f.days[key] = days
		}
	}
	if at < c.warmUp() || (at-c.warmUp())%foreseen != 0 {
		return nil
	}
	f.end(l.sim)
	if at+foreseen > c.end() {
		return nil
	}
	return f.begin(l)
}

func (f *foresight) begin(l *loop) error {
	if err := l.commit(); err != nil {
		return err
	}
	risks := map[inventory.Key]float64{}
	err := engine.ReadRisks(l.store, foreseen, func(r *inventory.Risk) bool {
		risks[inventory.Key{SKU: r.SKU, Location: r.Location}] = r.Probability
		return true
	})
	if err != nil {
		return err
	}
	stands := map[inventory.Key]bool{}
	for _, x := range l.order {
		if x.Class == inventory.Oversell && x.ended == 0 {
			stands[inventory.Key{SKU: x.SKU, Location: x.Location}] = true
		}
	}
	f.keys, f.begun, f.skipped, f.said = f.keys[:0], f.begun[:0], f.skipped[:0], [2][]float64{f.said[0][:0], f.said[1][:0]}
	l.sim.Shelves(func(sh *sim.Shelf) {
		units := int64(0)
		for _, n := range f.days[sh.Key] {
			units += n
		}
		f.keys = append(f.keys, sh.Key)
		f.begun = append(f.begun, sh.Unfilled)
		f.skipped = append(f.skipped, sh.Short || stands[sh.Key])
		f.said[byHoldfast] = append(f.said[byHoldfast], risks[sh.Key])
		mean := float64(units) / coverDays * float64(foreseen) / float64(inventory.Day)
		f.said[byCover] = append(f.said[byCover], poissonBeyond(mean, max(sh.Promised, 0)))
	})
	return nil
}

// end judges the window that ends.
func (f *foresight) end(s *sim.Sim) {
	if len(f.keys) == 0 {
		return
	}
	so := make([]bool, 0, len(f.keys))
	s.Shelves(func(sh *sim.Shelf) { so = append(so, sh.Unfilled > f.begun[len(so)]) })
	for m := range f.said {
		var order []int
		for k, p := range f.said[m] {
			if f.skipped[k] {
				continue
			}
			f.judged[m] = append(f.judged[m], score.Judged{Score: p, True: so[k]})
			order = append(order, k)
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.said[m][b], f.said[m][a]) })
		for _, k := range order[:min(foresightTop, len(order))] {
			if so[k] {
				f.top[m]++
			}
		}
	}
	f.places += foresightTop
	f.keys = f.keys[:0]
}

// poissonBeyond returns P(X > n) of a Poisson X.
func poissonBeyond(mean float64, n int64) float64 {
	left, term := 1.0, math.Exp(-mean)
	for i := int64(0); i <= n && left > 0; i++ {
		left -= term
		term *= mean / float64(i+1)
	}
	return max(left, 0)
}

// brier returns the mean square of what was said less what was so, and that of who always says the share that was so.
func brier(judged []score.Judged) (of, constant float64) {
	share := 0.0
	for _, j := range judged {
		if j.True {
			share++
		}
	}
	n := float64(len(judged))
	share /= n
	for _, j := range judged {
		was := 0.0
		if j.True {
			was = 1
		}
		of += (j.Score - was) * (j.Score - was) / n
	}
	return of, share * (1 - share)
}

// saidBands are the probabilities between which what was said is put together: most is small.
var saidBands = []float64{0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.01}

// bands puts what was said into saidBands.
func bands(judged []score.Judged) []score.Bin {
	all := make([]score.Bin, len(saidBands)-1)
	for _, j := range judged {
		i, _ := slices.BinarySearch(saidBands, math.Nextafter(j.Score, 2))
		b := &all[i-1]
		b.Said += j.Score
		if j.True {
			b.Was++
		}
		b.Count++
	}
	for i := range all {
		if n := float64(all[i].Count); n > 0 {
			all[i].Said /= n
			all[i].Was /= n
		}
	}
	return all
}

// foresightScenario is how what was said of the next windows met what came.
func foresightScenario(c *Config, results []*result) report.Scenario {
	title := fmt.Sprintf("The next %d hours: the chance that more is promised than can be found, for each key and window, in an open loop", foreseen/inventory.Hour)
	var all [2][]score.Judged
	for _, r := range results {
		for m := range all {
			all[m] = append(all[m], r.foresight.judged[m]...)
		}
	}
	together := bands(all[byHoldfast])
	error10 := score.CalibrationError(score.Calibration(all[byHoldfast], calibrationBins))
	banded := score.CalibrationError(together)
	s := c.scenario("next-window", title, results, func(r *result, f *figures) {
		own, constant := brier(r.foresight.judged[byHoldfast])
		cover, _ := brier(r.foresight.judged[byCover])
		f.aim("calibration error, all seeds (ECE)", report.Count, report.AtMost, 0.05, error10)
		f.add("calibration error in narrow bands, all seeds", report.Count, report.Lower, banded)
		f.add("Brier score", report.Count, report.Lower, own)
		f.add("Brier score of the cover rule", report.Count, report.Neither, cover)
		f.add("Brier score of the constant share", report.Count, report.Neither, constant)
		f.add("Brier skill against the constant share", percent, report.Higher, 100*(1-own/constant))
		f.add("Brier skill against the cover rule", percent, report.Higher, 100*(1-own/cover))
		f.add("AUPRC", report.Count, report.Higher, averagePrecision(r.foresight.judged[byHoldfast]))
		f.add("AUPRC of the cover rule", report.Count, report.Neither, averagePrecision(r.foresight.judged[byCover]))
		f.add("list of ten: hits", percent, report.Higher, 100*float64(r.foresight.top[byHoldfast])/float64(r.foresight.places))
		f.add("list of ten: hits of the cover rule", percent, report.Neither, 100*float64(r.foresight.top[byCover])/float64(r.foresight.places))
		f.add("share of keys and windows in which it came so", percent, report.Neither, 100*share(r.foresight.judged[byHoldfast]))
		for i, b := range together {
			if b.Count > 0 {
				name := fmt.Sprintf("said %g to %g %%", 100*saidBands[i], min(100*saidBands[i+1], 100))
				f.add(name+": said, all seeds", percent, report.Neither, 100*b.Said)
				f.add(name+": was so, all seeds", percent, report.Neither, 100*b.Was)
				f.add(name+": times, all seeds", report.Count, report.Neither, float64(b.Count))
			}
		}
	})
	s.Plots = []report.Plot{reliability(all)}
	return s
}

func averagePrecision(judged []score.Judged) float64 {
	return score.AveragePrecision(score.Curve(slices.Clone(judged)))
}

func share(judged []score.Judged) (share float64) {
	for _, j := range judged {
		if j.True {
			share++
		}
	}
	return share / float64(len(judged))
}

// reliability draws how often it came so against the probability that was said.
func reliability(all [2][]score.Judged) report.Plot {
	p := report.Plot{Name: "Reliability", X: "said, %", Y: "was so, %"}
	for m, name := range []string{Holdfast, "cover rule"} {
		c := report.Curve{Name: name}
		for _, b := range bands(all[m]) {
			if b.Count > 0 {
				c.X = append(c.X, 100*b.Said)
				c.Y = append(c.Y, 100*b.Was)
			}
		}
		p.Curves = append(p.Curves, c)
	}
	p.Curves = append(p.Curves, report.Curve{Name: "as said", X: []float64{0, 100}, Y: []float64{0, 100}})
	return p
}
