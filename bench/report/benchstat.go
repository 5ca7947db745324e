package report

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// WriteBenchstat writes a report in the format of Go's benchmarks, a line for each run, for
//
//	benchstat a.txt b.txt
//
// A metric's unit is its own unit and its name, as in ns-p99; the name is left out
// of the throughput, as in deltas/s, and of the deltas per core-second. What makes two reports incomparable is configuration, so that benchstat
// sets such reports apart; all else is in comments. An error names what [Report.Check] refuses, or is the writer's.
func WriteBenchstat(w io.Writer, r Report) error {
	if err := r.Check(); err != nil {
		return fmt.Errorf("write for benchstat: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# holdfast %s, %s\n", plain(r.Version), r.Started.UTC().Format(time.RFC3339))
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\n", plain(r.Machine.OS), plain(r.Machine.Arch))
	if r.Machine.CPU != "" {
		fmt.Fprintf(&b, "cpu: %s\n", plain(r.Machine.CPU))
	}
	for _, f := range append(r.Machine.facts(), r.Settings.facts()...) {
		switch {
		case f.told:
			fmt.Fprintf(&b, "# %s %s\n", f.Name, plain(f.Value))
		case f.Name != "system" && f.Name != "CPU": // above, in Go's own words
			fmt.Fprintf(&b, "%s: %s\n", strings.ToLower(word(f.Name)), plain(f.Value))
		}
	}
	b.WriteByte('\n')
	for _, u := range unitsOf(r) {
		if u.better != Neither {
			fmt.Fprintf(&b, "Unit %s better=%s\n", u.name, u.better)
		}
	}
	for _, s := range r.Scenarios {
		fmt.Fprintf(&b, "\n# %s\n", plain(s.Title))
		if s.Failed != "" {
			fmt.Fprintf(&b, "# not measured: %s\n", plain(s.Failed))
		}
		for _, c := range s.Caveats {
			fmt.Fprintf(&b, "# note: %s\n", plain(c))
		}
		for _, run := range s.Runs {
			if len(run.Metrics) == 0 {
				continue // a line without values is an error to benchstat
			}
			fmt.Fprintf(&b, "Benchmark%s 1", benchmarkName(s.Name))
			for _, m := range run.Metrics {
				fmt.Fprintf(&b, " %s %s", strconv.FormatFloat(m.Value, 'g', -1, 64), unitName(m))
			}
			b.WriteByte('\n')
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

type unit struct {
	name   string
	better Direction
}

// unitsOf returns the units in the order of their first use. One that is better
// high in one scenario and low in another has no direction.
func unitsOf(r Report) []unit {
	var units []unit
	at := map[string]int{}
	for _, s := range r.Scenarios {
		for _, run := range s.Runs {
			for _, m := range run.Metrics {
				name := unitName(m)
				i, ok := at[name]
				if !ok {
					at[name] = len(units)
					units = append(units, unit{name, m.Better})
				} else if units[i].better != m.Better {
					units[i].better = Neither
				}
			}
		}
	}
	return units
}

func unitName(m Metric) string {
	if m.Name == "throughput" || m.Unit == PerCoreSecond {
		return word(m.Unit)
	}
	return word(m.Unit) + "-" + word(m.Name)
}

// benchmarkName makes CatchUp of catch-up and Live_90 of live-90: a number at the end, behind a
// hyphen, would be GOMAXPROCS.
func benchmarkName(scenario string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(scenario, "-") {
		if part != "" && part[0] >= '0' && part[0] <= '9' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToUpper(part[:min(1, len(part))]))
		b.WriteString(part[min(1, len(part)):])
	}
	return b.String()
}

// word makes one word of several.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return '-'
		}
		return r
	}, text)
}
