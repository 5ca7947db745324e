package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/state"
)

// workerConfig is what the workers of a process share.
type workerConfig struct {
	topology Topology
	engine   engine.Config // Partition and Partitions are filled in by each
	commands codec.Encoding
	bounds   Bounds
	log      *slog.Logger
	commits  groupCommits // of all workers
}

// worker owns one partition: open and run are one goroutine, and nothing in them locks
// but the moment at which progress is told. What it does with a fetch is [Partition]'s; here is when.
type worker struct {
	db        *state.DB
	partition *Partition
	reader    *Reader
	publisher *Publisher

	committedAt time.Time // when everything that was applied was to be seen last
	reported    time.Time // as of when what can be seen was told
	caughtUp    bool      // it was told that all is visible which the log held at the start

	progress *progress
	stages   *stages
}

// openWorker takes up partition db where it was left, see [OpenPartition].
// js reads, outputs publishes: two connections, so that a deep read delays no command.
func openWorker(ctx context.Context, config workerConfig, db *state.DB, js, outputs jetstream.JetStream) (w *worker, err error) {
	p := db.Partition()
	w = &worker{db: db, progress: newProgress(), stages: &stages{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	w.partition, err = OpenPartition(ctx, PartitionConfig{
		Topology:  config.topology,
		Partition: p,
		Engine:    config.engine,
		Commands:  config.commands,
		Log:       leaderLog{js, config.topology.DeltaStream(p)},
		Speak: func(ctx context.Context, from From) (_ Speaker, err error) {
			w.publisher, err = openPublisher(ctx, outputs, config.topology, p, from, config.log, config.commits)
			return w.publisher, err
		},
	}, db)
	if err != nil {
		return w, err
	}
	if w.reader, err = Open(ctx, js, config.topology, p, w.partition.last, config.bounds); err != nil {
		return w, err
	}
	w.report()
	return w, nil
}

// outboxRest is for how long a partition without deltas leaves its outbox alone.
const outboxRest = time.Second

// run applies the log until ctx ends, which is no error, or something is wrong. At the end
// it waits a while for the outputs to be stored; those that are not by then are in the outbox.
func (w *worker) run(ctx context.Context) error {
	for {
		fetch, err := w.next(ctx)
		if ctx.Err() != nil {
			return w.settle(context.WithoutCancel(ctx))
		}
		if err != nil {
			return errors.Join(err, w.commitOpen())
		}
		taken := w.stages.taken(fetch)
		err = w.partition.Apply(ctx, fetch)
		w.stages.applied(taken)
		if err == nil {
			w.progress.applied.Store(w.partition.last.Whole())
			err = w.proceed(stepValues * len(fetch.Batch.Deltas))
		}
		if err != nil {
			if errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return nil // stopped between two commits; the rest of the fetch is read again
			}
			return fmt.Errorf("partition %d: %w", w.db.Partition(), err)
		}
		w.reader.Recycle(fetch)
	}
}

// next waits for a fetch. Meanwhile it gets on with batches, answers those
// who ask, and empties the outbox once there is nothing else to do.
func (w *worker) next(ctx context.Context) (*Fetch, error) {
	for {
		fetch, err := w.reader.Await(ctx, w.rest(), w.progress.asks)
		if fetch != nil || err != nil {
			return fetch, err
		}
		if err := w.proceed(idleValues); err != nil {
			return nil, err
		}
	}
}

// rest is for how long there is nothing to do but to wait for a fetch; 0: for ever.
func (w *worker) rest() time.Duration {
	switch {
	case w.partition.leaving.landing != nil:
		return landingRest
	case w.partition.Underway():
		return 1
	case w.partition.open > 0:
		return max(time.Until(w.dueAt(w.asked())), 1)
	case w.partition.stored > 0:
		return outboxRest
	default:
		return 0
	}
}

// commitOpen commits what was applied and is not committed yet.
func (w *worker) commitOpen() error {
	if w.partition.open == 0 {
		return w.partition.Finish()
	}
	return w.partition.Commit()
}

// settle commits, waits for what was said to be stored, for settleMax at most, and takes it
// out of the outbox.
func (w *worker) settle(ctx context.Context) error {
	if err := w.commitOpen(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, settleMax)
	defer cancel()
	if w.partition.stored == 0 || w.publisher.Wait(ctx, w.partition.stored) != nil {
		return nil
	}
	return w.commit()
}

// The bounds of what a partition has applied and not begun to commit.
const (
	OpenDeltasMax  = 1 << 16
	OpenCatchUpMax = 5 * time.Second       // before it has caught up, whoever asks
	openMin        = 50 * time.Millisecond // between two commits, where somebody asks; else they come every flushEvery
)

// How a batch that nobody waits for gets on.
const (
	stepValues  = 2                    // of it are written with each delta applied, which changes fewer that were not changed before
	idleValues  = 256                  // are written while there is nothing to apply, before the next look at what has come
	landingRest = 2 * time.Millisecond // between two looks at whether it has landed
)

// proceed gets on with the batch that is underway, by so many values, and begins or commits another where it is time to.
// What the engine says never waits for one.
func (w *worker) proceed(values int) error {
	p := w.partition
	if err := p.Step(values); err != nil {
		return err
	}
	asked := w.asked()
	due := p.open > 0 && !time.Now().Before(w.dueAt(asked))
	var err error
	switch {
	case p.Crowded(), p.Leftover(), due && asked, p.open == 0 && asked:
		err = w.commit()
	case p.Full():
		if err = p.Finish(); err == nil {
			err = p.Begin()
		}
	case due && !p.Underway():
		err = p.Begin()
	}
	w.report()
	return err
}

// commit makes all that is applied visible.
func (w *worker) commit() error {
	w.progress.asked.Store(false) // who asks from now on wants to see what comes meanwhile
	w.committedAt = time.Now()
	if p := w.partition; p.open == 0 && !p.Leftover() {
		err := p.Finish()
		p.visible = p.now() // which is what was visible before
		return err
	}
	err := w.partition.Commit()
	w.stages.committed(w.committedAt)
	return err
}

// asked reports whether somebody wants to see what is applied: that it has caught up, if nothing else.
func (w *worker) asked() bool { return w.live() && (w.progress.asked.Load() || !w.caughtUp) }

// live reports whether what the log held at the start is applied.
func (w *worker) live() bool { return w.partition.last.Whole() >= w.reader.LastAtOpen() }

// dueAt is when to commit what is open, or to begin to.
func (w *worker) dueAt(asked bool) time.Time {
	switch {
	case !w.live():
		return w.partition.openSince.Add(OpenCatchUpMax)
	case asked:
		return w.committedAt.Add(openMin)
	default:
		return w.partition.flushedAt.Add(flushEvery)
	}
}

// report tells how far the partition is, as far as can be seen.
func (w *worker) report() {
	at := w.partition.visible
	if w.reported == at.asOf {
		return
	}
	w.reported = at.asOf
	w.caughtUp = w.caughtUp || at.status.Sequence >= w.reader.LastAtOpen()
	w.progress.set(func(p *progress) {
		p.committed, p.caughtUp = at, w.caughtUp
		p.caches = w.partition.engine.Caches()
	})
}

// close lets go of all that was opened; the DB is flushed with it.
func (w *worker) close() error {
	var errs []error
	if w.reader != nil {
		errs = append(errs, w.reader.Close())
	}
	if w.publisher != nil {
		errs = append(errs, w.publisher.Close())
	}
	if w.partition != nil {
		errs = append(errs, w.partition.Close())
	}
	return errors.Join(append(errs, w.db.Close())...)
}
