package report

import (
	"cmp"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// level is the confidence that is asked of every interval.
const level = 0.95

// Summary is a metric over the runs of a scenario.
type Summary struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Better Direction `json:"better,omitempty"`
	Target *Target   `json:"target,omitempty"`
	Values []float64 `json:"values"` // of the runs that have it, in their order; at least one
	Median float64   `json:"median"`

	// The median lies in [Low, High] with the probability Level: at least 0.95, or where the
	// runs are too few for that, what the range from their least to their greatest gives. One
	// run says nothing: Level is 0.
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level"`
}

// Summaries returns the scenario's metrics, in the order in which the runs have them.
func (s Scenario) Summaries() []Summary {
	var out []Summary
	at := map[string]int{}
	for _, run := range s.Runs {
		for _, m := range run.Metrics {
			i, ok := at[m.Name]
			if !ok {
				i = len(out)
				at[m.Name] = i
				out = append(out, Summary{Name: m.Name, Unit: m.Unit, Better: m.Better, Target: m.Target})
			}
			out[i].Values = append(out[i].Values, m.Value)
		}
	}
	for i := range out {
		out[i].summarize()
	}
	return out
}

// summarize works out the median and its interval.
func (s *Summary) summarize() {
	n := len(s.Values)
	sum := benchmath.AssumeNothing.Summary(sampleOf(s.Values), level)
	s.Median, s.Low, s.High, s.Level = sum.Center, sum.Lo, sum.Hi, sum.Confidence
	if math.IsInf(s.Low, 0) || math.IsInf(s.High, 0) {
		// All runs lie on one side of the median with the probability 2·½ⁿ.
		s.Low, s.High, s.Level = slices.Min(s.Values), slices.Max(s.Values), 1-math.Ldexp(2, -n)
	}
}

// verdict says whether the median reaches the target, and by how much or how much not.
func (s Summary) verdict() string {
	if s.Target == nil {
		return ""
	}
	reached := s.Target.Reached(s.Median)
	by := s.distance()
	side := map[bool]string{true: " above", false: " below"}[s.Median > s.Target.Value]
	text := "reached"
	switch {
	case reached && s.Median != s.Target.Value:
		text += ", " + by + side
	case !reached && s.Target.Bound == AtLeast:
		text = by + " short"
	case !reached:
		text = by + " over"
	}
	if s.Level > 0 && s.Low < s.Target.Value && s.Target.Value < s.High {
		text += " (within the noise)"
	}
	return text
}

// distance is how far the median is from the target, as a share of it where it is not 0.
func (s Summary) distance() string {
	d := math.Abs(s.Median - s.Target.Value)
	if s.Target.Value == 0 {
		return short(s.Unit, d)
	}
	return percent(d / math.Abs(s.Target.Value))
}

// typical returns the index of the run whose first metric is the median of all, the lower of two in
// the middle: the run that stands for the others in a plot. -1: there is no run.
func (s Scenario) typical() int {
	type run struct {
		index int
		value float64
	}
	var runs []run
	for i, r := range s.Runs {
		if len(r.Metrics) > 0 && r.Metrics[0].Name == s.about() {
			runs = append(runs, run{i, r.Metrics[0].Value})
		}
	}
	if len(runs) == 0 {
		return len(s.Runs) - 1
	}
	slices.SortStableFunc(runs, func(a, b run) int { return cmp.Compare(a.value, b.value) })
	return runs[(len(runs)-1)/2].index
}

// about is the metric that the scenario is about; empty: it has none.
func (s Scenario) about() string {
	for _, r := range s.Runs {
		if len(r.Metrics) > 0 {
			return r.Metrics[0].Name
		}
	}
	return ""
}

// usage is a process over the runs of a scenario: medians, and the share of all CPU.
type usage struct {
	Name   string
	CPU    float64 // nanoseconds
	Share  float64 // 0–1
	RSSMax float64 // bytes; the greatest of all runs
}

// usages returns the processes in the order in which the runs have them.
func (s Scenario) usages() []usage {
	var out []usage
	cpu := map[string][]float64{}
	for _, run := range s.Runs {
		for _, p := range run.Processes {
			i := slices.IndexFunc(out, func(u usage) bool { return u.Name == p.Name })
			if i < 0 {
				i = len(out)
				out = append(out, usage{Name: p.Name})
			}
			cpu[p.Name] = append(cpu[p.Name], float64(p.CPU))
			out[i].RSSMax = max(out[i].RSSMax, float64(p.RSSMax))
		}
	}
	total := 0.0
	for i := range out {
		out[i].CPU = median(cpu[out[i].Name])
		total += out[i].CPU
	}
	for i := range out {
		if total > 0 {
			out[i].Share = out[i].CPU / total
		}
	}
	return out
}

func median(values []float64) float64 {
	return benchmath.AssumeNothing.Summary(sampleOf(values), level).Center
}

// sampleOf leaves the values in their order; benchmath would sort them.
func sampleOf(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}
