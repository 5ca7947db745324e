package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// Options of a suite.
type Options struct {
	// Program and its arguments, to which the name of a role is added: it is to hand its
	// standard input and output to the role of that name. An empty first one is this program.
	Program []string

	Runs        int           // of every scenario; 0: as it says itself
	Seed        uint64        // of every scenario; 0: as it says itself
	Scale       float64       // of counts and durations, see Scenario.Scale; 0: 1
	Sustainable float64       // deltas/s, for what runs at a share of it; 0: it is searched for
	P99         time.Duration // bound of that search; 0: as the scenario says itself
	Dir         string        // where a folder is made for streams and state; "": the system's for what is temporary
	Profiles    string        // folder for CPU profiles of holdfast; "": none are written
	Version     string        // of holdfast, for the report
	Say         func(line string)
}

// Run measures one scenario after the other, in a folder that it removes afterwards. One that
// can't be measured says why in the report, and the others go on; the error is ctx's, with what was
// measured until then, or one of the machine that concerns all.
func Run(ctx context.Context, scenarios []*Scenario, o Options) (all report.Report, err error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	dir, err := os.MkdirTemp(o.Dir, "holdfast-bench-")
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	all = report.Report{Format: report.Format, Version: o.Version, Started: time.Now().UTC()}
	if all.Machine, err = machine(dir); err != nil {
		return all, err
	}
	for _, s := range scenarios {
		o.adjust(s)
	}
	all.Settings = settings(scenarios)
	known := &rates{given: o.Sustainable, found: map[string]float64{}}
	for _, s := range scenarios {
		one, err := o.measure(ctx, s, dir, known)
		if ctx.Err() != nil {
			one.Failed = "interrupted"
			all.Scenarios = append(all.Scenarios, one)
			return all, ctx.Err()
		}
		if err != nil {
			o.Say(fmt.Sprintf("%s: failed: %v", s.Name, err))
			one.Failed = err.Error()
		}
		all.Scenarios = append(all.Scenarios, one)
	}
	return all, nil
}

// adjust makes a scenario what is asked for.
func (o *Options) adjust(s *Scenario) {
	if o.Runs > 0 {
		s.Runs = o.Runs
	}
	if o.Seed > 0 {
		s.Seed = o.Seed
	}
	if o.P99 > 0 {
		switch p := s.plan.(type) {
		case *sustainable:
			p.P99 = o.P99
		case *live:
			p.SustainableP99 = o.P99
		}
	}
	s.Scale(o.Scale)
}

// settings are what the scenarios have in common.
func settings(scenarios []*Scenario) report.Settings {
	common := report.Settings{
		Replicas:     1,
		CountsBroker: true,
		NATS:         moduleVersion("github.com/nats-io/nats-server/v2"),
		Pebble:       moduleVersion("github.com/cockroachdb/pebble/v2"),
	}
	for i, s := range scenarios {
		sync := report.SyncLazy
		if s.SyncAlways {
			sync = report.SyncAlways
		}
		switch {
		case i == 0:
			common.Sync, common.Partitions = sync, s.Partitions
			continue
		case sync != common.Sync:
			common.Sync = report.SyncMixed
		}
		if s.Partitions != common.Partitions {
			common.Partitions = 0 // each says
		}
	}
	return common
}

func (o *Options) measure(ctx context.Context, s *Scenario, dir string, known *rates) (one report.Scenario, err error) {
	one = report.Scenario{Name: s.Name, Title: s.Title, Seed: s.Seed}
	if one.Config, err = s.config(); err != nil {
		return one, err
	}
	if dir, err = os.MkdirTemp(dir, s.Name+"-"); err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	at := &session{Options: o, header: s.Header, dir: dir, rates: known}
	one.Runs, err = s.plan.measure(ctx, at)
	one.Caveats = at.caveats
	for i := range one.Runs {
		s.aim(&one.Runs[i])
	}
	return one, err
}

// each measures so many runs. The error ends them; a run that it came with is there if it has
// metrics.
func each(runs int, once func(run int) (report.Run, error)) (all []report.Run, err error) {
	for run := range runs {
		one, err := once(run)
		if len(one.Metrics) > 0 {
			all = append(all, one)
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// aim gives the metrics of a run their targets.
func (s *Scenario) aim(run *report.Run) {
	for i := range run.Metrics {
		m := &run.Metrics[i]
		if bound, ok := s.Targets[m.Name]; ok {
			m.Target = bound.target()
		}
	}
}
