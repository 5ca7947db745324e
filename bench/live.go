package bench

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
)

// live drives holdfast at a steady rate, open loop, and measures from when a delta was due until
// its command was received.
type live struct {
	Header  `yaml:",inline"`
	Driving `yaml:",inline"`

	// ShareOfSustainable is the rate as a share of the highest whose p99 is within
	// SustainableP99.
	ShareOfSustainable float64       `yaml:"share_of_sustainable,omitempty"`
	SustainableP99     time.Duration `yaml:"sustainable_p99,omitempty"`
}

// Driving is how deltas are driven, in all scenarios that do.
type Driving struct {
	Rate     float64       `yaml:"rate,omitempty"`   // deltas/s
	Warmup   time.Duration `yaml:"warmup"`           // at the same rate, not measured
	Duration time.Duration `yaml:"duration"`         // measured
	Packing  int           `yaml:"packing"`          // deltas a message, at most
	Linger   time.Duration `yaml:"linger,omitempty"` // how long a message waits for more deltas
}

// Bounds of driving.
const (
	rateMax     = 10_000_000
	durationMax = 24 * time.Hour
	lingerMax   = 10 * time.Second

	scaledPhaseMin = 500 * time.Millisecond // of a scaled warm-up or duration
)

func (d *Driving) check(problem func(key, format string, args ...any)) {
	inRange(problem, "warmup", d.Warmup.Seconds(), 0, durationMax.Seconds())
	inRange(problem, "duration", d.Duration.Seconds(), 0.1, durationMax.Seconds())
	inRange(problem, "packing", d.Packing, 1, packingMax)
	inRange(problem, "linger", d.Linger.Seconds(), 0, lingerMax.Seconds())
}

func (d *Driving) checkRate(problem func(key, format string, args ...any)) {
	inRange(problem, "rate", d.Rate, 1, rateMax)
}

func (d *Driving) scale(by float64) {
	scaleDuration(&d.Warmup, by, scaledPhaseMin)
	scaleDuration(&d.Duration, by, scaledPhaseMin)
}

// scaleDuration multiplies a duration, down to least.
func scaleDuration(d *time.Duration, by float64, least time.Duration) {
	*d = max(time.Duration(float64(*d)*by), min(least, *d))
}

func (*live) metrics() []string { return append([]string{"sustainable"}, liveMetrics()...) }

func (l *live) check(problem func(key, format string, args ...any)) {
	l.Driving.check(problem)
	if l.Load.Oversell <= 0 {
		problem("load.oversell", "without it there are no commands to time")
	}
	switch {
	case l.ShareOfSustainable == 0:
		l.checkRate(problem)
	case l.Rate != 0:
		problem("rate", "it and share_of_sustainable exclude each other")
	default:
		inRange(problem, "share_of_sustainable", l.ShareOfSustainable, 0.01, 2)
	}
	inRange(problem, "sustainable_p99", l.SustainableP99.Seconds(), 0, 60)
}

func (l *live) scale(by float64) {
	scaleCount(&l.Load.Keys, by, scaledKeysMin)
	l.Driving.scale(by)
}

// sustainable is the search for the rate that l runs at a share of.
func (l *live) sustainable() *sustainable {
	f := &sustainable{Header: l.Header, Driving: l.Driving, P99: l.SustainableP99}
	f.Title = "The highest rate at which holdfast keeps up with the load of " + l.Name
	f.Type, f.Targets, f.Rate, f.Runs = "sustainable", nil, 0, 1
	if f.P99 == 0 {
		f.P99 = sustainableP99Default
	}
	return f
}

func (l *live) measure(ctx context.Context, s *session) ([]report.Run, error) {
	drive := l.Driving
	var known []report.Metric
	if l.ShareOfSustainable > 0 {
		rate, err := s.sustainableRate(ctx, l)
		if err != nil {
			return nil, err
		}
		drive.Rate = rate * l.ShareOfSustainable
		known = append(known, neither("sustainable", report.DeltasPerSec, rate))
	}
	return each(l.Runs, func(run int) (report.Run, error) {
		one, driven, err := s.live(ctx, &l.Header, drive, s.profile(run, role.Holdfast))
		if err != nil {
			return one, err
		}
		s.say("run %d: %s", run+1, driven)
		s.caveat(run, driven.Limit)
		one.Metrics = append(one.Metrics, known...)
		return one, driven.unsound()
	})
}

// live drives holdfast in a world of its own.
func (s *session) live(ctx context.Context, h *Header, drive Driving, profile string) (run report.Run, d driven, err error) {
	st, err := s.newStage(ctx, h, stageConfig{packing: drive.Packing, profile: profile})
	if err != nil {
		return run, d, err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	if d, err = st.drive(ctx, h, drive); err != nil {
		return run, d, err
	}
	return d.run(), d, nil
}
