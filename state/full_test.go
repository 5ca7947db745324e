package state

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A flush that finds the disk full waits for DiskFull, and then goes on.
func TestAFullDiskIsGivenARest(t *testing.T) {
	disk := &fullFS{FS: vfs.NewMem()}
	rests := 0
	options := Options{FS: disk, DiskFull: func() {
		if rests++; rests == 3 {
			disk.full.Store(false)
		}
	}}
	db := openOne(t, options)
	b := db.NewBatch()
	defer b.Close()
	must(t, b.Set([]byte("key"), []byte("value")))
	must(t, db.Commit(b))
	disk.full.Store(true)
	must(t, db.Flush())
	if refused := disk.refused.Load(); rests != 3 || refused > 6 {
		t.Errorf("%d rests and %d writes to the full disk, want 3 and two each at most", rests, refused)
	}
}

// fullFS has no space for tables while it is full.
type fullFS struct {
	vfs.FS
	full    atomic.Bool
	refused atomic.Int64
}

func (fs *fullFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if fs.full.Load() && strings.HasSuffix(name, ".sst") {
		fs.refused.Add(1)
		return nil, syscall.ENOSPC
	}
	return fs.FS.Create(name, category)
}

// stuck is a partition on a disk that is full, with a commit that waits for it; made lets it have space again.
func stuck(t *testing.T, closeMax time.Duration) (db *DB, committed <-chan error, made func()) {
	t.Helper()
	disk, space := &fullFS{FS: vfs.NewMem()}, make(chan struct{})
	db = openOne(t, Options{FS: disk, CacheBytes: 1 << 20, CloseMax: closeMax, DiskFull: func() { <-space }})
	if err := db.Trouble(); err != nil {
		t.Fatalf("a sound disk: %v", err)
	}
	disk.full.Store(true)
	done := make(chan error, 1)
	go func() {
		for n := 0; ; n++ { // until the memtables are full
			b := db.NewBatch()
			err := errors.Join(b.Set(fmt.Append(nil, "key", n), bytes.Repeat([]byte("v"), 64<<10)), db.Commit(b))
			if err = errors.Join(err, b.Close()); err != nil {
				done <- err
				return
			}
		}
	}()
	for db.waiting.Load() == 0 || disk.refused.Load() == 0 || db.trouble(time.Now().Add(time.Hour)) == nil {
		runtime.Gosched()
	}
	return db, done, func() {
		disk.full.Store(false)
		close(space)
	}
}

// TestATroubledDiskIsSaid: that it is full, and, once that is some seconds ago, for how long a commit has waited.
func TestATroubledDiskIsSaid(t *testing.T) {
	db, committed, made := stuck(t, time.Minute)
	if err := db.Trouble(); err == nil || !strings.Contains(err.Error(), "no space is left under") {
		t.Errorf("on a full disk: %v", err)
	}
	for db.waiting.Load() == 0 {
		runtime.Gosched()
	}
	since := time.Unix(0, db.waiting.Load())
	if err := db.trouble(since.Add(90 * time.Second)); err == nil || !strings.Contains(err.Error(), "has taken nothing for 1m30s") {
		t.Errorf("after 90 s: %v", err)
	}
	db.GiveUp()
	if err := <-committed; !errors.Is(err, errGivenUp) {
		t.Errorf("the commit was given up with %v", err)
	}
	if err := db.Close(); !errors.Is(err, errGivenUp) {
		t.Errorf("closed with %v", err)
	}
	made()
}

// TestCloseEndsOnAFullDisk, after the time that it may take.
func TestCloseEndsOnAFullDisk(t *testing.T) {
	disk, space := &fullFS{FS: vfs.NewMem()}, make(chan struct{})
	db := openOne(t, Options{FS: disk, CloseMax: 10 * time.Millisecond, DiskFull: func() { <-space }})
	b := db.NewBatch()
	must(t, b.Set([]byte("key"), []byte("value")))
	must(t, db.Commit(b))
	must(t, b.Close())
	disk.full.Store(true)
	if err := db.Close(); !errors.Is(err, errGivenUp) {
		t.Errorf("closed with %v", err)
	}
	disk.full.Store(false)
	close(space)
}
