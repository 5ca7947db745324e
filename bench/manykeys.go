package bench

import (
	"context"
	"errors"

	"github.com/holdfast-atp/holdfast/bench/drive"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
)

// manyKeys fills the shelves of many SKU-locations, stops holdfast, and has it apply deltas that
// find that state on disk; then the same with few keys, to compare with. The few are as many as
// the cache holds.
type manyKeys struct {
	Header `yaml:",inline"`

	Deltas       int `yaml:"deltas"`
	Packing      int `yaml:"packing"`
	BaselineKeys int `yaml:"baseline_keys"`
}

func (*manyKeys) metrics() []string {
	return append([]string{"throughput", "baseline", "of baseline", "filling", "memory", "state", "bytes per key"},
		coreSeconds(role.Broker, role.Holdfast)...)
}

func (m *manyKeys) check(problem func(key, format string, args ...any)) {
	inRange(problem, "deltas", m.Deltas, 1, deltasMax)
	inRange(problem, "packing", m.Packing, 1, packingMax)
	inRange(problem, "baseline_keys", m.BaselineKeys, 1, m.Load.Keys)
}

func (m *manyKeys) scale(by float64) {
	scaleCount(&m.Load.Keys, by, scaledKeysMin)
	scaleCount(&m.BaselineKeys, by, scaledKeysMin)
	m.BaselineKeys = min(m.BaselineKeys, m.Load.Keys)
	scaleCount(&m.Deltas, by, scaledDeltasMin)
}

func (m *manyKeys) measure(ctx context.Context, s *session) ([]report.Run, error) {
	return each(m.Runs, func(run int) (report.Run, error) {
		many, one, err := m.once(ctx, s, m.Load.Keys, s.profile(run, role.Holdfast))
		if err != nil {
			return report.Run{}, err
		}
		few, _, err := m.once(ctx, s, m.BaselineKeys, "")
		if err != nil {
			return report.Run{}, err
		}
		s.say("run %d: %.0f deltas/s with %d keys, %.0f with %d", run+1, many, m.Load.Keys, few, m.BaselineKeys)
		one.Metrics = append([]report.Metric{
			higher("throughput", report.DeltasPerSec, many),
			neither("baseline", report.DeltasPerSec, few),
			higher("of baseline", report.Ratio, many/few),
		}, one.Metrics...)
		return one, nil
	})
}

// once measures with so many keys, in a world of its own.
func (m *manyKeys) once(ctx context.Context, s *session, keys int, profile string) (rate float64, run report.Run, err error) {
	w, err := s.newWorld(ctx)
	if err != nil {
		return 0, run, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	mix := m.mix()
	mix.Keys = keys
	t := m.topology("bench")
	config := w.holdfastConfig(t)
	shelves, first, err := m.apply(ctx, w, config, drive.FillPlan{Mix: mix, Packing: m.Packing, Shelves: true})
	if err != nil {
		return 0, run, err
	}
	stateBytes, err := dirBytes(config.Dir)
	if err != nil {
		return 0, run, err
	}
	config.Profile = profile
	deltas, then, err := m.apply(ctx, w, config, drive.FillPlan{Mix: mix, Packing: m.Packing, Deltas: uint64(m.Deltas)})
	if err != nil {
		return 0, run, err
	}
	run = report.Run{
		Metrics: append([]report.Metric{
			higher("filling", report.DeltasPerSec, float64(shelves)/first.Took.Seconds()),
			neither("state", report.Bytes, float64(stateBytes)),
			lower("bytes per key", report.BytesPerKey, float64(stateBytes)/float64(keys)),
		}, then.metrics(deltas)...),
		Processes: then.used,
		Series:    then.series,
	}
	return float64(deltas) / then.Took.Seconds(), run, nil
}

// apply fills streams and has what is new in them applied.
func (m *manyKeys) apply(ctx context.Context, w *world, config role.HoldfastConfig, plan drive.FillPlan) (deltas uint64, a applied, err error) {
	f, err := w.fill(ctx, config.Topology, plan)
	if err != nil {
		return 0, a, err
	}
	if a, err = w.apply(ctx, config); err != nil {
		return 0, a, err
	}
	return f.Deltas, a, a.wantAll(f.Deltas)
}
