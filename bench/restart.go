package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
)

// restart kills holdfast under load, starts it again on the same folder, and measures from the
// new process's start to its first command, and until it has caught up.
type restart struct {
	Header  `yaml:",inline"`
	Driving `yaml:",inline"`

	// StateMB is the size of the state when holdfast is killed, in millions of bytes. How many
	// keys that takes is found by filling those of the load first. 0: as much as those take.
	StateMB int `yaml:"state_mb,omitempty"`
}

const (
	stateMBMax = 1_000_000

	// killAfter is the share of the measured time at which holdfast is killed.
	killAfter = 0.25
	// quiet is how long no command may come before what comes is the new process's.
	quiet = 50 * time.Millisecond
	// caughtUpRound: a round of catching up that is as short found nothing that was left behind.
	caughtUpRound = 100 * time.Millisecond
)

func (*restart) metrics() []string {
	return append([]string{"first command", "caught up", "open", "state", "keys"}, latencyMetrics()...)
}

func (r *restart) check(problem func(key, format string, args ...any)) {
	r.Driving.check(problem)
	r.checkRate(problem)
	inRange(problem, "state_mb", r.StateMB, 0, stateMBMax)
	if r.Load.Oversell <= 0 {
		problem("load.oversell", "without it there is no first command")
	}
}

func (r *restart) scale(by float64) {
	scaleCount(&r.StateMB, by, 1)
	if r.StateMB == 0 {
		scaleCount(&r.Load.Keys, by, scaledKeysMin)
	}
	r.Driving.scale(by)
}

func (r *restart) measure(ctx context.Context, s *session) (runs []report.Run, err error) {
	h := r.Header
	if r.StateMB > 0 {
		if h.Load.Keys, err = r.keys(ctx, s); err != nil {
			return nil, err
		}
	}
	return each(r.Runs, func(run int) (report.Run, error) { return r.once(ctx, s, &h, run) })
}

// keys finds how many keys make a state of the size that is wanted.
func (r *restart) keys(ctx context.Context, s *session) (int, error) {
	st, err := s.newStage(ctx, &r.Header, stageConfig{packing: r.Packing})
	if err != nil {
		return 0, err
	}
	err = st.stop(st.holdfast) // what it holds in memory is on disk then
	bytes, sizeErr := dirBytes(st.config.Dir)
	if err = errors.Join(err, sizeErr, st.close()); err != nil {
		return 0, err
	}
	size := float64(bytes) / float64(st.shelves.Deltas) // there is a count for each key
	keys := int(float64(r.StateMB) * 1e6 / size)
	s.say("a key takes %.0f bytes: %d keys make %d MB", size, keys, r.StateMB)
	return min(max(keys, r.Load.Locations, scaledKeysMin), keysMax), nil
}

