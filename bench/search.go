package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// sustainable is a search: the highest rate at which p99 stays within a bound.
type sustainable struct {
	Header  `yaml:",inline"`
	Driving `yaml:",inline"`

	P99 time.Duration `yaml:"p99"`
}

// Bounds of a search, in deltas/s.
const (
	searchFrom      = 5000
	searchMost      = 2_000_000
	searchPrecision = 1.05 // the rate found and the lowest that failed are nearer than that

	sustainableP99Default = 20 * time.Millisecond
)

func (*sustainable) metrics() []string { return append([]string{"sustainable"}, liveMetrics()...) }

func (f *sustainable) check(problem func(key, format string, args ...any)) {
	f.Driving.check(problem)
	if f.Rate != 0 {
		problem("rate", "it is what is searched for")
	}
	inRange(problem, "p99", f.P99.Seconds(), 1e-6, 60)
}

func (f *sustainable) scale(by float64) {
	scaleCount(&f.Load.Keys, by, scaledKeysMin)
	f.Driving.scale(by)
}

func (f *sustainable) measure(ctx context.Context, s *session) ([]report.Run, error) {
	return each(f.Runs, func(int) (report.Run, error) {
		rate, best, err := s.search(ctx, f)
		if err != nil {
			return report.Run{}, err
		}
		best.Metrics = append([]report.Metric{higher("sustainable", report.DeltasPerSec, rate)}, best.Metrics...)
		return best, nil
	})
}

// search tries rates, each in a world of its own, and returns the highest that was good, with
// its run.
func (s *session) search(ctx context.Context, f *sustainable) (rate float64, best report.Run, err error) {
	rate, err = search(searchFrom, searchMost, searchPrecision, func(rate float64) (bool, error) {
		drive := f.Driving
		drive.Rate = math.Round(rate)
		run, driven, err := s.live(ctx, &f.Header, drive, "")
		if err != nil {
			return false, err
		}
		p99 := driven.percentile(99)
		verdict := driven.unsound()
		switch {
		case verdict != nil:
		case p99 > f.P99:
			verdict = errors.New("too long")
		case !driven.reached():
			verdict = errors.New(driven.Limit)
		default:
			best = run
			s.say("%.0f deltas/s: p99 %v, good", drive.Rate, p99.Round(time.Microsecond))
			return true, nil
		}
		s.say("%.0f deltas/s: p99 %v, %v", drive.Rate, p99.Round(time.Microsecond), verdict)
		return false, nil
	})
	if err == nil && rate == 0 {
		err = fmt.Errorf("not even %d deltas/s have a p99 within %v", searchFrom, f.P99)
	}
	return rate, best, err
}

// search returns the highest rate that was good: it doubles from least until one is not, or most
// is reached, and then halves what is between in the geometric sense. 0 where least is not good.
func search(least, most, precision float64, good func(rate float64) (bool, error)) (best float64, err error) {
	bad := 0.0
	for rate := least; bad == 0 && best < most; rate = min(2*rate, most) {
		ok, err := good(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			best = rate
		} else {
			bad = rate
		}
	}
	for best > 0 && bad > best*precision {
		rate := math.Sqrt(best * bad)
		ok, err := good(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			best = rate
		} else {
			bad = rate
		}
	}
	return best, nil
}

// rates are the sustainable rates of a suite, each searched for once.
type rates struct {
	given float64 // deltas/s; 0: none is
	found map[string]float64
}

// sustainableRate returns the rate that live scenarios of these knobs are a share of.
func (s *session) sustainableRate(ctx context.Context, l *live) (float64, error) {
	if s.rates.given > 0 {
		return s.rates.given, nil
	}
	f := l.sustainable()
	key := fmt.Sprintf("%+v %+v %v %v %d %d", f.Load, f.Driving, f.P99, f.SyncAlways, f.Partitions, f.CacheMiB)
	if rate, ok := s.rates.found[key]; ok {
		return rate, nil
	}
	s.say("searching the sustainable rate first; --sustainable RATE spares it")
	rate, _, err := s.search(ctx, f)
	if err == nil {
		s.rates.found[key] = rate
	}
	return rate, err
}

// FindSustainable turns live scenarios into searches.
func FindSustainable(scenarios []*Scenario) (searches []*Scenario, err error) {
	for _, s := range scenarios {
		l, ok := s.plan.(*live)
		if !ok {
			return nil, fmt.Errorf("%s is a %s scenario: the sustainable rate is one of live scenarios", s.Name, s.Type)
		}
		f := l.sustainable()
		searches = append(searches, &Scenario{Header: &f.Header, plan: f, scaled: s.scaled})
	}
	return searches, nil
}
