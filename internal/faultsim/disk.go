package faultsim

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// disk is what one owner keeps its state on. It can be slow (what is to be synced waits), full (tables are
// not written), and failing (a read or a commit gives an error).
type disk struct {
	mem *vfs.MemFS

	mu       sync.Mutex
	full     chan struct{} // no table is written until it is closed; nil: there is space
	held     chan struct{} // syncs wait until it is closed; nil: they don't
	heldFrom int           // after so many more syncs
	waiting  chan struct{} // of capacity 1: a sync began to wait

	failIn int // calls of the store until one fails; 0: none does
}

func newDisk(mem *vfs.MemFS) *disk { return &disk{mem: mem, waiting: make(chan struct{}, 1)} }

// after returns the disk that a crash leaves: all that was synced, and a share of the rest, in percent.
func (d *disk) after(unsyncedPercent int, rng *rand.Rand) *disk {
	return newDisk(d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsyncedPercent, RNG: rng}))
}

// hinder makes syncs wait, but for so many first.
func (d *disk) hinder(after int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held == nil {
		d.held, d.heldFrom = make(chan struct{}), after
	}
}

func (d *disk) fill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full == nil {
		d.full = make(chan struct{})
	}
}

// awaitSpace returns once there is space.
func (d *disk) awaitSpace() {
	d.mu.Lock()
	full := d.full
	d.mu.Unlock()
	if full != nil {
		<-full
	}
}

// mend makes the disk sound again.
func (d *disk) mend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failIn = 0
	if d.full != nil {
		close(d.full)
		d.full = nil
	}
	if d.held != nil {
		close(d.held)
		d.held = nil
	}
}

// sound reports whether what is begun will be done.
func (d *disk) sound() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.full == nil && d.held == nil
}

// sync waits where syncs are held up.
func (d *disk) sync() {
	d.mu.Lock()
	held := d.held
	if held != nil && d.heldFrom > 0 {
		d.heldFrom--
		held = nil
	}
	d.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case d.waiting <- struct{}{}:
	default:
	}
	<-held
}

func (d *disk) isFull() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.full != nil
}

// files is the file system of a disk.
type files struct {
	vfs.FS
	disk *disk
}

func (f files) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	// Tables are what fills a disk. Pebble gives up where it cannot write to its manifest; that is a
	// crash like any other.
	table := strings.HasSuffix(filepath.Base(name), ".sst")
	if table && f.disk.isFull() {
		return nil, syscall.ENOSPC
	}
	file, err := f.FS.Create(name, category)
	return openFile{file, f.disk}, err
}

func (f files) OpenDir(name string) (vfs.File, error) {
	dir, err := f.FS.OpenDir(name)
	return openFile{dir, f.disk}, err
}

// openFile is a file whose syncs may have to wait.
type openFile struct {
	vfs.File
	disk *disk
}

func (f openFile) Sync() error     { f.disk.sync(); return f.File.Sync() }
func (f openFile) SyncData() error { f.disk.sync(); return f.File.SyncData() }

// errDisk is what a failing disk gives.
var errDisk = errors.New("the disk gives an error")

// fails counts a call of the store.
func (d *disk) fails() error {
	if d.failIn == 0 {
		return nil
	}
	if d.failIn--; d.failIn == 0 {
		return errDisk
	}
	return nil
}

// store is a partition's state on a disk.
type store struct {
	*state.DB
	disk *disk
}

var _ stream.Store = store{}

func (s store) Get(key []byte) ([]byte, error) {
	if err := s.disk.fails(); err != nil {
		return nil, err
	}
	return s.DB.Get(key)
}

func (s store) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	if err := s.disk.fails(); err != nil {
		return err
	}
	return s.DB.Scan(lower, upper, yield)
}

func (s store) Commit(b *state.Batch) error {
	if err := s.disk.fails(); err != nil {
		return err
	}
	return s.DB.Commit(b)
}

// BeginCommit commits when the batch is looked after for the second time, or waited for.
func (s store) BeginCommit(b *state.Batch) state.Landing {
	looks := 0
	return func(wait bool) (bool, error) {
		if looks++; looks < 2 && !wait {
			return false, nil
		}
		return true, s.Commit(b)
	}
}

// BeginFlush is the DB's. It waits where nothing is in the way, so that what a crash leaves behind does not
// depend on how fast a goroutine of Pebble's is.
func (s store) BeginFlush() error {
	if err := s.disk.fails(); err != nil {
		return err
	}
	if err := s.DB.BeginFlush(); err != nil || !s.disk.sound() {
		return err
	}
	return s.DB.Flush()
}
