package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-atp/holdfast/bench"
	"github.com/holdfast-atp/holdfast/bench/report"
)

type benchCmd struct {
	Run     benchRunCmd     `cmd:"" default:"withargs" help:"Measure scenarios (the default of bench)."`
	List    benchListCmd    `cmd:"" help:"List the scenarios."`
	Quality benchQualityCmd `cmd:"" help:"Measure how good decisions are, in simulated networks whose truth is known, beside what people use today."`
	Compare benchCompareCmd `cmd:"" help:"Hold one report against another."`
}

type benchRunCmd struct {
	Scenarios       []string      `arg:"" optional:"" name:"scenario" help:"Names, first words of names, or YAML files; none: catch-up, steady and flash-sale, which take some minutes."`
	Runs            int           `help:"Runs of each scenario; 0: as many as it says, of which medians are reported."`
	Out             string        `help:"Folder for report.json, report.txt (for benchstat) and report.html." type:"path" placeholder:"DIR"`
	Seed            uint64        `help:"Seed of every load; 0: as the scenario says."`
	Scale           float64       `help:"Multiplies counts and durations: 0.1 is a quick look, which no target is about." default:"1"`
	FindSustainable bool          `help:"Search the highest rate of the live scenarios that are named, instead of running them at theirs; of steady where none is." `
	P99             time.Duration `name:"p99" help:"Bound of the search for the sustainable rate; 0: as the scenario says."`
	Sustainable     float64       `help:"Sustainable rate in deltas/s, for scenarios at a share of it; 0: search for it." placeholder:"RATE"`
	Dir             string        `help:"Folder to measure in, on the disk in question; the system's for temporary files where none is named." type:"existingdir"`
	Profiles        string        `help:"Folder for CPU profiles of holdfast, one a run." type:"path" placeholder:"DIR"`
}

func (c *benchRunCmd) Run(t *terminal) error {
	if !(c.Scale > 0 && c.Scale <= 100) || c.Runs < 0 || c.Runs > report.RunsMax || c.P99 < 0 || !(c.Sustainable >= 0) {
		return usageError{fmt.Errorf("a scale above 0 up to 100, up to %d runs, and a p99 and a rate that are not negative belong here", report.RunsMax)}
	}
	asked := c.Scenarios
	if c.FindSustainable && len(asked) == 0 {
		asked = []string{"steady"}
	}
	scenarios, err := bench.Select(asked)
	if err != nil {
		return usageError{err}
	}
	if c.FindSustainable {
		if scenarios, err = bench.FindSustainable(scenarios); err != nil {
			return usageError{err}
		}
	}
	result, err := bench.Run(t.ctx, scenarios, bench.Options{
		Program:     []string{"", "bench-process"},
		Runs:        c.Runs,
		Seed:        c.Seed,
		Scale:       c.Scale,
		Sustainable: c.Sustainable,
		P99:         c.P99,
		Dir:         c.Dir,
		Profiles:    c.Profiles,
		Version:     version(),
		Say:         func(line string) { fmt.Fprintln(t.err, time.Now().Format(time.TimeOnly), line) },
	})
	if err != nil && t.ctx.Err() == nil {
		return err
	}
	if c.Out != "" { // also of what was measured until it was interrupted
		if err := writeReport(c.Out, result); err != nil {
			return err
		}
		fmt.Fprintf(t.err, "report.json, report.txt and report.html are in %s\n", c.Out)
	}
	write := report.WriteTable
	if t.json {
		write = report.Write
	}
	return errors.Join(write(t.out, result), err, failures(&result))
}

// writeReport writes a report in all its forms to a folder, which it makes where there is none.
func writeReport(dir string, r report.Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer, report.Report) error{
		"report.json": report.Write,
		"report.txt":  report.WriteBenchstat,
		"report.html": report.WriteHTML,
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := errors.Join(write(f, r), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// failures names the scenarios that could not be measured.
func failures(r *report.Report) error {
	var errs []error
	for _, s := range r.Scenarios {
		if s.Failed != "" {
			errs = append(errs, fmt.Errorf("%s was not measured: %s", s.Name, s.Failed))
		}
	}
	return errors.Join(errs...)
}

type benchListCmd struct{}

func (benchListCmd) Run(t *terminal) error {
	all, err := bench.Builtin()
	if err != nil {
		return err
	}
	for _, s := range all {
		v := map[string]any{"name": s.Name, "type": s.Type, "title": s.Title, "runs": s.Runs, "seed": s.Seed}
		if err := t.print(v, "%-18s %s", s.Name, s.Title); err != nil {
			return err
		}
	}
	return nil
}
