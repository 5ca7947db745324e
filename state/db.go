package state

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// ErrClosed says that a folder or partition was closed before the call.
var ErrClosed = errors.New("closed")

// DB is one partition's state. One goroutine owns it and calls its methods;
// only [DB.Snapshot] and [DB.Metrics] may be called from others.
//
// Guarantees, which tests cite by number:
//
//  1. After Commit of a batch returns, Get and Scan see all of it.
//  2. After a crash the DB holds exactly what it held at some batch boundary,
//     with the position of that boundary.
//  3. After Flush or Close returns, that boundary is not before the last batch
//     committed before the call.
type DB struct {
	folder    *Folder
	partition int
	pebble    *pebble.DB

	// held keeps the value that Get returned last alive until the next call.
	held io.Closer
	// scratch is for keys with their space's byte in front.
	scratch []byte
	outbox  outbox // the committed one
	// stalls are the commits that had to wait for Pebble, and for how many ns; the owner
	// adds, Metrics reads.
	stalls, stalled atomic.Int64

	waiting atomic.Int64  // since when a commit is under way, in Unix ns; 0: none is
	givenUp chan struct{} // closed: who waits for the disk is to wait no longer
	giveUp  sync.Once

	// flushed is closed when the last flush that BeginFlush began has ended.
	flushed <-chan struct{}

	// mu guards closed; snapshots counts those open. Close sets closed, then
	// waits for them.
	mu        sync.Mutex
	closed    bool
	snapshots sync.WaitGroup
}

func openDB(f *Folder, p int) (*DB, error) {
	dir := f.partitionDir(p)
	if err := mkdirAllSynced(f.options.FS, dir); err != nil {
		return nil, err
	}
	kv, err := pebble.Open(dir, f.pebbleOptions())
	if err != nil {
		return nil, fmt.Errorf("%w: if its files are damaged, delete %s and let the log be applied again", err, dir)
	}
	none := make(chan struct{})
	close(none)
	db := &DB{folder: f, partition: p, pebble: kv, flushed: none, givenUp: make(chan struct{})}
	if err := errors.Join(db.checkIdentity(), db.findOutbox()); err != nil {
		return nil, errors.Join(err, kv.Close())
	}
	return db, nil
}

// checkIdentity compares the stored identity with this partition's and stores it in
// an empty DB.
func (db *DB) checkIdentity() error {
	want := identity{partitionFormat, uint32(db.partition), uint32(db.folder.options.Partitions)}
	stored, closer, err := db.pebble.Get(keyIdentity)
	if errors.Is(err, pebble.ErrNotFound) {
		if err := db.pebble.Set(keyIdentity, want.append(nil), pebble.NoSync); err != nil {
			return err
		}
		return db.Flush()
	}
	if err != nil {
		return err
	}
	return errors.Join(want.check(stored), closer.Close())
}

// Partition returns the partition's number.
func (db *DB) Partition() int { return db.partition }

// Get returns the value of an engine key, or nil where there is none. The slice is
// the DB's and good until the next call of any method.
func (db *DB) Get(key []byte) ([]byte, error) {
	if err := db.release(); err != nil {
		return nil, err
	}
	db.scratch = append(append(db.scratch[:0], spaceEngine), key...)
	value, closer, err := db.pebble.Get(db.scratch)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, db.failed("get a key", err)
	}
	db.held = closer
	if value == nil {
		value = []byte{} // there is one, and it is empty
	}
	return value, nil
}

// Scan calls yield for each engine key in [lower, upper), in order, until yield
// returns false. Both slices are good until yield returns. An empty lower starts
// at the first key, an empty upper goes on to the last. Yield must not change the DB.
func (db *DB) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	if err := db.release(); err != nil {
		return err
	}
	if err := scanEngine(db.pebble, lower, upper, yield); err != nil {
		return db.failed("scan", err)
	}
	return nil
}

