package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/holdfast-atp/holdfast/state"
)

// Pebble writes the recorded batches to databases in dir, with package state's options, a goroutine and a
// database a partition, as fast as they take them: the limit of everything that commits to Pebble what
// holdfast commits. It reads nothing back, though holdfast has to where its cache is too small.
func Pebble(ctx context.Context, r Recording, dir string) (took time.Duration, err error) {
	folder, err := openFolder(dir, r)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	replays := make([]replay, r.Partitions)
	defer func() {
		for i := range replays {
			err = errors.Join(err, replays[i].close())
		}
	}()
	for p := range replays {
		if err := replays[p].open(folder, p, r.file(p)); err != nil {
			return 0, fmt.Errorf("replay partition %d: %w", p, err)
		}
	}
	errs := make([]error, r.Partitions)
	var writing sync.WaitGroup
	start := time.Now()
	for p := range replays {
		writing.Go(func() { errs[p] = replays[p].write(ctx) })
	}
	writing.Wait()
	return time.Since(start), errors.Join(errs...)
}

// replay writes one partition's batches.
type replay struct {
	db      *state.DB
	batch   *state.Batch
	batches *batchReader
}

func (r *replay) open(folder *state.Folder, p int, file string) (err error) {
	if r.db, err = folder.OpenPartition(p); err != nil {
		return err
	}
	r.batch = r.db.NewBatch()
	r.batches, err = openBatches(file)
	return err
}

func (r *replay) write(ctx context.Context) error {
	for n := uint64(1); ; {
		last, err := r.batches.next(r.add)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if !last {
			continue
		}
		if err := r.batch.SetPosition(state.Position{Sequence: n}); err != nil {
			return err
		}
		if err := r.db.Commit(r.batch); err != nil {
			return err
		}
		r.batch.Reset()
		n++
	}
}

func (r *replay) add(op byte, key, value []byte) error {
	switch op {
	case opSet:
		return r.batch.Set(key, value)
	case opDelete:
		return r.batch.Delete(key)
	case opDeleteRange:
		return r.batch.DeleteRange(key, value)
	}
	return fmt.Errorf("recorded batches: operation %d is none", op)
}

func (r *replay) close() error {
	if r.db == nil {
		return nil
	}
	var errs []error
	if r.batches != nil {
		errs = append(errs, r.batches.close())
	}
	return errors.Join(append(errs, r.batch.Close(), r.db.Close())...)
}
