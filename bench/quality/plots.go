package quality

import (
	"maps"
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/bench/quality/baseline"
	"github.com/holdfast-atp/holdfast/bench/quality/score"
	"github.com/holdfast-atp/holdfast/bench/report"
)

// drawn are the methods that are told apart in a picture.
var drawn = []string{Holdfast, Oracle, "poisson", "nil picks", baseline.LowStock, "days since last sale"}

// precisionRecall draws the mean precision over seeds at each recall.
func precisionRecall(results []*result) report.Plot {
	p := report.Plot{Name: "Precision by recall", X: "recall, %", Y: "precision, %; mean over seeds"}
	for _, method := range drawn {
		c := report.Curve{Name: method}
		for step := range recallSteps {
			sum := 0.0
			for _, r := range results {
				sum += r.curves[method][step]
			}
			c.X = append(c.X, 100*float64(step+1)/recallSteps)
			c.Y = append(c.Y, 100*sum/float64(len(results)))
		}
		p.Curves = append(p.Curves, c)
	}
	return p
}

// delays draws which share of all episodes was found within how many hours.
func delays(results []*result) report.Plot {
	p := report.Plot{Name: "Episodes found within", X: "hours", Y: "% of all episodes, at equal false alarms"}
	const most = 240
	for _, method := range drawn {
		c := report.Curve{Name: method}
		var all []float64
		for _, r := range results {
			for _, d := range r.found[method] {
				all = append(all, d.hours)
			}
		}
		slices.Sort(all)
		for h := 0.0; h <= most; h += 4 {
			n, _ := slices.BinarySearch(all, math.Nextafter(h, math.Inf(1)))
			c.X = append(c.X, h)
			c.Y = append(c.Y, 100*float64(n)/float64(max(len(all), 1)))
		}
		p.Curves = append(p.Curves, c)
	}
	return p
}

// calibration draws how often nothing was there against the probability that was said.
func calibration(results []*result) report.Plot {
	var stated []score.Judged
	sums := map[int]score.Bin{}
	for _, r := range results {
		stated = append(stated, r.stated...)
		for _, b := range r.believed {
			i := min(int(b.Said*calibrationBins), calibrationBins-1)
			sum := sums[i]
			sum.Said += b.Said * float64(b.Count)
			sum.Was += b.Was * float64(b.Count)
			sum.Count += b.Count
			sums[i] = sum
		}
	}
	believed := report.Curve{Name: "every probability"}
	for _, i := range slices.Sorted(maps.Keys(sums)) {
		believed.X = append(believed.X, 100*sums[i].Said/float64(sums[i].Count))
		believed.Y = append(believed.Y, 100*sums[i].Was/float64(sums[i].Count))
	}
	raised := report.Curve{Name: "stated with an exception"}
	for _, b := range score.Calibration(stated, calibrationBins) {
		raised.X = append(raised.X, 100*b.Said)
		raised.Y = append(raised.Y, 100*b.Was)
	}
	ideal := report.Curve{Name: "as said", X: []float64{0, 100}, Y: []float64{0, 100}}
	return report.Plot{Name: "Calibration", X: "said, %", Y: "was so, %", Curves: []report.Curve{raised, believed, ideal}}
}

// cancellationMargins is how many margins of a sale a cancellation is taken to cost. [A]
const cancellationMargins = 4

// cost draws what acting at each recall would cost: phantoms that are missed, at a cancellation each, and stock that is
// held, at a margin each.
func cost(results []*result) report.Plot {
	p := report.Plot{Name: "Cost by recall", X: "recall, %", Y: "% of the cost of never acting; a cancellation costs four margins"}
	for _, method := range drawn {
		c := report.Curve{Name: method}
		for step := range recallSteps {
			recall, sum := float64(step+1)/recallSteps, 0.0
			for _, r := range results {
				precision := max(r.curves[method][step], 1e-3)
				sum += 1 - recall + recall*(1-precision)/precision/cancellationMargins
			}
			if cost := 100 * sum / float64(len(results)); cost < 200 {
				c.X = append(c.X, 100*recall)
				c.Y = append(c.Y, cost)
			}
		}
		p.Curves = append(p.Curves, c)
	}
	return p
}

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
