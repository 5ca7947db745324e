package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
	"github.com/holdfast-atp/holdfast/stream"
)

// sinksSlow drives holdfast while a channel's adapter hangs with a durable consumer, and
// without it in the same run, in turn. Detection must not feel it.
type sinksSlow struct {
	Header  `yaml:",inline"`
	Driving `yaml:",inline"`

	HangAfter int `yaml:"hang_after"` // commands that the adapter takes before it hangs
}

func (*sinksSlow) metrics() []string {
	return append([]string{"undisturbed p99", "of undisturbed"}, liveMetrics()...)
}

func (k *sinksSlow) check(problem func(key, format string, args ...any)) {
	k.Driving.check(problem)
	k.checkRate(problem)
	inRange(problem, "hang_after", k.HangAfter, 0, deltasMax)
	if k.Load.Oversell <= 0 {
		problem("load.oversell", "without it there are no commands to hang on")
	}
}

func (k *sinksSlow) scale(by float64) {
	scaleCount(&k.Load.Keys, by, scaledKeysMin)
	scaleCount(&k.HangAfter, by, 1)
	k.Driving.scale(by)
}

func (k *sinksSlow) measure(ctx context.Context, s *session) ([]report.Run, error) {
	return each(k.Runs, func(run int) (report.Run, error) { return k.once(ctx, s, run) })
}

func (k *sinksSlow) once(ctx context.Context, s *session, run int) (one report.Run, err error) {
	var with, without driven
	for turn := range 2 {
		if (run+turn)%2 == 0 {
			_, without, err = s.live(ctx, &k.Header, k.Driving, "")
		} else {
			with, err = k.hanging(ctx, s, s.profile(run, role.Holdfast))
		}
		if err != nil {
			return one, err
		}
	}
	s.say("run %d: %s; undisturbed: %s", run+1, with, without)
	s.caveat(run, with.Limit)
	s.caveat(run, without.Limit)
	one = with.run()
	p99, undisturbed := with.percentile(99), without.percentile(99)
	one.Metrics = append([]report.Metric{
		lower("of undisturbed", report.Ratio, p99.Seconds()/undisturbed.Seconds()),
		lower("undisturbed p99", report.Nanoseconds, float64(undisturbed)),
	}, one.Metrics...)
	one.Latencies = append(one.Latencies, latency("undisturbed", without.Latency))
	return one, errors.Join(with.unsound(), without.unsound())
}

// hanging drives with an adapter that hangs.
func (k *sinksSlow) hanging(ctx context.Context, s *session, profile string) (d driven, err error) {
	st, err := s.newStage(ctx, &k.Header, stageConfig{packing: k.Packing, profile: profile})
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	adapter, err := st.play(ctx, role.Subscriber, role.SubscriberConfig{
		URL:       st.url,
		Stream:    st.config.Topology.OutputStream(stream.Command),
		HangAfter: int64(k.HangAfter),
	}, nil, nil)
	if err != nil {
		return d, err
	}
	if d, err = st.drive(ctx, &k.Header, k.Driving); err != nil {
		return d, err
	}
	var status role.SubscriberStatus
	if err := adapter.Ask(ctx, role.Status, &status); err != nil {
		return d, err
	}
	if !status.Hangs {
		return d, fmt.Errorf("the subscriber took %d commands and never hung: nothing was measured", status.Taken)
	}
	return d, nil
}
