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
// but the moment at which progress is told.
//
// Invariant: between two fetches, state, outbox and position are those of the last
// committed batch, and every output up to there is in its stream, in the outbox, or both.
type worker struct {
	config    workerConfig
	partition int
	db        *state.DB
	engine    *engine.Engine
	reader    *Reader
	publisher *Publisher
	encoder   encoder
	batch     *state.Batch

	pending []Output // said since the last commit
	said    uint64   // ordinal of the last output
	stored  uint64   // ordinal of the last output that is in the outbox; 0: none is
	last    state.Position

	open      int       // deltas applied since the last commit
	openSince time.Time // when the first of them was
	flushedAt time.Time // when the last flush of the state began

	asked      bool      // somebody wants to see what is applied
	reportedAt time.Time // when it could be seen last

	// engineBytesMax bounds the engine's cache between two commits: half as much again as it
	// is shrunk to after each, for what changed stays in it until it is committed.
	engineBytesMax int64
	scratch        []byte
	counts         batchTally

	progress *progress
	tally    *tallyBook
	stages   *stages
}

// openWorker takes up partition db where it was left: it checks that the log is the one
// that the state was made from, and hands what may not be published yet to the publisher.
// js reads, outputs publishes: two connections, so that a deep read delays no command.
func openWorker(ctx context.Context, config workerConfig, db *state.DB, js, outputs jetstream.JetStream) (w *worker, err error) {
	p := db.Partition()
	w = &worker{
		config:    config,
		partition: p,
		db:        db,
		encoder:   encoder{config.topology, p, config.commands},
		counts:    batchTally{rare: newTally()},
		progress:  newProgress(),
		tally:     &tallyBook{all: newTally()},
		stages:    &stages{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()

	at, known, err := db.Position()
	if err != nil {
		return w, err
	}
	stored, from := &at, From{at.LogTime.Time(), at.Rejected}
	if !known {
		stored, from = nil, From{}
	}
	if err := CheckPosition(ctx, js, config.topology, p, stored); err != nil {
		return w, err
	}
	config.engine.Partition, config.engine.Partitions = p, config.topology.Partitions
	w.engineBytesMax = config.engine.CacheBytes * 3 / 2
	if w.engine, err = engine.New(config.engine, db); err != nil {
		return w, err
	}
	if w.publisher, err = OpenPublisher(ctx, outputs, config.topology, p, from, config.log); err != nil {
		return w, err
	}
	if err := w.publishOutbox(ctx); err != nil {
		return w, err
	}
	if w.reader, err = Open(ctx, js, config.topology, p, at.Sequence+1, config.bounds); err != nil {
		return w, err
	}
	w.batch, w.last = db.NewBatch(), at
	w.flushedAt = time.Now().Add(-flushEvery * time.Duration(p) / time.Duration(config.topology.Partitions))
	w.report()
	return w, nil
}

// publishOutbox hands over what was said before and may not be in its stream yet.
func (w *worker) publishOutbox(ctx context.Context) error {
	var bad error
	err := w.db.Outputs(func(ordinal uint64, value []byte) bool {
		var o Output
		if o, bad = ParseOutput(ordinal, value); bad == nil {
			w.said, w.stored = ordinal, ordinal
			bad = w.publisher.Publish(ctx, o)
		}
		return bad == nil
	})
	return errors.Join(err, bad)
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
		err = w.apply(ctx, fetch)
		w.stages.applied(taken)
		if err == nil && w.due() {
			err = w.commit()
		}
		if err != nil {
			if errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return nil // stopped between two commits; the rest of the fetch is read again
			}
			return fmt.Errorf("partition %d: %w", w.partition, err)
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
		case w.open > 0 && w.due(), w.open == 0 && w.stored > 0 && w.publisher.Acked() >= w.stored:
			if err := w.commit(); err != nil {
				return nil, err
			}
		case w.open == 0:
			w.report()
		}
	}
}

// rest is for how long there is nothing to do but to wait for a fetch; 0: for ever.
func (w *worker) rest() time.Duration {
	switch {
	case w.open > 0:
		return max(time.Until(w.dueAt()), 1)
	case w.stored > 0:
		return outboxRest
	default:
		return 0
	}
}

