package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// charts returns what a scenario has to draw: first its latencies by percentile, then its series.
func (s Scenario) charts() []chart {
	var out []chart
	if c, ok := s.percentiles(); ok {
		out = append(out, c)
	}
	for _, p := range s.plots() {
		if c, ok := s.overTime(p); ok {
			out = append(out, c)
		}
	}
	for _, p := range s.Plots {
		if c, ok := p.chart(); ok {
			out = append(out, c)
		}
	}
	return out
}

// chart draws a plot of all runs together; false: it has no points.
func (p Plot) chart() (chart, bool) {
	lines := make([]line, len(p.Curves))
	for i, c := range p.Curves {
		points := make([]point, len(c.X))
		for j := range c.X {
			points[j] = point{c.X[j], c.Y[j]}
		}
		lines[i] = line{c.Name, [][]point{points}}
	}
	xs, ys := extent(lines)
	if len(xs) == 0 {
		return chart{}, false
	}
	x, y := timeAxis(slices.Max(xs)), valueAxis(Count, ys)
	c := chart{Title: p.Name, Note: p.Y, Across: p.X, Y: y.marks(Count)}
	step := stepFor(Count, x.high/ticksMost)
	for i := 0.0; i*step <= x.high; i++ {
		pixel, _ := x.at(i * step)
		c.X = append(c.X, mark{pixel, short(Count, i*step)})
	}
	c.draw(lines, 0, x, y)
	return c, true
}

// percentiles draws every latency of the scenario into one chart.
func (s Scenario) percentiles() (chart, bool) {
	var lines []line
	for i, run := range s.Runs {
		for _, l := range run.Latencies {
			points := make([]point, 0, len(l.Percentiles))
			for _, p := range l.Percentiles {
				if p.P == 100 && l.Count == 0 {
					continue // it has no place: the axis has no end
				}
				points = append(points, point{nines(p.P, l.Count), float64(p.Nanoseconds)})
			}
			lines = addRun(lines, l.Name, i, len(s.Runs), points)
		}
	}
	xs, ys := extent(lines)
	if len(xs) == 0 {
		return chart{}, false
	}
	x, y := percentileAxis(slices.Max(xs)), valueAxis(Nanoseconds, ys)
	c := chart{Title: "Latency by percentile", Note: note("", y), Across: "percentile", X: percentileMarks(x), Y: y.marks(Nanoseconds)}
	c.draw(lines, s.typical(), x, y)
	return c, true
}

// plot is the series that share a picture: their names are plot/line.
type plot struct {
	name, unit string
	lines      []line // over seconds
}

// plots groups the series of all runs into pictures.
func (s Scenario) plots() []plot {
	var plots []plot
	for r, run := range s.Runs {
		for _, series := range run.Series {
			name, lineName, ok := strings.Cut(series.Name, "/")
			if !ok {
				lineName = name
			}
			i := slices.IndexFunc(plots, func(p plot) bool { return p.name == name && p.unit == series.Unit })
			if i < 0 {
				i = len(plots)
				plots = append(plots, plot{name: name, unit: series.Unit})
			}
			points := make([]point, len(series.At))
			for j, at := range series.At {
				points[j] = point{at, series.Value[j]}
			}
			plots[i].lines = addRun(plots[i].lines, lineName, r, len(s.Runs), points)
		}
	}
	slices.SortStableFunc(plots, func(a, b plot) int { return cmp.Compare(a.rank(), b.rank()) })
	return plots
}

// rank is the plot's place on the page.
func (p plot) rank() int {
	first := []string{PlotThroughput, PlotLatency, PlotMemory, PlotRecovery}
	if i := slices.Index(first, p.name); i >= 0 {
		return i
	}
	return len(first)
}

// overTime draws one plot's series; false: they have no points.
func (s Scenario) overTime(p plot) (chart, bool) {
	xs, ys := extent(p.lines)
	if len(xs) == 0 {
		return chart{}, false
	}
	x, y := timeAxis(slices.Max(xs)), valueAxis(p.unit, ys)
	c := chart{Title: capital(p.name) + " over time", Note: note(p.unit, y), Y: y.marks(p.unit)}
	c.X, c.Across = timeMarks(x)
	c.draw(p.lines, s.typical(), x, y)
	return c, true
}

func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// addRun adds a run's points to the line of that name.
func addRun(lines []line, name string, run, runs int, points []point) []line {
	i := slices.IndexFunc(lines, func(l line) bool { return l.name == name })
	if i < 0 {
		i = len(lines)
		lines = append(lines, line{name: name, runs: make([][]point, runs)})
	}
	lines[i].runs[run] = points
	return lines
}

func extent(lines []line) (xs, ys []float64) {
	for _, l := range lines {
		for _, run := range l.runs {
			for _, p := range run {
				xs, ys = append(xs, p.x), append(ys, p.y)
			}
		}
	}
	return xs, ys
}

// note says what the ticks don't.
func note(unit string, y axis) string {
	var parts []string
	if unit != "" && !scalesUnit(unit) && unit != Count {
		parts = append(parts, unit)
	}
	if y.log {
		parts = append(parts, "logarithmic")
	}
	return strings.Join(parts, ", ")
}

// runsNote says which run the strong lines are.
func (s Scenario) runsNote() string {
	if len(s.Runs) < 2 || s.about() == "" {
		return ""
	}
	return fmt.Sprintf("Strong lines are run %d of %d, the median by %s; faint ones are the others.", s.typical()+1, len(s.Runs), s.about())
}
