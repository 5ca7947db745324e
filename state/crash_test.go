package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// history is a run of batches whose every boundary can be told from every other:
// after batch n, each of the keys holds n, the outbox holds n−2 to n, and just one
// marker is there.
type history struct {
	seed  uint64
	count uint64
}

const historyKeys = 8

func (h history) fill(t *testing.T, b *Batch, n uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(h.seed, n))
	for k := range historyKeys {
		// Of a size that fills memtables every few batches, and now and then is
		// too large for one.
		size := rng.IntN(8 << 10)
		if rng.IntN(16) == 0 {
			size += memTableBytesMin
		}
		must(t, b.Set(fmt.Appendf(nil, "key-%d", k), binary.BigEndian.AppendUint64(make([]byte, size), n)))
	}
	must(t, b.DeleteRange([]byte("marker-"), []byte("marker.")))
	must(t, b.Set(fmt.Appendf(nil, "marker-%d", n), nil))
	must(t, b.PutOutput(n, fmt.Appendf(nil, "%d", n)))
	if n > 3 {
		must(t, b.DeleteOutputs(n-3))
	}
	must(t, b.SetPosition(Position{Sequence: n, Fingerprint: n * 31}))
}

// check returns the boundary that db is at and fails where it is a mixture of two.
func (h history) check(t *testing.T, db *DB) uint64 {
	t.Helper()
	p, _, err := db.Position()
	must(t, err)
	n := p.Sequence
	if p.Fingerprint != n*31 {
		t.Fatalf("position %v is none of ours", p)
	}
	var want, got []string
	for k := 0; k < historyKeys && n > 0; k++ {
		want = append(want, fmt.Sprintf("key-%d=%d", k, n))
	}
	if n > 0 {
		want = append(want, fmt.Sprintf("marker-%d=0", n))
	}
	for i := max(n, 3) - 2; i <= n; i++ {
		want = append(want, fmt.Sprintf("output-%d=%d", i, i))
	}
	must(t, db.Scan(nil, nil, func(key, value []byte) bool {
		var v uint64
		if bytes.HasPrefix(key, []byte("key-")) {
			v = binary.BigEndian.Uint64(value[len(value)-8:])
		}
		got = append(got, fmt.Sprintf("%s=%d", key, v))
		return true
	}))
	must(t, db.Outputs(func(ordinal uint64, value []byte) bool {
		got = append(got, fmt.Sprintf("output-%d=%s", ordinal, value))
		return true
	}))
	expect(t, fmt.Sprintf("state at position %d", n), fmt.Sprint(got), fmt.Sprint(want))
	return n
}

// Guarantee 2: whatever a crash leaves on disk is some batch boundary. Guarantee 3:
// it is not before the last flush.
func TestCrashAtEveryBatch(t *testing.T) {
	for _, wal := range []bool{false, true} {
		for _, survives := range []int{0, 50} { // percent of what was not synced
			t.Run(fmt.Sprintf("wal=%v/unsynced=%d%%", wal, survives), func(t *testing.T) {
				crashAtEveryBatch(t, wal, survives)
			})
		}
	}
}

func crashAtEveryBatch(t *testing.T, wal bool, survivesPercent int) {
	h := history{seed: 1, count: 60}
	rng := rand.New(rand.NewPCG(h.seed, 0))
	disk := vfs.NewCrashableMem()
	options := Options{FS: disk, WAL: wal, CacheBytes: 1 << 20}
	db := openOne(t, options)
	b := db.NewBatch()
	defer b.Close()
	var flushed uint64
	boundaries := map[uint64]bool{}
	for n := uint64(1); n <= h.count; n++ {
		h.fill(t, b, n)
		must(t, db.Commit(b))
		b.Reset()
		if n%25 == 0 {
			must(t, db.Flush())
			flushed = n
		}
		crashed := options
		crashed.FS = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: survivesPercent, RNG: rng})
		t.Run(fmt.Sprintf("after=%d", n), func(t *testing.T) {
			found := h.check(t, openOne(t, crashed))
			boundaries[found] = true
			if found < flushed || found > n {
				t.Errorf("found position %d: want %d (flushed) to %d (committed)", found, flushed, n)
			}
		})
	}
	if len(boundaries) < 5 {
		t.Errorf("crashes left %d different boundaries: too few for the test to mean anything", len(boundaries))
	}
}

// What was committed before a flush began survives once that has ended, and the partition goes on meanwhile.
func TestABegunFlushOutlivesACrash(t *testing.T) {
	h := history{seed: 3, count: 12}
	disk := vfs.NewCrashableMem()
	options := Options{FS: disk, CacheBytes: 1 << 20}
	db := openOne(t, options)
	b := db.NewBatch()
	defer b.Close()
	for n := uint64(1); n <= h.count; n++ {
		h.fill(t, b, n)
		must(t, db.Commit(b))
		b.Reset()
		if n == 4 || n == 9 {
			<-db.flushed
			must(t, db.BeginFlush())
			must(t, db.BeginFlush()) // one at a time
		}
		if n == 10 {
			<-db.flushed
		}
	}
	options.FS = disk.CrashClone(vfs.CrashCloneCfg{})
	if found := h.check(t, openOne(t, options)); found < 9 {
		t.Errorf("after the crash the partition is at %d, want 9 at least", found)
	}
}

// A partition that crashed goes on where it was and ends like one that did not.
func TestReplayAfterACrashGivesTheSameState(t *testing.T) {
	h := history{seed: 2, count: 90}
	run := func(t *testing.T, fs vfs.FS, last uint64) string {
		db := openOne(t, Options{FS: fs, CacheBytes: 1 << 20})
		b := db.NewBatch()
		defer b.Close()
		for n := h.check(t, db) + 1; n <= last; n++ {
			h.fill(t, b, n)
			must(t, db.Commit(b))
			b.Reset()
		}
		digest, err := db.Digest()
		must(t, err)
		return digest
	}
	want := run(t, vfs.NewMem(), h.count)
	disk := vfs.NewCrashableMem()
	for _, last := range []uint64{1, 20, 21, 55, 80} {
		t.Run(fmt.Sprintf("until=%d", last), func(t *testing.T) {
			// Clone before the cleanup closes, and so flushes, what crashed.
			next := disk
			defer func() { disk = next }()
			run(t, disk, last)
			next = disk.CrashClone(vfs.CrashCloneCfg{})
		})
	}
	expect(t, "digest", run(t, disk, h.count), want)
}