// Position returns the position of the last committed batch; false where no batch
// had one yet.
func (db *DB) Position() (Position, bool, error) {
	p, ok, err := readPosition(db.pebble)
	if err != nil {
		return p, ok, db.failed("read the position", err)
	}
	return p, ok, nil
}

// Outputs calls yield for each output that is still in the outbox, in order of
// ordinals, until yield returns false. The value is good until yield returns.
func (db *DB) Outputs(yield func(ordinal uint64, value []byte) bool) error {
	if err := scanOutbox(db.pebble, yield); err != nil {
		return db.failed("read the outbox", err)
	}
	return nil
}

// findOutbox sets the outbox's bounds from what is stored.
func (db *DB) findOutbox() error {
	db.outbox = outbox{1, 0}
	return scanOutbox(db.pebble, func(ordinal uint64, _ []byte) bool {
		if db.outbox.first > db.outbox.last {
			db.outbox.first = ordinal
		}
		db.outbox.last = ordinal
		return true
	})
}

// Commit applies b: all of it or, after a crash, none. The batch can be used again
// after [Batch.Reset]. An error is fatal for the partition: close it.
func (db *DB) Commit(b *Batch) error {
	_, err := db.BeginCommit(b)(true)
	return err
}

// Landing reports whether a batch is committed, and any error of that; with wait it returns
// no earlier. It is for the owner of the DB.
type Landing func(wait bool) (landed bool, err error)

// BeginCommit begins to Commit b and does not wait for it. Until it has landed, Get and Scan may see b or not, and
// the owner neither changes b nor commits, flushes or closes.
func (db *DB) BeginCommit(b *Batch) Landing {
	var err error
	landed := make(chan struct{})
	go func() {
		defer close(landed)
		err = db.apply(b)
	}()
	return func(wait bool) (bool, error) {
		if !wait {
			select {
			case <-landed:
			default:
				return false, nil
			}
		}
		select {
		case <-landed:
		case <-db.givenUp:
			b.stuck = true
			return false, db.failed("commit", errGivenUp)
		}
		if err == nil {
			db.outbox = b.outbox
		}
		return true, err
	}
}

func (db *DB) apply(b *Batch) error {
	if b.db != db {
		return db.failed("commit", errors.New("the batch is another partition's"))
	}
	db.waiting.Store(time.Now().UnixNano())
	defer db.waiting.Store(0)
	if err := b.pebble.Commit(pebble.NoSync); err != nil {
		return db.failed("commit", err)
	}
	stats := b.pebble.CommitStats()
	if waited := stats.MemTableWriteStallDuration + stats.L0ReadAmpWriteStallDuration; waited > 0 {
		db.stalls.Add(1)
		db.stalled.Add(int64(waited))
	}
	return nil
}

// Flush makes everything that is committed durable and returns when it is.
func (db *DB) Flush() error {
	if err := db.pebble.Flush(); err != nil {
		return db.failed("flush", err)
	}
	return nil
}

// BeginFlush begins to make durable what is committed so far, and does not wait for it; it does nothing while
// an earlier one goes on. It bounds by time what a crash takes, which the size of a memtable does not.
func (db *DB) BeginFlush() error {
	select {
	case <-db.flushed:
	default:
		return nil
	}
	flushed, err := db.pebble.AsyncFlush()
	if err != nil {
		return db.failed("flush", err)
	}
	db.flushed = flushed
	return nil
}

// errGivenUp is what becomes of a commit or a close that waits for the disk in vain.
var errGivenUp = errors.New("the disk took nothing, and was given up: what is missing is applied again at the next start")

// GiveUp lets who waits for the disk, in Commit or Close, wait no longer, but with an error. The DB is of no more use
// then but to be closed, and what Pebble has under way may go on until the process ends. Any goroutine may call it.
func (db *DB) GiveUp() { db.giveUp.Do(func() { close(db.givenUp) }) }

