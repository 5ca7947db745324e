package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/state"
)

// Config is what a Processor is run with.
type Config struct {
	Topology Topology

	// Connect makes a connection to NATS. The processor makes three, for reading, for
	// outputs and for what is not urgent, so that none of them stands behind another.
	Connect func(name string) (*nats.Conn, error)

	DataDir    string // of the state
	CacheBytes int64  // of memory in all, half of it for records and half for Pebble; 0: CacheBytesDefault

	Lateness       inventory.Millis // of stock; 0: engine.DefaultLateness
	WindowLateness inventory.Millis // of windows; 0: engine.DefaultWindowLateness
	Policy         *policy.Policy   // nil: policy.Default()

	Commands codec.Encoding // of commands; "": codec.JSON
	Bounds   Bounds         // of what readers hold

	// TickEvery is how often event time is moved on in a partition that is live and
	// gets no deltas; 0 means TickEveryDefault, negative never.
	TickEvery time.Duration

	Log *slog.Logger // nil: slog.Default()
}

// Defaults of a Config.
const (
	CacheBytesDefault = 512 << 20
	TickEveryDefault  = 5 * time.Second
)

// settleMax bounds how long a partition that is to stop waits for its outputs.
const settleMax = 5 * time.Second

// Processor runs all partitions of a deployment in this process, and what belongs to
// them: the gateway for producers that know no partition, and the table of directives.
type Processor struct {
	config   Config
	conns    []*nats.Conn
	js       jetstream.JetStream // not urgent: questions, ticks
	folder   *state.Folder
	slots    []slot
	log      *logEnds
	gateway  *Gateway
	commits  groupCommits
	projects *Directives

	surveying chan struct{} // has room for the one that reads all of a state

	stop context.CancelFunc
	done sync.WaitGroup
}

// slot is one partition's place. Its worker may have stopped with an error; what it
// committed can be read all the same.
type slot struct {
	db        *state.DB
	publisher *Publisher
	progress  *progress
	tally     *tallyBook
	stages    *stages // nil: it could not be opened
}

// Start creates what is missing, opens every partition, and begins to apply. A
// partition that can't be opened or stops later says so in its status, and the others go on;
// an error is returned where none can.
func Start(ctx context.Context, config Config) (*Processor, error) {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.CacheBytes == 0 {
		config.CacheBytes = CacheBytesDefault
	}
	if config.TickEvery == 0 {
		config.TickEvery = TickEveryDefault
	}
	p := &Processor{config: config, surveying: make(chan struct{}, 1), stop: func() {}}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Processor) start(ctx context.Context) error {
	reading, err := p.connect("reader")
	if err != nil {
		return err
	}
	writing, err := p.connect("outputs")
	if err != nil {
		return err
	}
	if p.js, err = p.connect("control"); err != nil {
		return err
	}
	p.log = &logEnds{js: p.js, topology: p.config.Topology}
	if err := p.config.Topology.Ensure(ctx, p.js); err != nil {
		return err
	}
	if p.folder, err = state.OpenFolder(p.config.DataDir, state.Options{
		Partitions: p.config.Topology.Partitions,
		Prefix:     p.config.Topology.Prefix,
		CacheBytes: p.config.CacheBytes / 2,
		DigestSkip: digestSkip(),
		Log:        p.config.Log,
	}); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.Background())
	p.stop, p.commits = stop, newGroupCommits(writing)
	if err := p.startWorkers(ctx, run, reading, writing); err != nil {
		return err
	}
	if p.projects, err = StartDirectives(ctx, p.js, p.config.Topology, p.config.Log); err != nil {
		return err
	}
	if p.gateway, err = StartGateway(p.js.Conn(), p.js, p.config.Topology, p.config.Log); err != nil {
		return err
	}
	if p.config.TickEvery > 0 {
		p.done.Go(func() { p.tick(run) })
	}
	return nil
}

// digestSkip lists what digests leave out: how ids and timers are laid out depends
// on where batches ended, and says nothing about stock.
func digestSkip() (prefixes [][]byte) {
	for _, prefix := range engine.LaidOutByBatch() {
		prefixes = append(prefixes, []byte{prefix})
	}
	return prefixes
}

func (p *Processor) connect(name string) (jetstream.JetStream, error) {
	nc, err := p.config.Connect("holdfast " + name)
	if err != nil {
		return nil, err
	}
	p.conns = append(p.conns, nc)
	return jetstream.New(nc)
}