// once kills and starts holdfast in a world of its own.
func (r *restart) once(ctx context.Context, s *session, h *Header, run int) (one report.Run, err error) {
	st, err := s.newStage(ctx, h, stageConfig{packing: r.Packing})
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	arrivals, err := listen(st.url, st.config.Topology.Prefix+".command.>")
	if err != nil {
		return one, err
	}
	defer arrivals.close()

	began := time.Now()
	driving, err := st.startDriving(ctx, h, r.Driving, st.broker)
	if err != nil {
		return one, err
	}
	if err := driving.pause(ctx, r.Warmup+time.Duration(float64(r.Duration)*killAfter)); err != nil {
		return one, err
	}
	stateBytes, err := dirBytes(st.config.Dir)
	if err != nil {
		return one, err
	}
	if err := st.kill(st.holdfast); err != nil {
		return one, err
	}
	if err := arrivals.quiet(ctx, quiet); err != nil {
		return one, err
	}
	st.config.Profile = s.profile(run, role.Holdfast)
	up, err := r.again(ctx, st, arrivals)
	if err != nil {
		return one, err
	}
	d, err := driving.wait()
	if err != nil {
		return one, err
	}
	s.caveat(run, d.Limit)
	s.say("run %d: first command after %v, caught up after %v", run+1, up.first.Round(time.Millisecond), up.caughtUp.Round(time.Millisecond))
	one = report.Run{
		Metrics: append([]report.Metric{
			lower("first command", report.Nanoseconds, float64(up.first)),
			lower("caught up", report.Nanoseconds, float64(up.caughtUp)),
			lower("open", report.Nanoseconds, float64(up.opened)),
			neither("state", report.Bytes, float64(stateBytes)),
			neither("keys", report.Count, float64(h.Load.Keys)),
		}, d.metrics()...), // and not what it cost: of two holdfasts the one is dead
		Series:    append(d.series(), d.memory...),
		Latencies: d.latencies(),
		Processes: d.used,
	}
	for i := range one.Series { // what stands in the plot of latencies elsewhere
		if line, ok := strings.CutPrefix(one.Series[i].Name, report.PlotLatency+"/"); ok {
			one.Series[i].Name = report.PlotRecovery + "/" + line
		}
	}
	memory := memorySeries(up.memory)
	for i := range memory {
		for j := range memory[i].At {
			memory[i].At[j] += up.start.Sub(began).Seconds()
		}
	}
	one.Series = append(one.Series, memory...)
	return one, d.unsound()
}

// recovery is how long it took since the new process was started.
type recovery struct {
	start                   time.Time
	opened, first, caughtUp time.Duration
	memory                  []process.Memory
}

// again starts holdfast on the folder that the killed one left.
func (r *restart) again(ctx context.Context, st *stage, arrivals *arrivals) (up recovery, err error) {
	start := time.Now()
	up.start = start
	arrivals.expect()
	if st.holdfast, err = st.play(ctx, role.Holdfast, st.config, nil, nil); err != nil {
		return up, err
	}
	up.opened = time.Since(start)
	watch := process.NewWatch(watchedEvery, st.holdfast)
	defer func() { up.memory = watch.Stop() }()
	for {
		round := time.Now()
		if err := st.holdfast.Ask(ctx, role.CatchUp, nil); err != nil {
			return up, err
		}
		if time.Since(round) <= caughtUpRound {
			break
		}
	}
	up.caughtUp = time.Since(start)
	at, err := arrivals.first(ctx)
	up.first = at.Sub(start)
	return up, err
}

// arrivals hears when messages come.
type arrivals struct {
	nc *nats.Conn

	mu    sync.Mutex
	last  time.Time
	wants chan time.Time // gets the next, once; nil: nobody waits
}

func listen(url, subject string) (*arrivals, error) {
	nc, err := nats.Connect(url, nats.Name("bench arrivals"))
	if err != nil {
		return nil, err
	}
	a := &arrivals{nc: nc}
	if _, err = nc.Subscribe(subject, func(*nats.Msg) { a.came(time.Now()) }); err == nil {
		err = nc.Flush()
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("listen to %s: %w", subject, err)
	}
	return a, nil
}

func (a *arrivals) came(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = at
	if a.wants != nil {
		select {
		case a.wants <- at:
		default: // it was not the first
		}
	}
}

// quiet waits until nothing has come for a time.
func (a *arrivals) quiet(ctx context.Context, d time.Duration) error {
	for {
		a.mu.Lock()
		rest := d - time.Since(a.last)
		a.mu.Unlock()
		if rest <= 0 {
			return nil
		}
		if err := sleep(ctx, rest); err != nil {
			return err
		}
	}
}

// expect begins to wait for the next.
func (a *arrivals) expect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wants = make(chan time.Time, 1)
}

// first returns when the first came that was expected.
func (a *arrivals) first(ctx context.Context) (time.Time, error) {
	select {
	case at := <-a.wants:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

func (a *arrivals) close() { a.nc.Close() }

// sleep waits for a time, or returns ctx's error where that comes first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
