package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteTable writes a report for a terminal: medians with their intervals, what is
// reached of the targets, and the CPU of each process. The error is the writer's.
func WriteTable(w io.Writer, r Report) error {
	t := newTable(w)
	t.line("holdfast %s, %s", r.Version, r.Started.UTC().Format(time.RFC3339))
	t.line("%s", sentence(r.Machine.facts()))
	if facts := r.Settings.facts(); len(facts) > 0 {
		t.line("%s", sentence(facts))
	}
	for _, s := range r.Scenarios {
		t.scenario(s)
	}
	if reached, of := r.reached(); of > 0 {
		t.line("")
		t.line("%d of %s reached", reached, plural(of, "target", "targets"))
	}
	return t.flush()
}

// reached counts the targets whose median is on the right side, and all.
func (r Report) reached() (reached, of int) {
	for _, s := range r.Scenarios {
		for _, m := range s.Summaries() {
			if m.Target == nil {
				continue
			}
			of++
			if m.Target.Reached(m.Median) {
				reached++
			}
		}
	}
	return reached, of
}

func sentence(facts []fact) string {
	parts := make([]string, len(facts))
	for i, f := range facts {
		parts[i] = f.Name + " " + f.Value
	}
	return strings.Join(parts, " · ")
}

// table collects lines with cells; nothing is written before flush.
type table struct {
	to   io.Writer
	text bytes.Buffer
	tabs *tabwriter.Writer
}

func newTable(w io.Writer) *table {
	t := &table{to: w}
	t.tabs = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	return t
}

// end ends the columns of the rows before it.
func (t *table) end() { _ = t.tabs.Flush() } // into a buffer, which has no errors

// line is no row: it ends the columns.
func (t *table) line(format string, args ...any) {
	t.end()
	t.text.WriteString(plain(fmt.Sprintf(format, args...)))
	t.text.WriteByte('\n')
}

// row adds a row of cells to those before it.
func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = plain(c)
	}
	fmt.Fprintf(t.tabs, "  %s\n", strings.Join(cells, "\t"))
}

func (t *table) flush() error {
	t.end()
	for line := range bytes.Lines(t.text.Bytes()) {
		if _, err := t.to.Write(append(bytes.TrimRight(line, " \n"), '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) scenario(s Scenario) {
	t.line("")
	t.line("%s: %s (%s, seed %d)", s.Name, s.Title, plural(len(s.Runs), "run", "runs"), s.Seed)
	if s.Failed != "" {
		t.line("  not measured: %s", s.Failed)
	}
	for _, c := range s.Caveats {
		t.line("  note: %s", c)
	}
	metrics := s.Summaries()
	if len(metrics) > 0 {
		t.row("metric", "median", intervalHead(metrics), "target", "")
	}
	for _, m := range metrics {
		sc := scaleOf(m.Unit, m.Median, m.High)
		t.row(m.Name+m.runs(len(s.Runs)), sc.full(m.Median), m.interval(), m.target(), m.verdict())
	}
	usages := s.usages()
	if len(usages) == 0 {
		return
	}
	t.line("")
	t.row("process", "CPU", "share", "memory at most")
	for _, u := range usages {
		t.row(u.Name, scaleOf(Nanoseconds, u.CPU).full(u.CPU), percent(u.Share), bytesOf(int64(u.RSSMax)))
	}
}

// intervalHead says at which level the intervals hold.
func intervalHead(metrics []Summary) string {
	least := 1.0
	for _, m := range metrics {
		least = min(least, m.Level)
	}
	if least == 0 {
		return "interval"
	}
	return percent(min(least, level)) + " interval"
}

// interval shows where the median lies, in the scale of the median; empty after a single run.
func (s Summary) interval() string {
	if s.Level == 0 {
		return ""
	}
	sc := scaleOf(s.Unit, s.Median, s.High)
	return sc.number(s.Low) + " – " + sc.number(s.High)
}

func (s Summary) target() string {
	if s.Target == nil {
		return ""
	}
	return map[Bound]string{AtLeast: "≥ ", AtMost: "≤ "}[s.Target.Bound] + short(s.Unit, s.Target.Value)
}

// runs says in how many of all runs the metric is, where it isn't in all.
func (s Summary) runs(of int) string {
	if len(s.Values) == of {
		return ""
	}
	return fmt.Sprintf(" (%d of %d runs)", len(s.Values), of)
}
