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
}

// worker owns one partition: open and run are one goroutine, and nothing in them locks
// but the moment at which progress is told. What it does with a fetch is [Partition]'s; here is when.
type worker struct {
	db        *state.DB
	partition *Partition
	reader    *Reader
	publisher *Publisher

	asked      bool      // somebody wants to see what is applied
	reportedAt time.Time // when it could be seen last

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
			w.publisher, err = OpenPublisher(ctx, outputs, config.topology, p, from, config.log)
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
		if err == nil && w.due() {
			err = w.commit()
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

// next waits for a fetch. Meanwhile it commits what is open once that is due, answers those
// who ask, and empties the outbox once there is nothing else to do.
func (w *worker) next(ctx context.Context) (*Fetch, error) {
	for {
		fetch, err := w.reader.Await(ctx, w.rest(), w.progress.asks)
		if fetch != nil || err != nil {
			return fetch, err
		}
		w.asked = true // or the rest is over, which comes to the same where nobody did
		switch {
		case w.partition.open > 0 && w.due(), w.partition.Leftover():
			if err := w.commit(); err != nil {
				return nil, err
			}
		case w.partition.open == 0:
			w.report()
		}
	}
}

// rest is for how long there is nothing to do but to wait for a fetch; 0: for ever.
func (w *worker) rest() time.Duration {
	switch {
	case w.partition.open > 0:
		return max(time.Until(w.dueAt()), 1)
	case w.partition.stored > 0:
		return outboxRest
	default:
		return 0
	}
}

// commitOpen commits what was applied and is not committed yet.
func (w *worker) commitOpen() error {
	if w.partition.open == 0 {
		return nil
	}
	return w.commit()
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

// The bounds of what a partition has applied and not committed.
const (
	OpenDeltasMax  = 1 << 16
	openLiveDeltas = 1 << 12               // the same once it has caught up: what comes during a commit waits for it
	OpenCatchUpMax = 5 * time.Second       // before it has caught up, whoever asks
	openLiveMax    = time.Second           // once it has, where nobody asks
	openMin        = 50 * time.Millisecond // between two commits, where somebody does
)

// due reports whether to commit what is open. What changes again meanwhile is written once,
// so commits are rare unless somebody wants to read. What the engine says never waits for one.
func (w *worker) due() bool {
	most := OpenDeltasMax
	if w.live() {
		most = openLiveDeltas
	}
	if w.partition.Full(most) {
		return true
	}
	if !w.asked {
		select {
		case <-w.progress.asks:
			w.asked = true
		default:
		}
	}
	return !time.Now().Before(w.dueAt())
}

// live reports whether what the log held at the start is applied.
func (w *worker) live() bool { return w.partition.last.Whole() >= w.reader.LastAtOpen() }

// dueAt is when to commit what is open.
func (w *worker) dueAt() time.Time {
	switch {
	case !w.live():
		return w.partition.openSince.Add(OpenCatchUpMax)
	case w.asked:
		return w.reportedAt.Add(openMin)
	default:
		return w.partition.openSince.Add(openLiveMax)
	}
}

// commit makes what was applied visible, and tells how far the partition is.
func (w *worker) commit() error {
	began := time.Now()
	if err := w.partition.Commit(); err != nil {
		return err
	}
	w.stages.committed(began)
	w.report()
	return nil
}

// report tells how far the partition is.
func (w *worker) report() {
	w.asked, w.reportedAt = false, time.Now()
	from := w.partition
	w.progress.set(func(p *progress) {
		p.status = engine.Status{
			Watermark: from.engine.Watermark(),
			Sequence:  from.last.Whole(),
			Counters:  from.engine.Counters(),
			Standing:  from.engine.Standing(),
		}
		p.said = from.said
		p.logTime = from.last.LogTime
		p.caches = from.engine.Caches()
		p.caughtUp = p.caughtUp || w.live()
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
