package report

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode"
)

// RunsMax is the most runs that a scenario may have: the exact statistics grow with their fourth power.
const RunsMax = 50

// Check returns what makes no sense in a report, such as a value that is not a number or no measurement's
// size, or a series with more times than values; nil if it is sound. [Write] and [Read] refuse what
// it refuses.
func (r Report) Check() error {
	if r.Format != Format {
		return fmt.Errorf("format %d; this program knows %d", r.Format, Format)
	}
	switch r.Settings.Sync {
	case SyncAlways, SyncLazy, SyncMixed, "":
	default:
		return fmt.Errorf("sync %q; it is %q, %q, %q or empty", r.Settings.Sync, SyncAlways, SyncLazy, SyncMixed)
	}
	names := unique{what: "scenario"}
	for _, s := range r.Scenarios {
		if err := errors.Join(names.add(s.Name), s.check()); err != nil {
			return fmt.Errorf("scenario %q: %w", s.Name, err)
		}
	}
	return nil
}

// scenarioName is what a command line and the name of a Go benchmark can hold.
var scenarioName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (s Scenario) check() error {
	if !scenarioName.MatchString(s.Name) {
		return errors.New("the name is not lower-case words with hyphens")
	}
	if len(s.Runs) > RunsMax {
		return fmt.Errorf("%d runs; at most %d", len(s.Runs), RunsMax)
	}
	for i, run := range s.Runs {
		if err := run.check(); err != nil {
			return fmt.Errorf("run %d: %w", i+1, err)
		}
	}
	names := unique{what: "plot"}
	for _, p := range s.Plots {
		if err := errors.Join(names.add(p.Name), p.check()); err != nil {
			return fmt.Errorf("plot %q: %w", p.Name, err)
		}
	}
	return nil
}

func (p Plot) check() error {
	names := unique{what: "curve"}
	for _, c := range p.Curves {
		if err := errors.Join(names.add(c.Name), c.check()); err != nil {
			return fmt.Errorf("curve %q: %w", c.Name, err)
		}
	}
	return nil
}

func (c Curve) check() error {
	if len(c.X) != len(c.Y) {
		return fmt.Errorf("%d places and %d values", len(c.X), len(c.Y))
	}
	before := 0.0
	for i, x := range c.X {
		if !measurable(x) || x < before {
			return fmt.Errorf("place %d is %v, after %v", i, x, before)
		}
		if !measurable(c.Y[i]) {
			return fmt.Errorf("value %d is %v", i, c.Y[i])
		}
		before = x
	}
	return nil
}

func (r Run) check() error {
	metrics, series := unique{what: "metric"}, unique{what: "series"}
	latencies, processes := unique{what: "latency"}, unique{what: "process"}
	for _, m := range r.Metrics {
		if err := errors.Join(metrics.add(m.Name), m.check()); err != nil {
			return fmt.Errorf("metric %q: %w", m.Name, err)
		}
	}
	for _, s := range r.Series {
		if err := errors.Join(series.add(s.Name), s.check()); err != nil {
			return fmt.Errorf("series %q: %w", s.Name, err)
		}
	}
	for _, l := range r.Latencies {
		if err := errors.Join(latencies.add(l.Name), l.check()); err != nil {
			return fmt.Errorf("latency %q: %w", l.Name, err)
		}
	}
	for _, p := range r.Processes {
		if err := errors.Join(processes.add(p.Name), p.check()); err != nil {
			return fmt.Errorf("process %q: %w", p.Name, err)
		}
	}
	return nil
}

func (m Metric) check() error {
	if err := checkUnit(m.Unit); err != nil {
		return err
	}
	if !measurable(m.Value) {
		return fmt.Errorf("value %v", m.Value)
	}
	switch m.Better {
	case Higher, Lower, Neither:
	default:
		return fmt.Errorf("better %q; it is %q, %q or empty", m.Better, Higher, Lower)
	}
	if m.Target == nil {
		return nil
	}
	if b := m.Target.Bound; b != AtLeast && b != AtMost {
		return fmt.Errorf("target's bound %q; it is %q or %q", b, AtLeast, AtMost)
	}
	if !measurable(m.Target.Value) {
		return fmt.Errorf("target %v", m.Target.Value)
	}
	return nil
}

func (s Series) check() error {
	if err := checkUnit(s.Unit); err != nil {
		return err
	}
	if len(s.At) != len(s.Value) {
		return fmt.Errorf("%d times and %d values", len(s.At), len(s.Value))
	}
	before := 0.0
	for i, at := range s.At {
		if !measurable(at) || at < before {
			return fmt.Errorf("time %d is %v, after %v", i, at, before)
		}
		if !measurable(s.Value[i]) {
			return fmt.Errorf("value %d is %v", i, s.Value[i])
		}
		before = at
	}
	return nil
}

func (l Latency) check() error {
	if l.Count < 0 || l.Max < 0 {
		return fmt.Errorf("count %d, maximum %v", l.Count, l.Max)
	}
	before := Percentile{}
	for _, p := range l.Percentiles {
		if !(p.P >= before.P && p.P <= 100) || p.Nanoseconds < before.Nanoseconds { // a NaN is neither
			return fmt.Errorf("percentile %v is %d ns, after %v with %d ns", p.P, p.Nanoseconds, before.P, before.Nanoseconds)
		}
		before = p
	}
	return nil
}

func (p Process) check() error {
	if p.CPU < 0 || p.RSSMax < 0 {
		return fmt.Errorf("CPU %v, RSS %d", p.CPU, p.RSSMax)
	}
	return nil
}

// unique wants names that are there, and once.
type unique struct {
	what string
	seen map[string]bool
}

func (u *unique) add(name string) error {
	if name == "" {
		return fmt.Errorf("a %s without a name", u.what)
	}
	if u.seen[name] {
		return fmt.Errorf("a second %s of this name", u.what)
	}
	if u.seen == nil {
		u.seen = map[string]bool{}
	}
	u.seen[name] = true
	return nil
}

func checkUnit(unit string) error {
	if unit == "" || strings.ContainsFunc(unit, unicode.IsSpace) {
		return fmt.Errorf("unit %q is empty or has a space in it", unit)
	}
	return nil
}

// measurable wants what can have been measured: charts and ratios may then multiply and divide
// without a thought to the ends of what a float64 holds.
func measurable(v float64) bool {
	const least, most = 1e-100, 1e100
	size := math.Abs(v)
	return size == 0 || size >= least && size <= most // a NaN is neither
}
