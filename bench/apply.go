package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/bench/drive"
	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
	"github.com/holdfast-atp/holdfast/stream"
)

// applied is a catch-up that was measured.
type applied struct {
	role.CaughtUp
	used   []report.Process // the broker, holdfast
	series []report.Series
}

// wantAll makes sure that each of so many deltas was applied, known as a duplicate, or rejected.
func (a *applied) wantAll(deltas uint64) error {
	if a.Applied+a.Duplicates+a.Rejected != deltas {
		return fmt.Errorf("of %d deltas %d were applied, %d known as duplicates and %d rejected: the figure would mean nothing", deltas, a.Applied, a.Duplicates, a.Rejected)
	}
	return nil
}

// metrics says what it cost.
func (a *applied) metrics(deltas uint64) []report.Metric {
	return append(memoryOf(role.Holdfast, a.used), perCoreSecond(deltas, a.used)...)
}

const (
	saidEvery    = 200 * time.Millisecond // the step of throughput over time
	watchedEvery = 200 * time.Millisecond // the step of memory over time
)

// holdfastConfig is how a scenario's holdfast is run.
func (w *world) holdfastConfig(t stream.Topology) role.HoldfastConfig {
	return role.HoldfastConfig{
		URL:        w.url,
		Topology:   t,
		Dir:        w.stateDir(t.Prefix),
		CacheBytes: w.session.header.CacheMiB << 20,
	}
}

// apply starts holdfast on the state of a topology, lets it catch up, and stops it. What its
// start costs is in it.
func (w *world) apply(ctx context.Context, config role.HoldfastConfig) (a applied, err error) {
	config.SayEvery = saidEvery
	track := &track{}
	account, err := openAccount(w.broker)
	if err != nil {
		return a, err
	}
	p, err := w.play(ctx, role.Holdfast, config, nil, track.add)
	if err != nil {
		return a, err
	}
	account.addNew(p)
	watch := process.NewWatch(watchedEvery, w.broker, p)
	err = p.Ask(ctx, role.CatchUp, &a.CaughtUp)
	a.series = append(memorySeries(watch.Stop()), track.series()...)
	if err != nil {
		return a, err
	}
	if a.used, err = account.close(); err != nil {
		return a, err
	}
	return a, w.stop(p)
}

// track is how far holdfast was, over time. It is added to on a goroutine of the process's.
type track struct {
	mu     sync.Mutex
	points []role.HoldfastStatus
}

func (t *track) add(value json.RawMessage) {
	var s role.HoldfastStatus
	if json.Unmarshal(value, &s) != nil {
		return // a point less; the answers are what counts
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.points = append(t.points, s)
}

// series is the throughput over time.
func (t *track) series() []report.Series {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := report.Series{Name: report.PlotThroughput + "/applied", Unit: report.DeltasPerSec}
	var last role.HoldfastStatus
	for _, p := range t.points {
		if step := (p.After - last.After).Seconds(); step > 0 {
			s.At = append(s.At, p.After.Seconds())
			s.Value = append(s.Value, float64(p.Applied-last.Applied)/step)
		}
		last = p
	}
	if len(s.At) == 0 {
		return nil
	}
	return []report.Series{s}
}

// filled is streams that were filled.
type filled struct {
	topology stream.Topology
	drive.Filled
}

// fill fills streams, which it makes where there are none. What that takes is not measured.
func (w *world) fill(ctx context.Context, t stream.Topology, plan drive.FillPlan) (f filled, err error) {
	if err := w.withJetStream(func(js jetstream.JetStream) error { return t.Ensure(ctx, js) }); err != nil {
		return f, err
	}
	plan.URL, plan.Prefix, plan.Partitions = w.url, t.Prefix, t.Partitions
	f.topology = t
	err = w.ask(ctx, role.Filler, plan, role.Run, &f.Filled)
	if err == nil {
		w.session.say("filled streams with %d deltas in %d messages of %d bytes in all", f.Deltas, f.Messages, f.Bytes)
	}
	return f, err
}

// withJetStream calls fn with a connection of this process's.
func (w *world) withJetStream(fn func(js jetstream.JetStream) error) error {
	nc, err := nats.Connect(w.url, nats.Name("bench"))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	return fn(js)
}

// forgetOutputs removes what was said about a topology's streams, so that holdfast says it again.
func (w *world) forgetOutputs(ctx context.Context, t stream.Topology) error {
	return w.withJetStream(func(js jetstream.JetStream) error {
		for _, kind := range []stream.Kind{stream.Command, stream.Exception, stream.Audit, stream.Rejected} {
			name := t.OutputStream(kind)
			if err := js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
				return fmt.Errorf("delete %s: %w", name, err)
			}
		}
		name := t.DirectivesBucket()
		if err := js.DeleteKeyValue(ctx, name); err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
			return fmt.Errorf("delete %s: %w", name, err)
		}
		return nil
	})
}

// profile names the file for the CPU profile of a run; "" where none is wanted.
func (s *session) profile(run int, what string) string {
	if s.Profiles == "" {
		return ""
	}
	return filepath.Join(s.Profiles, s.header.Name+"-"+what+"-"+strconv.Itoa(run+1)+".pprof")
}