// Trouble says why nothing gets to the disk, if it has not for a while; it goes on by itself where it can. Any goroutine
// may ask.
func (db *DB) Trouble() error { return db.trouble(time.Now()) }

// How long a commit may take, and how long after the disk was found full it is said to be: it is tried again each second.
const (
	waitMax     = 10 * time.Second
	fullSeenMax = 5 * time.Second
)

func (db *DB) trouble(now time.Time) error {
	full := now.Sub(time.Unix(0, db.folder.fullAt.Load())) < fullSeenMax
	since := db.waiting.Load()
	waited := now.Sub(time.Unix(0, since)).Round(time.Second)
	switch {
	case full:
		return db.failed("write", fmt.Errorf("no space is left under %s: make room, and it goes on by itself", db.folder.dir))
	case since > 0 && waited > waitMax:
		return db.failed("commit", fmt.Errorf("the disk under %s has taken nothing for %v: see whether it is well", db.folder.dir, waited))
	}
	return nil
}

// Close flushes, waits until all snapshots are closed, and closes the partition. Where the disk takes nothing it
// waits for Options.CloseMax, or until GiveUp, and fails.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	db.mu.Unlock()

	err := db.release()
	closed := make(chan error, 1)
	go func() {
		err := db.Flush()
		db.snapshots.Wait()
		closed <- errors.Join(err, db.pebble.Close())
	}()
	patience := time.NewTimer(db.folder.options.CloseMax)
	defer patience.Stop()
	select {
	case last := <-closed:
		err = errors.Join(err, last)
	case <-patience.C:
		err = errors.Join(err, db.failed("close", errGivenUp))
	case <-db.givenUp:
		err = errors.Join(err, db.failed("close", errGivenUp))
	}

	db.folder.mu.Lock()
	delete(db.folder.open, db.partition)
	db.folder.mu.Unlock()
	return err
}

func (db *DB) release() error {
	if db.held == nil {
		return nil
	}
	closer := db.held
	db.held = nil
	return closer.Close()
}

func (db *DB) failed(what string, err error) error {
	return fmt.Errorf("state of partition %d: %s: %w", db.partition, what, err)
}

// Metrics are figures of one partition's storage. Counts are since it was opened.
type Metrics struct {
	DiskBytes           uint64 // of all files
	MemTableBytes       uint64
	L0Tables            int64  // flushed and not compacted yet
	ReadAmplification   int    // tables that a read may have to look into
	CompactionDebtBytes uint64 // estimate of what is to be compacted
	Flushes             int64
	Compactions         int64
	WrittenBytes        uint64        // to tables, by both
	Stalls              int64         // commits that had to wait until a flush or a compaction was done
	Stalled             time.Duration // for how long they did

	// Of the block cache that all partitions share.
	CacheHits   int64
	CacheMisses int64
	CacheBytes  int64
}

// Metrics returns the partition's figures; zero after it is closed. Any goroutine
// may call it.
func (db *DB) Metrics() Metrics {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return Metrics{}
	}
	m := db.pebble.Metrics()
	written := uint64(0)
	for i := range m.Levels {
		written += m.Levels[i].TableBytesFlushed + m.Levels[i].TableBytesCompacted
	}
	return Metrics{
		DiskBytes:           m.DiskSpaceUsage(),
		MemTableBytes:       m.MemTable.Size,
		L0Tables:            m.Levels[0].TablesCount,
		ReadAmplification:   m.ReadAmp(),
		CompactionDebtBytes: m.Compact.EstimatedDebt,
		Flushes:             m.Flush.Count,
		Compactions:         m.Compact.Count,
		WrittenBytes:        written,
		Stalls:              db.stalls.Load(),
		Stalled:             time.Duration(db.stalled.Load()),
		CacheHits:           m.BlockCache.Hits,
		CacheMisses:         m.BlockCache.Misses,
		CacheBytes:          m.BlockCache.Size,
	}
}
