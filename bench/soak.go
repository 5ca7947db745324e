package bench

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
	"github.com/holdfast-atp/holdfast/inventory"
)

// soak drives holdfast for long, and asks whether memory and disk stay what they were. The
// warm-up has to be longer than what is remembered, or what still fills counts as growth.
type soak struct {
	Header  `yaml:",inline"`
	Driving `yaml:",inline"`

	Lateness  time.Duration `yaml:"lateness"`  // for how long of event time the past may be corrected
	Retention time.Duration `yaml:"retention"` // of all streams
}

const (
	// soakSteps is how often a soak looks at the disk.
	soakSteps = 200

	// retentionMin is for how long a stream remembers the ids of messages: it keeps no less.
	retentionMin = 2 * time.Minute
)

func (*soak) metrics() []string {
	return append([]string{"memory growth of holdfast", "memory growth of broker", "disk growth of state", "disk growth of streams"}, liveMetrics()...)
}

func (k *soak) check(problem func(key, format string, args ...any)) {
	k.Driving.check(problem)
	k.checkRate(problem)
	inRange(problem, "lateness", k.Lateness.Seconds(), 1, durationMax.Seconds())
	inRange(problem, "retention", k.Retention.Seconds(), retentionMin.Seconds(), durationMax.Seconds())
}

func (k *soak) scale(by float64) {
	scaleCount(&k.Load.Keys, by, scaledKeysMin)
	k.Driving.scale(by)
	scaleDuration(&k.Lateness, by, time.Second)
	scaleDuration(&k.Retention, by, retentionMin)
}

func (k *soak) measure(ctx context.Context, s *session) ([]report.Run, error) {
	return each(k.Runs, func(run int) (report.Run, error) { return k.once(ctx, s, run) })
}

func (k *soak) once(ctx context.Context, s *session, run int) (one report.Run, err error) {
	st, err := s.newStage(ctx, &k.Header, stageConfig{
		packing:   k.Packing,
		profile:   s.profile(run, role.Holdfast),
		lateness:  inventory.Millis(k.Lateness.Milliseconds()),
		retention: k.Retention,
	})
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	driving, err := st.startDriving(ctx, &k.Header, k.Driving, st.broker, st.holdfast)
	if err != nil {
		return one, err
	}
	disks := []*report.Series{
		{Name: "disk/state", Unit: report.Bytes},
		{Name: "disk/streams", Unit: report.Bytes},
	}
	start := time.Now()
	for {
		err := driving.pause(ctx, (k.Warmup+k.Duration)/soakSteps)
		if errors.Is(err, errEnded) {
			break
		}
		if err != nil {
			return one, err
		}
		for i, dir := range []string{st.config.Dir, filepath.Join(st.dir, "nats")} {
			bytes, err := dirBytes(dir)
			if err != nil {
				return one, err
			}
			disks[i].At = append(disks[i].At, time.Since(start).Seconds())
			disks[i].Value = append(disks[i].Value, float64(bytes))
		}
	}
	d, err := driving.wait()
	if err != nil {
		return one, err
	}
	s.caveat(run, d.Limit)
	s.say("%s", d)
	one = d.run()
	one.Series = append(one.Series, *disks[0], *disks[1])
	warm := k.Warmup.Seconds()
	for _, s := range one.Series {
		plot, line, _ := strings.Cut(s.Name, "/")
		if plot != report.PlotMemory && plot != "disk" || line == role.Driver {
			continue
		}
		if ratio := growth(s, warm); ratio > 0 {
			one.Metrics = append(one.Metrics, lower(plot+" growth of "+line, report.Ratio, ratio))
		}
	}
	return one, d.unsound()
}

// growth is the mean of the last quarter of a series over that of the first one after from
// seconds: 1 is flat. 0 where there is too little to say.
func growth(s report.Series, from float64) float64 {
	first := 0
	for first < len(s.At) && s.At[first] < from {
		first++
	}
	values := s.Value[first:]
	quarter := len(values) / 4
	if quarter == 0 {
		return 0
	}
	before, after := mean(values[:quarter]), mean(values[len(values)-quarter:])
	if before == 0 {
		return 0
	}
	return after / before
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