// startWorkers opens the partitions side by side and starts those that open.
func (p *Processor) startWorkers(ctx, run context.Context, reading, writing jetstream.JetStream) error {
	config := workerConfig{
		topology: p.config.Topology,
		engine:   p.engineConfig(),
		commands: p.config.Commands,
		bounds:   p.config.Bounds,
		log:      p.config.Log,
		commits:  p.commits,
	}
	p.slots = make([]slot, p.config.Topology.Partitions)
	workers, errs := make([]*worker, len(p.slots)), make([]error, len(p.slots))
	var opening sync.WaitGroup
	for i := range p.slots {
		opening.Go(func() {
			db, err := p.folder.OpenPartition(i)
			if err != nil {
				errs[i] = err
				return
			}
			workers[i], errs[i] = openWorker(ctx, config, db, reading, writing)
		})
	}
	opening.Wait()
	if err := ctx.Err(); err != nil { // told to stop, so nothing is wrong with any of them
		for i, w := range workers {
			if errs[i] == nil {
				err = errors.Join(err, w.close())
			}
		}
		return err
	}

	running := 0
	for i, w := range workers {
		if errs[i] != nil {
			p.config.Log.Error("partition stands still", "partition", i, "error", errs[i])
			p.slots[i] = slot{progress: stoppedProgress(errs[i]), tally: &tallyBook{all: newTally()}}
			continue
		}
		running++
		p.slots[i] = slot{db: w.db, publisher: w.publisher, progress: w.progress, tally: w.partition.tally, stages: w.stages}
		p.done.Go(func() { p.run(run, w) })
	}
	if running == 0 {
		return fmt.Errorf("no partition can be run: %w", errors.Join(errs...))
	}
	return nil
}

// EngineMemory shares a processor's memory out: of cacheBytes, half of which is Pebble's, what each partition's
// engine gets for values and for known ids.
func EngineMemory(cacheBytes int64, partitions int) (values, ids int64) {
	share := cacheBytes / 2 / int64(partitions)
	return max(share*3/4, 1<<20), max(share/4, 1<<20)
}

func (p *Processor) engineConfig() engine.Config {
	config := engine.Config{
		Lateness:       p.config.Lateness,
		WindowLateness: p.config.WindowLateness,
		Policy:         p.config.Policy,
	}
	config.CacheBytes, config.DedupeBytes = EngineMemory(p.config.CacheBytes, p.config.Topology.Partitions)
	return config
}

// run drives a worker to its end, and closes it.
func (p *Processor) run(ctx context.Context, w *worker) {
	err := w.run(ctx)
	if err != nil {
		w.progress.set(func(p *progress) { p.err = err })
		p.config.Log.Error("partition stopped; the others go on", "partition", w.db.Partition(), "error", err)
		<-ctx.Done() // its committed state can be read until the processor closes
	}
	if err := w.close(); err != nil {
		p.config.Log.Error("partition not closed cleanly; what is missing is applied again at the next start", "partition", w.db.Partition(), "error", err)
	}
}

// Close stops taking, commits, and lets go of everything. What could not be published
// yet is in the outbox and is published at the next start.
func (p *Processor) Close() error {
	var errs []error
	if p.gateway != nil {
		errs = append(errs, p.gateway.Close())
	}
	p.stop()
	p.await()
	p.commits.close()
	if p.projects != nil {
		errs = append(errs, p.projects.Close())
	}
	if p.folder != nil {
		errs = append(errs, p.folder.Close())
	}
	for _, nc := range p.conns {
		nc.Close()
	}
	return errors.Join(errs...)
}

// diskMax is for how long partitions that are to stop wait for a disk that takes nothing.
const diskMax = 10 * time.Second

// await waits for the workers. Those that a disk holds up are let go after a while: what they had not stored is
// applied again.
func (p *Processor) await() {
	patience := time.AfterFunc(diskMax, func() {
		for i := range p.slots {
			if db := p.slots[i].db; db != nil && db.Trouble() != nil {
				db.GiveUp()
			}
		}
	})
	defer patience.Stop()
	p.done.Wait()
}

// Failed returns the errors of the partitions that stand still, by partition.
func (p *Processor) Failed() map[int]error {
	failed := map[int]error{}
	for i := range p.slots {
		if _, _, err := p.slots[i].progress.get(); err != nil {
			failed[i] = err
		}
	}
	return failed
}
