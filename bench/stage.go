package bench

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/holdfast-atp/holdfast/bench/drive"
	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
	"github.com/holdfast-atp/holdfast/inventory"
)

// stage is a world in which the shelves are full, and holdfast is caught up and waits for a
// driver.
type stage struct {
	*world
	config   role.HoldfastConfig
	holdfast *process.Process
	shelves  filled
	driving  *driving // nil before there is one
}

// stageConfig is how a stage differs from what the header of its scenario says.
type stageConfig struct {
	packing   int
	profile   string           // file for a CPU profile of holdfast; "": none
	lateness  inventory.Millis // 0: holdfast's default
	retention time.Duration    // of all streams; 0: for ever
}

func (s *session) newStage(ctx context.Context, h *Header, c stageConfig) (st *stage, err error) {
	w, err := s.newWorld(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	t := h.topology("bench")
	t.DeltaMaxAge, t.OutputMaxAge = c.retention, c.retention
	st = &stage{world: w, config: w.holdfastConfig(t)}
	st.config.Profile, st.config.Lateness = c.profile, c.lateness
	if st.holdfast, err = w.play(ctx, role.Holdfast, st.config, nil, nil); err != nil {
		return nil, err
	}
	if st.shelves, err = w.fill(ctx, t, drive.FillPlan{Mix: h.mix(), Packing: c.packing, Shelves: true}); err != nil {
		return nil, err
	}
	var done applied
	if err := st.holdfast.Ask(ctx, role.CatchUp, &done.CaughtUp); err != nil {
		return nil, err
	}
	return st, done.wantAll(st.shelves.Deltas)
}

// close ends all, and with them what waits for them.
func (st *stage) close() error {
	err := st.world.close()
	if st.driving != nil {
		<-st.driving.done
	}
	return err
}

// driving is a driver at work.
type driving struct {
	plan  drive.Plan
	meter *meter
	done  chan struct{} // closed once what follows is there

	result drive.Result
	memory []process.Memory
	err    error
}

// drive drives holdfast to the end, and charges what it costs to broker, holdfast and driver.
func (st *stage) drive(ctx context.Context, h *Header, d Driving) (driven, error) {
	g, err := st.startDriving(ctx, h, d, st.broker, st.holdfast)
	if err != nil {
		return driven{}, err
	}
	return g.wait()
}

// startDriving starts to drive, once a stage. What the measured time costs is charged to the
// processes that are named, and to the driver.
func (st *stage) startDriving(ctx context.Context, h *Header, d Driving, charged ...*process.Process) (*driving, error) {
	g := &driving{
		plan: drive.Plan{
			URL:        st.url,
			Prefix:     st.config.Topology.Prefix,
			Partitions: st.config.Topology.Partitions,
			Mix:        h.mix(),
			Rate:       d.Rate,
			Warmup:     d.Warmup,
			Duration:   d.Duration,
			Packing:    d.Packing,
			Linger:     d.Linger,
			Interval:   stepOf(d.Warmup + d.Duration),
		},
		meter: &meter{},
		done:  make(chan struct{}),
	}
	driver, err := st.play(ctx, role.Driver, g.plan, nil, g.meter.tell)
	if err != nil {
		return nil, err
	}
	charged = append(charged, driver)
	if err := g.meter.begin(charged); err != nil {
		return nil, err
	}
	st.driving = g
	watch := process.NewWatch(stepOf(d.Warmup+d.Duration), charged...)
	go func() {
		defer close(g.done)
		g.err = driver.Ask(ctx, role.Run, &g.result)
		g.memory = watch.Stop()
	}()
	return g, nil
}

// stepOf is the step of a series of so long: some hundreds of points, from a tenth of a second
// to ten.
func stepOf(total time.Duration) time.Duration {
	switch {
	case total <= time.Minute:
		return 100 * time.Millisecond
	case total <= 10*time.Minute:
		return time.Second
	}
	return 10 * time.Second
}

// errEnded says that a driver has ended, well or not; wait says which.
var errEnded = errors.New("the driver ended too early")

// pause lets it drive for a time; errEnded where it does not drive for so long.
func (g *driving) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-g.done:
		return errors.Join(errEnded, g.err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait waits for the end.
func (g *driving) wait() (d driven, err error) {
	<-g.done
	if g.err != nil {
		return d, g.err
	}
	d = driven{Result: g.result, rate: g.plan.Rate, memory: memorySeries(g.memory)}
	d.deltas, d.used, err = g.meter.read()
	return d, err
}

// meter charges the measured intervals of a driver to processes. It is told of them on a
// goroutine of the driver's process.
type meter struct {
	mu        sync.Mutex
	processes []*process.Process
	account   *account // open since the warm-up's last interval, or the start
	deltas    uint64   // published since
	used      []report.Process
	err       error
}

// begin opens the account of processes, before the first interval.
func (m *meter) begin(processes []*process.Process) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.processes = processes
	m.account, err = openAccount(processes...)
	return err
}

func (m *meter) tell(value json.RawMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var i drive.Interval
	if m.err == nil {
		m.err = json.Unmarshal(value, &i)
	}
	switch {
	case m.err != nil:
	case i.Warmup:
		m.account, m.err = openAccount(m.processes...)
	case i.Published > 0: // not while it waits for the last commands
		m.deltas += i.Published
		m.used, m.err = m.account.close()
	}
}

// read returns what was charged for so many deltas.
func (m *meter) read() (deltas uint64, used []report.Process, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.deltas, m.used, m.err
}
