package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/bench/drive"
	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/bench/reference"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
)

// catchUp fills streams once and has them applied from an empty folder, again and again, in
// turn with the references on the same streams.
type catchUp struct {
	Header `yaml:",inline"`

	Deltas     int       `yaml:"deltas"`               // beside the counts that fill the shelves
	Packing    int       `yaml:"packing"`              // deltas a message, at most
	References []string  `yaml:"references,omitempty"` // see role.References
	Baseline   *load.Mix `yaml:"baseline,omitempty"`   // another load, applied in the same run to compare with

	// HandwrittenDeltas is after how many the handwritten consumer may stop, for it takes
	// long; 0: after all. The counts that fill the shelves are the first.
	HandwrittenDeltas int `yaml:"handwritten_deltas,omitempty"`
}

const (
	deltasMax  = 10_000_000_000
	packingMax = 4096 // some 100 bytes each, in a payload of 512 KiB

	baseline = "baseline" // what is measured like holdfast and beside it
)

// metricOf names the metrics of what holdfast is held against.
var metricOf = map[string]string{
	role.RawRead:     "raw read",
	role.RawDecode:   "raw decode",
	role.Pebble:      "pebble alone",
	role.Handwritten: "handwritten",
	baseline:         baseline,
}

func (c *catchUp) metrics() []string {
	names := append([]string{"throughput", "hot SKU", "memory", "state"}, coreSeconds(role.Broker, role.Holdfast)...)
	for _, name := range sortedKeys(metricOf) {
		names = append(names, metricOf[name], "of "+metricOf[name])
	}
	return names
}

func (c *catchUp) check(problem func(key, format string, args ...any)) {
	inRange(problem, "deltas", c.Deltas, 1, deltasMax)
	inRange(problem, "packing", c.Packing, 1, packingMax)
	inRange(problem, "handwritten_deltas", c.HandwrittenDeltas, 0, deltasMax)
	for i, r := range c.References {
		if !slices.Contains(role.References(), r) {
			problem("references", "%q: there are %s", r, strings.Join(role.References(), ", "))
		}
		if slices.Contains(c.References[:i], r) {
			problem("references", "%q is there twice", r)
		}
	}
	if c.Baseline != nil {
		checkMix(problem, baseline, *c.Baseline)
	}
}

// Least counts of a scenario that is scaled.
const (
	scaledKeysMin   = 1000
	scaledDeltasMin = 10_000
)

func (c *catchUp) scale(by float64) {
	scaleCount(&c.Load.Keys, by, scaledKeysMin)
	scaleCount(&c.Deltas, by, scaledDeltasMin)
	scaleCount(&c.HandwrittenDeltas, by, scaledDeltasMin)
	if c.Baseline != nil {
		scaleCount(&c.Baseline.Keys, by, scaledKeysMin)
	}
}

// catchUpWorld is what the runs of a catch-up share.
type catchUpWorld struct {
	*world
	plan      *catchUp
	filled    filled              // with the load
	baseline  filled              // with the baseline, where there is one
	recording reference.Recording // for role.Pebble, where it is measured
}

func (c *catchUp) measure(ctx context.Context, s *session) (runs []report.Run, err error) {
	shared, err := s.newWorld(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, shared.close()) }()
	w := &catchUpWorld{world: shared, plan: c}
	if err := w.prepare(ctx); err != nil {
		return nil, err
	}
	return each(c.Runs, func(run int) (report.Run, error) { return w.once(ctx, run) })
}

