package state

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

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
