package backtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// cacheBytes is memory for each of the two runs of a partition.
const cacheBytes = 64 << 20

// Report is what two runs over the same logs came to.
type Report struct {
	Policy   string   `json:"policy"` // its version
	Messages uint64   `json:"messages"`
	Missing  []string `json:"missing"` // what is not in the logs any more
	Rows     []Row    `json:"rows"`    // by class and channel
}

// Row compares what was done about one class on one channel with what the policy would have done.
type Row struct {
	Class   string  `json:"class"`
	Channel string  `json:"channel"` // "" for exceptions that concern none
	Was     Figures `json:"was"`
	Would   Figures `json:"would_be"`
}

// Figures count what is done about one class on one channel.
type Figures struct {
	Exceptions    int     `json:"exceptions"` // opened
	Awaiting      int     `json:"awaiting_approval"`
	Holds         int     `json:"holds"` // without renewals
	Throttles     int     `json:"throttles"`
	Releases      int     `json:"releases"`
	HeldHours     float64 `json:"held_hours"`      // of SKUs and locations, up to the end of the log
	HeldUnitHours float64 `json:"held_unit_hours"` // the same times what could be promised as the hold began
}

// Run applies the logs of every partition. progress hears of messages that are done.
func Run(ctx context.Context, js jetstream.JetStream, t stream.Topology, p *policy.Policy, progress func(messages uint64)) (Report, error) {
	report := Report{Policy: p.Version, Missing: []string{}}
	was, would := newTally(), newTally()
	for partition := range t.Partitions {
		messages, missing, err := runPartition(ctx, js, t, partition, p, was, would, progress)
		if err != nil {
			return report, fmt.Errorf("partition %d: %w", partition, err)
		}
		report.Messages += messages
		if missing != "" {
			report.Missing = append(report.Missing, missing)
		}
	}
	report.Rows = rows(was, would)
	return report, nil
}

func runPartition(ctx context.Context, js jetstream.JetStream, t stream.Topology, partition int, p *policy.Policy, was, would *tally, progress func(uint64)) (messages uint64, missing string, err error) {
	s, err := js.Stream(ctx, t.DeltaStream(partition))
	if err != nil {
		return 0, "", fmt.Errorf("look at its log: %w", err)
	}
	log := s.CachedInfo().State
	if log.Msgs == 0 {
		return 0, "", nil
	}
	if log.FirstSeq > 1 {
		missing = fmt.Sprintf("the log of partition %d begins at message %d: what came before is not kept, and stock that was counted before is not known", partition, log.FirstSeq)
	}
	reader, err := stream.Open(ctx, js, t, partition, state.Position{Sequence: log.FirstSeq - 1}, stream.Bounds{})
	if err != nil {
		return 0, missing, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	runs := make([]*run, 0, 2)
	defer func() {
		for _, r := range runs {
			err = errors.Join(err, r.close())
		}
	}()
	for _, c := range []struct {
		config engine.Config
		tally  *tally
	}{{engine.Config{}, was}, {engine.Config{Policy: p, PolicyFixed: true}, would}} {
		r, err := openRun(ctx, t, partition, c.config, c.tally)
		runs = append(runs, r)
		if err != nil {
			return 0, missing, err
		}
	}
	for at := log.FirstSeq - 1; at < log.LastSeq; {
		fetch, err := reader.Next(ctx)
		if err != nil {
			return messages, missing, err
		}
		for _, r := range runs {
			if err := r.apply(ctx, fetch); err != nil {
				return messages, missing, err
			}
		}
		at = fetch.Messages[len(fetch.Messages)-1].Sequence
		messages += uint64(len(fetch.Messages))
		progress(uint64(len(fetch.Messages)))
		reader.Recycle(fetch)
	}
	for _, r := range runs {
		if err := r.end(); err != nil {
			return messages, missing, err
		}
	}
	return messages, missing, nil
}

// run is one partition under one policy, in memory.
type run struct {
	folder    *state.Folder
	db        *state.DB
	partition *stream.Partition
	voice     voice
}

func openRun(ctx context.Context, t stream.Topology, partition int, config engine.Config, tally *tally) (r *run, err error) {
	r = &run{voice: voice{tally: tally, held: map[place]hold{}, known: map[string]bool{}}}
	config.CacheBytes, config.DedupeBytes = stream.EngineMemory(cacheBytes, 1)
	if r.folder, err = state.OpenFolder("backtest", state.Options{
		Partitions: t.Partitions, Prefix: t.Prefix, CacheBytes: cacheBytes / 2, FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler),
	}); err != nil {
		return r, err
	}
	if r.db, err = r.folder.OpenPartition(partition); err != nil {
		return r, err
	}
	r.partition, err = stream.OpenPartition(ctx, stream.PartitionConfig{
		Topology: t, Partition: partition, Engine: config, Commands: codec.JSON, Log: noLog{},
		Speak: func(context.Context, stream.From) (stream.Speaker, error) { return &r.voice, nil },
	}, r.db)
	return r, err
}

func (r *run) apply(ctx context.Context, f *stream.Fetch) error {
	if err := r.partition.Apply(ctx, f); err != nil || !r.partition.Full() {
		return err
	}
	return r.partition.Commit()
}

// end counts what is held still, up to the last moment of event time.
func (r *run) end() error {
	if err := r.partition.Commit(); err != nil {
		return err
	}
	status, err := engine.ReadStatus(r.db)
	if err != nil {
		return err
	}
	for at, h := range r.voice.held {
		r.voice.tally.release(at, h, status.Watermark)
	}
	return nil
}

func (r *run) close() error {
	var errs []error
	if r.partition != nil {
		errs = append(errs, r.partition.Close())
	}
	if r.db != nil {
		errs = append(errs, r.db.Close())
	}
	if r.folder != nil {
		errs = append(errs, r.folder.Close())
	}
	return errors.Join(errs...)
}

// noLog is the log that a run is checked against, which begins from nothing.
type noLog struct{}

func (noLog) Ends(context.Context) (first, last uint64, err error) { return 1, 0, nil }

func (noLog) Message(context.Context, uint64) ([]byte, int64, bool, error) { return nil, 0, false, nil }