// prepare fills the streams, and does what is not measured.
func (w *catchUpWorld) prepare(ctx context.Context) (err error) {
	c := w.plan
	w.filled, err = w.fill(ctx, c.topology("bench"), drive.FillPlan{Mix: c.mix(), Packing: c.Packing, Shelves: true, Deltas: uint64(c.Deltas)})
	if err != nil {
		return err
	}
	if c.Baseline != nil {
		mix := *c.Baseline
		mix.Seed = c.Seed
		w.baseline, err = w.fill(ctx, c.topology(baseline), drive.FillPlan{Mix: mix, Packing: c.Packing, Shelves: true, Deltas: uint64(c.Deltas)})
		if err != nil {
			return err
		}
	}
	if slices.Contains(c.References, role.Pebble) {
		w.session.say("recording what holdfast would write")
		err := w.ask(ctx, role.Recorder, role.ReferenceConfig{
			URL: w.url, Topology: w.filled.topology, Dir: filepath.Join(w.dir, "recording"),
		}, role.Run, &w.recording)
		if err != nil {
			return err
		}
	}
	// The first to read finds nothing in the system's cache: it is not one of those that count.
	w.session.say("warming up: reading all once")
	_, err = w.reference(ctx, role.RawRead)
	return err
}

// once measures holdfast and all that it is compared with, each run in another order.
func (w *catchUpWorld) once(ctx context.Context, run int) (one report.Run, err error) {
	order := append([]string{role.Holdfast}, w.plan.References...)
	if w.plan.Baseline != nil {
		order = append(order, baseline)
	}
	rates := map[string]float64{}
	for i := range order {
		name := order[(i+run)%len(order)]
		switch name {
		case role.Holdfast:
			rates[name], one, err = w.holdfast(ctx, w.filled, w.session.profile(run, name))
		case baseline:
			rates[name], _, err = w.holdfast(ctx, w.baseline, "")
		default:
			rates[name], err = w.reference(ctx, name)
		}
		if err != nil {
			return report.Run{}, err
		}
		w.session.say("run %d: %s took %.0f deltas/s", run+1, name, rates[name])
	}
	rate := rates[role.Holdfast]
	metrics := []report.Metric{higher("throughput", report.DeltasPerSec, rate)}
	if share := w.plan.Load.HotShare; share > 0 { // the counts that fill the shelves are not its
		metrics = append(metrics, higher("hot SKU", report.DeltasPerSec, rate*share*float64(w.plan.Deltas)/float64(w.filled.Deltas)))
	}
	for _, name := range order[1:] {
		metrics = append(metrics,
			higher("of "+metricOf[name], report.Ratio, rate/rates[name]),
			neither(metricOf[name], report.DeltasPerSec, rates[name]))
	}
	one.Metrics = append(metrics, one.Metrics...)
	return one, nil
}

// holdfast applies what was filled from an empty folder.
func (w *catchUpWorld) holdfast(ctx context.Context, f filled, profile string) (rate float64, run report.Run, err error) {
	if err := w.forgetOutputs(ctx, f.topology); err != nil {
		return 0, run, err
	}
	config := w.holdfastConfig(f.topology)
	config.Profile = profile
	a, err := w.apply(ctx, config)
	if err != nil {
		return 0, run, err
	}
	if err := a.wantAll(f.Deltas); err != nil {
		return 0, run, err
	}
	bytes, err := dirBytes(config.Dir)
	if err != nil {
		return 0, run, err
	}
	run = report.Run{
		Metrics: append(a.metrics(f.Deltas), neither("state", report.Bytes, float64(bytes))),
		Series:  a.series, Processes: a.used,
	}
	return float64(f.Deltas) / a.Took.Seconds(), run, os.RemoveAll(config.Dir)
}

// reference measures a reference on what was filled with the load.
func (w *catchUpWorld) reference(ctx context.Context, name string) (rate float64, err error) {
	dir := filepath.Join(w.dir, name)
	c := role.ReferenceConfig{
		URL:       w.url,
		Topology:  w.filled.topology,
		Messages:  w.filled.Messages,
		Deltas:    w.filled.Deltas,
		Dir:       dir,
		Recording: w.recording,
	}
	if name == role.Handwritten && w.plan.HandwrittenDeltas > 0 {
		c.Deltas = min(c.Deltas, uint64(w.plan.HandwrittenDeltas))
	}
	var r role.Referred
	if err := w.ask(ctx, name, c, role.Run, &r); err != nil {
		return 0, err
	}
	return float64(r.Deltas) / r.Took.Seconds(), os.RemoveAll(dir)
}
