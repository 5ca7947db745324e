package state

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestMetricsTellOfFlushes(t *testing.T) {
	db := openOne(t, Options{})
	before := db.Metrics()
	commit(t, db, func(b *Batch) { must(t, b.Set([]byte("a"), make([]byte, 10_000))) })
	must(t, db.Flush())
	after := db.Metrics()
	if after.Flushes != before.Flushes+1 || after.L0Tables == 0 || after.ReadAmplification == 0 || after.WrittenBytes <= before.WrittenBytes || after.DiskBytes <= before.DiskBytes {
		t.Errorf("before a flush %+v, after it %+v", before, after)
	}
	if after.Stalls != 0 || after.Stalled != 0 {
		t.Errorf("nothing had to wait: %+v", after)
	}
}

// TestMetricsTellOfStalls: where tables can't be written, commits wait once two memtables are full, and are
// counted when they have waited.
func TestMetricsTellOfStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := &stuckFS{FS: vfs.NewMem()}
		db := openOne(t, Options{FS: fs, CacheBytes: 1 << 20})
		stuck := make(chan struct{})
		fs.stuck = stuck
		done := make(chan struct{})
		go func() {
			defer close(done)
			// Random values, so that their tables are not next to nothing.
			random := rand.NewChaCha8([32]byte{})
			for i := range 3 * 2 * memTableBytesMin / 10_000 {
				value := make([]byte, 10_000)
				_, _ = random.Read(value)
				commit(t, db, func(b *Batch) { must(t, b.Set(binary.BigEndian.AppendUint64(nil, uint64(i)), value)) })
			}
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Error("no commit waited")
		default:
		}
		const wait = time.Minute
		time.Sleep(wait) // of the bubble's time
		close(stuck)
		<-done
		if m := db.Metrics(); m.Stalls == 0 || m.Stalled < wait {
			t.Errorf("a commit waited for %v: %+v", wait, m)
		}
	})
}

// stuckFS creates no table before stuck is closed.
type stuckFS struct {
	vfs.FS
	stuck chan struct{}
}

func (fs *stuckFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if fs.stuck != nil && strings.HasSuffix(name, ".sst") {
		<-fs.stuck
	}
	return fs.FS.Create(name, category)
}
