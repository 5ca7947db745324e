package reference

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// Recording is what holdfast would write for what the streams held, batch by batch, in files.
type Recording struct {
	Dir        string `json:"dir"` // a file a partition
	Partitions int    `json:"partitions"`
	CacheBytes int64  `json:"cache_bytes"` // of Pebble
	Deltas     uint64 `json:"deltas"`      // read, whatever became of each
	Batches    uint64 `json:"batches"`
	Operations uint64 `json:"operations"` // keys set or deleted
	Bytes      uint64 `json:"bytes"`      // of keys and values
}

// Record applies all that the partitions' streams hold, as a processor with the default memory does, and
// writes what it commits to files in dir, beside a state folder that it removes again. What the engine says
// is thrown away, so the outbox is not part of it.
func Record(ctx context.Context, nc *nats.Conn, t stream.Topology, dir string) (recording Recording, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return recording, err
	}
	recording = Recording{Dir: dir, Partitions: t.Partitions, CacheBytes: stream.CacheBytesDefault / 2}
	stateDir := filepath.Join(dir, "state")
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return recording, err
	}
	folder, err := openFolder(stateDir, recording)
	if err != nil {
		return recording, err
	}
	defer func() { err = errors.Join(err, folder.Close(), os.RemoveAll(stateDir)) }()
	recorders, errs := make([]recorder, t.Partitions), make([]error, t.Partitions)
	var recordings sync.WaitGroup
	for p := range recorders {
		recordings.Go(func() {
			if err := recorders[p].run(ctx, js, t, folder, p, recording.file(p)); err != nil {
				errs[p] = fmt.Errorf("record partition %d: %w", p, err)
			}
		})
	}
	recordings.Wait()
	for i := range recorders {
		r := &recorders[i]
		recording.Deltas += r.deltas
		recording.Batches += r.batches
		recording.Operations += r.log.operations
		recording.Bytes += r.log.bytes
	}
	return recording, errors.Join(errs...)
}

func (r *Recording) file(p int) string { return filepath.Join(r.Dir, fmt.Sprintf("%04d.batches", p)) }

func openFolder(dir string, r Recording) (*state.Folder, error) {
	return state.OpenFolder(dir, state.Options{Partitions: r.Partitions, Prefix: "reference", CacheBytes: r.CacheBytes})
}

// recorder is one partition's worker without its outputs. It is the engine's writer: what the engine
// writes goes to the log too.
type recorder struct {
	*state.Batch
	db     *state.DB
	engine *engine.Engine
	log    batchLog

	engineBytesMax int64
	open           int // deltas applied since the last commit
	openSince      time.Time

	deltas, batches uint64
}

func (r *recorder) run(ctx context.Context, js jetstream.JetStream, t stream.Topology, folder *state.Folder, p int, file string) (err error) {
	if r.db, err = folder.OpenPartition(p); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.db.Close()) }()
	r.Batch = r.db.NewBatch()
	defer func() { err = errors.Join(err, r.Batch.Close()) }()
	config := engine.Config{Partition: p, Partitions: t.Partitions}
	config.CacheBytes, config.DedupeBytes = stream.EngineMemory(stream.CacheBytesDefault, t.Partitions)
	r.engineBytesMax = config.CacheBytes * 3 / 2
	if r.engine, err = engine.New(config, r.db); err != nil {
		return err
	}
	if err := r.log.create(file); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.log.close()) }()
	reader, err := stream.Open(ctx, js, t, p, state.Position{}, stream.Bounds{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	if err := eachFetch(ctx, reader, r.apply); err != nil || r.open == 0 {
		return err
	}
	return r.commit()
}

func (r *recorder) apply(f *stream.Fetch) error {
	bad := f.Batch.Bad
	for i := range f.Messages {
		m := &f.Messages[i]
		for index := range m.Count {
			at := engine.At{Sequence: m.Sequence, Index: index, LogTime: m.Time}
			if len(bad) > 0 && bad[0].Index == m.First+index {
				r.engine.Reject(at, bad[0].Err)
				bad = bad[1:]
			} else if _, err := r.engine.Apply(at, &f.Batch.Deltas[m.First+index]); err != nil {
				return err
			}
		}
		r.engine.ClearOutputs()
	}
	if r.open == 0 {
		r.openSince = time.Now()
	}
	r.open += len(f.Batch.Deltas)
	r.deltas += uint64(len(f.Batch.Deltas))
	if r.open >= stream.OpenDeltasMax || r.engine.CacheBytes() > r.engineBytesMax || time.Since(r.openSince) >= stream.OpenCatchUpMax {
		return r.commit()
	}
	return nil
}

func (r *recorder) commit() error {
	r.Batch.Reset()
	if err := r.engine.Flush(r); err != nil {
		return err
	}
	r.batches++
	if err := r.log.commit(); err != nil {
		return err
	}
	if err := r.SetPosition(state.Position{Sequence: r.batches}); err != nil {
		return err
	}
	if err := r.db.Commit(r.Batch); err != nil {
		return err
	}
	r.engine.Committed()
	r.open = 0
	return nil
}

// Set, Delete and DeleteRange are the engine's.
func (r *recorder) Set(key, value []byte) error {
	return errors.Join(r.log.add(opSet, key, value), r.Batch.Set(key, value))
}

func (r *recorder) Delete(key []byte) error {
	return errors.Join(r.log.add(opDelete, key, nil), r.Batch.Delete(key))
}

func (r *recorder) DeleteRange(lower, upper []byte) error {
	return errors.Join(r.log.add(opDeleteRange, lower, upper), r.Batch.DeleteRange(lower, upper))
}