// commitOpen commits what was applied and is not committed yet.
func (w *worker) commitOpen() error {
	if w.open == 0 {
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
	if w.stored == 0 || w.publisher.Wait(ctx, w.stored) != nil {
		return nil
	}
	return w.commit()
}

// apply takes in a fetch.
func (w *worker) apply(ctx context.Context, f *Fetch) error {
	bad := f.Batch.Bad
	for i := range f.Messages {
		m := &f.Messages[i]
		for index := range m.Count {
			at := engine.At{Sequence: m.Sequence, Index: index, LogTime: m.Time}
			d := &f.Batch.Deltas[m.First+index]
			var result engine.Result
			if len(bad) > 0 && bad[0].Index == m.First+index {
				result = w.engine.Reject(at, bad[0].Err)
				bad = bad[1:]
			} else {
				var err error
				if result, err = w.engine.Apply(at, d); err != nil {
					return err
				}
			}
			w.counts.result(d, result)
		}
		if err := w.say(ctx, f, m); err != nil {
			return err
		}
	}
	last := &f.Messages[len(f.Messages)-1]
	w.last = state.Position{Sequence: last.Sequence, Fingerprint: last.Fingerprint(), LogTime: last.Time}
	if w.open == 0 {
		w.openSince = time.Now()
	}
	w.open += len(f.Batch.Deltas)
	return nil
}

// The bounds of what a partition has applied and not committed.
const (
	OpenDeltasMax  = 1 << 16
	openLiveDeltas = 1 << 10               // the same once it has caught up: what comes during a commit waits for it
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
	if w.open >= most || w.engine.CacheBytes() > w.engineBytesMax {
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
func (w *worker) live() bool { return w.last.Sequence >= w.reader.LastAtOpen() }

// dueAt is when to commit what is open.
func (w *worker) dueAt() time.Time {
	switch {
	case !w.live():
		return w.openSince.Add(OpenCatchUpMax)
	case w.asked:
		return w.reportedAt.Add(openMin)
	default:
		return w.openSince.Add(openLiveMax)
	}
}

// flushEvery bounds what a crash takes from memory, and so what a start has to apply again before it comes
// to what is new. The partitions flush one after the other: all at once would stop what they are for.
const flushEvery = 5 * time.Second

// say publishes what the engine said about m, before it is durable: a replay makes the
// same outputs with the same ordinals, and the publisher knows which are out.
func (w *worker) say(ctx context.Context, f *Fetch, m *Message) error {
	outputs := w.engine.Outputs()
	if len(outputs) == 0 {
		return nil
	}
	for i := range outputs {
		o, err := w.encoder.encode(&outputs[i], f, m)
		if err != nil {
			return err
		}
		w.counts.output(&outputs[i])
		w.pending, w.said = append(w.pending, o), o.Ordinal
		if err := w.publisher.Publish(ctx, o); err != nil {
			return err
		}
	}
	w.engine.ClearOutputs()
	return nil
}

// commit writes all that changed, what may not be published yet, and the position, in
// one batch.
func (w *worker) commit() error {
	began := time.Now()
	b := w.batch
	b.Reset()
	if err := w.engine.Flush(b); err != nil {
		return err
	}
	w.last.Rejected = w.publisher.RejectedSeen() // before Acked: what is not seen is not acked
	acked := w.publisher.Acked()
	for i := range w.pending {
		o := &w.pending[i]
		if o.Ordinal <= acked {
			continue
		}
		w.scratch = AppendOutput(w.scratch[:0], o)
		if err := b.PutOutput(o.Ordinal, w.scratch); err != nil {
			return err
		}
		w.stored = o.Ordinal
	}
	clear(w.pending)
	w.pending = w.pending[:0]
	if err := b.DeleteOutputs(acked); err != nil {
		return err
	}
	if w.stored <= acked {
		w.stored = 0
	}
	if err := b.SetPosition(w.last); err != nil {
		return err
	}
	if err := w.db.Commit(b); err != nil {
		return err
	}
	w.engine.Committed()
	if now := time.Now(); now.Sub(w.flushedAt) >= flushEvery {
		w.flushedAt = now
		if err := w.db.BeginFlush(); err != nil {
			return err
		}
	}
	w.open = 0
	w.counts.moveTo(w.tally)
	w.stages.committed(began)
	w.report()
	return nil
}

// report tells how far the partition is.
func (w *worker) report() {
	w.asked, w.reportedAt = false, time.Now()
	w.progress.set(func(p *progress) {
		p.status = engine.Status{
			Watermark: w.engine.Watermark(),
			Sequence:  w.last.Sequence,
			Counters:  w.engine.Counters(),
			Standing:  w.engine.Standing(),
		}
		p.said = w.said
		p.logTime = w.last.LogTime
		p.caches = w.engine.Caches()
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
	if w.batch != nil {
		errs = append(errs, w.batch.Close())
	}
	return errors.Join(append(errs, w.db.Close())...)
}
