package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
)

// Comparison holds report B against report A, metric by metric.
type Comparison struct {
	A Origin `json:"a"`
	B Origin `json:"b"`

	// Incomparable is why no figure of the one may be held against the other's: another
	// machine, other settings. Every verdict is [Incomparable] then.
	Incomparable []Difference `json:"incomparable,omitempty"`

	// Differs is what else is not the same, and may be what is compared: versions.
	Differs []Difference `json:"differs,omitempty"`

	Scenarios []ScenarioComparison `json:"scenarios"` // that both have, in the order of A
	OnlyA     []string             `json:"only_a,omitempty"`
	OnlyB     []string             `json:"only_b,omitempty"`
}

// Origin says which report a side is.
type Origin struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
}

// Difference is something that the two sides don't have in common.
type Difference struct {
	What string `json:"what"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// ScenarioComparison is a scenario on both sides.
type ScenarioComparison struct {
	Name         string             `json:"name"`
	Title        string             `json:"title"`                  // as B has it
	Incomparable []Difference       `json:"incomparable,omitempty"` // another seed or configuration
	FailedA      string             `json:"failed_a,omitempty"`
	FailedB      string             `json:"failed_b,omitempty"`
	Metrics      []MetricComparison `json:"metrics"` // that both have, in the order of A
	OnlyA        []string           `json:"only_a,omitempty"`
	OnlyB        []string           `json:"only_b,omitempty"`
}

// Verdict says what a difference means.
type Verdict string

// The verdicts.
const (
	Better       Verdict = "better"
	Worse        Verdict = "worse"
	Changed      Verdict = "changed" // of a metric without a better direction
	Noise        Verdict = "within the noise"
	TooFew       Verdict = "too few runs" // no difference could be told from noise; four on each side can
	Incomparable Verdict = "not comparable"
)

// MetricComparison is a metric on both sides.
type MetricComparison struct {
	A Summary `json:"a"`
	B Summary `json:"b"`

	// Ratio is B's median through A's; nil where A's is not above 0, or B's is below.
	Ratio *float64 `json:"ratio,omitempty"`

	// Interval holds the ratio with 95 %; nil where the runs are too few for one, or
	// a value on either side is not above 0.
	Interval *Interval `json:"interval,omitempty"`

	Verdict Verdict `json:"verdict"`
}

// Interval is from Low to High, both of them in it.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Compare holds b against a. Both are reports that [Report.Check] takes.
func Compare(a, b Report) Comparison {
	c := Comparison{A: Origin{a.Version, a.Started}, B: Origin{b.Version, b.Started}}
	hard, soft := differences(slices.Concat(a.Machine.facts(), a.Settings.facts()), slices.Concat(b.Machine.facts(), b.Settings.facts()))
	c.Incomparable, c.Differs = hard, soft
	for _, sa := range a.Scenarios {
		i := slices.IndexFunc(b.Scenarios, func(s Scenario) bool { return s.Name == sa.Name })
		if i < 0 {
			c.OnlyA = append(c.OnlyA, sa.Name)
			continue
		}
		c.Scenarios = append(c.Scenarios, compareScenarios(sa, b.Scenarios[i], len(hard) == 0))
	}
	for _, sb := range b.Scenarios {
		if !slices.ContainsFunc(a.Scenarios, func(s Scenario) bool { return s.Name == sb.Name }) {
			c.OnlyB = append(c.OnlyB, sb.Name)
		}
	}
	return c
}

// differences returns what differs by name: what makes figures incomparable, and what is only told.
func differences(a, b []fact) (hard, soft []Difference) {
	inB := map[string]string{}
	for _, f := range b {
		inB[f.Name] = f.Value
	}
	note := func(f fact, d Difference) {
		if f.told {
			soft = append(soft, d)
		} else {
			hard = append(hard, d)
		}
	}
	for _, f := range a {
		other, ok := inB[f.Name]
		if !ok {
			other = "–"
		}
		if other != f.Value {
			note(f, Difference{f.Name, f.Value, other})
		}
		delete(inB, f.Name)
	}
	for _, f := range b {
		if value, left := inB[f.Name]; left {
			note(f, Difference{f.Name, "–", value})
		}
	}
	return hard, soft
}

func compareScenarios(a, b Scenario, comparable bool) ScenarioComparison {
	c := ScenarioComparison{Name: b.Name, Title: b.Title, FailedA: a.Failed, FailedB: b.Failed}
	c.Incomparable, _ = differences(a.facts(), b.facts())
	comparable = comparable && len(c.Incomparable) == 0
	inA, inB := a.Summaries(), b.Summaries()
	for _, ma := range inA {
		i := slices.IndexFunc(inB, func(m Summary) bool { return m.Name == ma.Name && m.Unit == ma.Unit })
		if i < 0 {
			c.OnlyA = append(c.OnlyA, ma.Name)
			continue
		}
		m := compareMetrics(ma, inB[i])
		if !comparable {
			m.Verdict = Incomparable
		}
		c.Metrics = append(c.Metrics, m)
	}
	for _, mb := range inB {
		if !slices.ContainsFunc(inA, func(m Summary) bool { return m.Name == mb.Name && m.Unit == mb.Unit }) {
			c.OnlyB = append(c.OnlyB, mb.Name)
		}
	}
	return c
}

func compareMetrics(a, b Summary) MetricComparison {
	m := MetricComparison{A: a, B: b}
	if a.Median > 0 && b.Median >= 0 {
		ratio := b.Median / a.Median
		m.Ratio = &ratio
	}
	m.Interval = ratioInterval(a.Values, b.Values)
	var differs bool
	switch {
	case !canDiffer(len(a.Values), len(b.Values)):
		m.Verdict = TooFew
		return m
	case m.Interval != nil:
		differs = m.Interval.Low > 1 || m.Interval.High < 1
	default:
		test := benchmath.AssumeNothing.Compare(sampleOf(a.Values), sampleOf(b.Values))
		differs = test.P < test.Alpha
	}
	switch {
	case !differs:
		m.Verdict = Noise
	case b.Better == Neither || a.Better != b.Better:
		m.Verdict = Changed
	case (b.Better == Higher) == (b.Median > a.Median):
		m.Verdict = Better
	default:
		m.Verdict = Worse
	}
	return m
}

// WriteJSON writes the comparison as JSON. The error is the writer's.
func (c Comparison) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	if err := out.Encode(c); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}
