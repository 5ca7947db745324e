package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// page is what the template sees.
type page struct {
	Style       template.CSS
	Version     string
	Started     string
	Reached, Of int
	Machine     []fact
	Settings    []fact
	Targets     []targetRow
	Costs       costs
	Scenarios   []scenarioPart
}

type targetRow struct {
	Scenario string
	metricRow
}

type scenarioPart struct {
	Name, Title, Failed string
	Caveats             []string
	Facts               []fact
	Runs                string
	IntervalHead        string
	Metrics             []metricRow
	Charts              []chart
	Note                string
}

type metricRow struct {
	Name, Median, Interval, Target, Verdict string
	Reached                                 bool
	Strip                                   *strip
}

// costs are CPU and memory of all scenarios, a column for each process.
type costs struct {
	Processes []string
	Rows      []costRow
}

type costRow struct {
	Scenario string
	Cells    []costCell // as many as processes
	PerCore  string     // deltas per core-second
}

type costCell struct{ CPU, Share, Memory string }

// WriteHTML writes a report as one page that needs nothing else: no script, font or picture from
// outside. An error names what [Report.Check] refuses, or is the writer's.
func WriteHTML(w io.Writer, r Report) error {
	if err := r.Check(); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	t, err := template.New("page").Funcs(template.FuncMap{"px": pixels}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	p := page{
		Style:    template.CSS(pageStyle), // our own, with nothing of the report in it
		Version:  r.Version,
		Started:  r.Started.UTC().Format("2 January 2006, 15:04 UTC"),
		Machine:  r.Machine.facts(),
		Settings: r.Settings.facts(),
		Costs:    costsOf(r),
	}
	p.Reached, p.Of = r.reached()
	for _, s := range r.Scenarios {
		part := partOf(s)
		for _, m := range part.Metrics {
			if m.Target != "" {
				p.Targets = append(p.Targets, targetRow{s.Name, m})
			}
		}
		p.Scenarios = append(p.Scenarios, part)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	for line := range bytes.Lines(b.Bytes()) {
		if _, err := io.WriteString(w, plain(strings.TrimSuffix(string(line), "\n"))+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func partOf(s Scenario) scenarioPart {
	part := scenarioPart{Name: s.Name, Title: s.Title, Failed: s.Failed, Caveats: s.Caveats, Facts: s.facts(), Charts: s.charts(), Note: s.runsNote()}
	part.Runs = plural(len(s.Runs), "run", "runs")
	metrics := s.Summaries()
	part.IntervalHead = intervalHead(metrics)
	for _, m := range metrics {
		row := metricRow{
			Name:     m.Name + m.runs(len(s.Runs)),
			Median:   scaleOf(m.Unit, m.Median, m.High).full(m.Median),
			Interval: m.interval(),
			Target:   m.target(),
			Verdict:  m.verdict(),
			Strip:    stripOf(m),
		}
		row.Reached = m.Target != nil && m.Target.Reached(m.Median)
		part.Metrics = append(part.Metrics, row)
	}
	return part
}

func costsOf(r Report) costs {
	var c costs
	for _, s := range r.Scenarios {
		for _, u := range s.usages() {
			if !slices.Contains(c.Processes, u.Name) {
				c.Processes = append(c.Processes, u.Name)
			}
		}
	}
	for _, s := range r.Scenarios {
		row := costRow{Scenario: s.Name, Cells: make([]costCell, len(c.Processes))}
		usages := s.usages()
		for _, u := range usages {
			row.Cells[slices.Index(c.Processes, u.Name)] = costCell{
				CPU: scaleOf(Nanoseconds, u.CPU).full(u.CPU), Share: percent(u.Share), Memory: bytesOf(int64(u.RSSMax))}
		}
		for _, m := range s.Summaries() {
			if m.Unit == PerCoreSecond {
				row.PerCore = scaleOf(Count, m.Median).full(m.Median)
				break
			}
		}
		if len(usages) > 0 || row.PerCore != "" {
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}
