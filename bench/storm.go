package bench

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
	"github.com/holdfast-atp/holdfast/inventory"
)

// storm drives a network at a steady rate, and in the midst of it a bad feed trips many
// exceptions at once. What the network's own commands feel of that is in the latencies.
type storm struct {
	Header  `yaml:",inline"`
	Driving `yaml:",inline"`

	Exceptions int `yaml:"exceptions"`
}

const (
	exceptionsMax = 10_000_000

	// stormAfter is the share of the measured time at which the storm breaks.
	stormAfter = 0.25
)

func (*storm) metrics() []string {
	return append([]string{"first command", "all commands", "exceptions"}, liveMetrics()...)
}

func (k *storm) check(problem func(key, format string, args ...any)) {
	k.Driving.check(problem)
	k.checkRate(problem)
	inRange(problem, "exceptions", k.Exceptions, 1, exceptionsMax)
}

func (k *storm) scale(by float64) {
	scaleCount(&k.Load.Keys, by, scaledKeysMin)
	scaleCount(&k.Exceptions, by, 1)
	k.Driving.scale(by)
}

func (k *storm) measure(ctx context.Context, s *session) ([]report.Run, error) {
	return each(k.Runs, func(run int) (report.Run, error) { return k.once(ctx, s, run) })
}

func (k *storm) once(ctx context.Context, s *session, run int) (one report.Run, err error) {
	st, err := s.newStage(ctx, &k.Header, stageConfig{packing: k.Packing, profile: s.profile(run, role.Holdfast)})
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	feed, err := st.play(ctx, role.Storm, role.StormConfig{
		URL:        st.url,
		Prefix:     st.config.Topology.Prefix,
		Exceptions: k.Exceptions,
		Packing:    k.Packing,
		Time:       inventory.MillisOf(st.shelves.Latest),
	}, nil, nil)
	if err != nil {
		return one, err
	}
	driving, err := st.startDriving(ctx, &k.Header, k.Driving, st.broker, st.holdfast)
	if err != nil {
		return one, err
	}
	if err := driving.pause(ctx, k.Warmup+time.Duration(float64(k.Duration)*stormAfter)); err != nil {
		return one, err
	}
	stormed, err := k.storm(ctx, feed)
	if err != nil {
		return one, err
	}
	d, err := driving.wait()
	if err != nil {
		return one, err
	}
	s.caveat(run, d.Limit)
	s.say("%d exceptions in %v; meanwhile %s", k.Exceptions, stormed.Last.Round(time.Millisecond), d)
	one = d.run()
	one.Metrics = append([]report.Metric{
		higher("exceptions", "exceptions/s", float64(k.Exceptions)/stormed.Last.Seconds()),
		lower("first command", report.Nanoseconds, float64(stormed.First)),
		lower("all commands", report.Nanoseconds, float64(stormed.Last)),
	}, one.Metrics...)
	return one, d.unsound()
}

func (k *storm) storm(ctx context.Context, feed *process.Process) (s role.Stormed, err error) {
	err = feed.Ask(ctx, role.Run, &s)
	return s, err
}
