package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteTable writes the comparison for a terminal. The error is the writer's.
func (c Comparison) WriteTable(w io.Writer) error {
	t := newTable(w)
	t.line("A: holdfast %s, %s", c.A.Version, c.A.Started.UTC().Format(time.RFC3339))
	t.line("B: holdfast %s, %s", c.B.Version, c.B.Started.UTC().Format(time.RFC3339))
	if len(c.Incomparable) > 0 {
		t.line("")
		t.line("Not comparable; the figures are side by side and not judged:")
		t.differences(c.Incomparable)
	}
	if len(c.Differs) > 0 {
		t.line("")
		t.line("Not the same on both sides:")
		t.differences(c.Differs)
	}
	for _, s := range c.Scenarios {
		t.scenarioComparison(s)
	}
	if len(c.OnlyA)+len(c.OnlyB) > 0 {
		t.line("")
	}
	t.only("scenarios", c.OnlyA, c.OnlyB)
	return t.flush()
}

func (t *table) scenarioComparison(s ScenarioComparison) {
	t.line("")
	t.line("%s: %s", s.Name, s.Title)
	if s.FailedA != "" {
		t.line("  not measured in A: %s", s.FailedA)
	}
	if s.FailedB != "" {
		t.line("  not measured in B: %s", s.FailedB)
	}
	if len(s.Incomparable) > 0 {
		t.line("  not comparable:")
		t.differences(s.Incomparable)
	}
	if len(s.Metrics) > 0 {
		t.row("metric", "A", "B", "B/A", "95 % interval", "")
	}
	for _, m := range s.Metrics {
		a, b := scaleOf(m.A.Unit, m.A.Median, m.A.High), scaleOf(m.B.Unit, m.B.Median, m.B.High)
		t.row(m.A.Name, a.full(m.A.Median), b.full(m.B.Median), m.ratio(), m.interval(), string(m.Verdict))
	}
	t.only("metrics", s.OnlyA, s.OnlyB)
}

func (m MetricComparison) ratio() string {
	if m.Ratio == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *m.Ratio)
}

func (m MetricComparison) interval() string {
	if m.Interval == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f – %.3f", m.Interval.Low, m.Interval.High)
}

// differences is a block of its own: its columns have nothing to do with those after it.
func (t *table) differences(all []Difference) {
	for _, d := range all {
		t.row("  "+d.What, d.A, d.B)
	}
	t.end()
}

func (t *table) only(what string, a, b []string) {
	for _, side := range []struct {
		name  string
		names []string
	}{{"A", a}, {"B", b}} {
		if len(side.names) > 0 {
			t.line("  %s only in %s: %s", what, side.name, strings.Join(side.names, ", "))
		}
	}
}
