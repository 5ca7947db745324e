package dedupe

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const start inventory.Millis = 1_795_392_000_000

// fatal is what a testing.T and a rapid.T have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// world is a set with its store, flushed under rising sequences.
type world struct {
	*Set
	store     *enginetest.Store
	bytesMax  int64
	workLeast int // with each flush
	lateness  inventory.Millis
	sequence  uint64
}

func newWorld(t fatal, lateness inventory.Millis, bytesMax int64) *world {
	t.Helper()
	w := &world{store: enginetest.NewStore(), lateness: lateness, bytesMax: bytesMax, workLeast: workLeast}
	w.open(t, start)
	return w
}

func (w *world) open(t fatal, watermark inventory.Millis) {
	t.Helper()
	s, err := Open(w.store, w.lateness, watermark, w.bytesMax)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	s.workLeast = w.workLeast
	w.Set = s
}

// flush returns how many bytes were written.
func (w *world) flush(t fatal) int {
	t.Helper()
	w.sequence++
	batch := counted{Batch: w.store.Batch()}
	if err := w.Flush(w.sequence, &batch); err != nil {
		t.Fatalf("flush: %v", err)
	}
	batch.Commit()
	return batch.bytes
}

type counted struct {
	*enginetest.Batch
	bytes int
}

func (c *counted) Set(key, value []byte) error {
	c.bytes += len(value)
	return c.Batch.Set(key, value)
}

func (w *world) known(t fatal, id ID, watermark inventory.Millis) bool {
	t.Helper()
	known, err := w.Known(id, watermark)
	if err != nil {
		t.Fatalf("known: %v", err)
	}
	return known
}

func (w *world) id(n int) ID {
	return w.Hash(&inventory.Delta{Source: "pos", ID: fmt.Sprint(n)})
}

// naive remembers the watermark at which each id was accepted last.
type naive map[int]inventory.Millis

func (n naive) knows(id int, watermark, lateness inventory.Millis) bool {
	at, found := n[id]
	quarter := max(1, lateness/4)
	return found && (at/quarter+1)*quarter > watermark-lateness
}

// TestSetEqualsANaiveOne: whatever is accepted when, in however little memory, after any flush and however
// often it is opened again, just those ids are known that were accepted and are not forgotten.
func TestSetEqualsANaiveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lateness := rapid.SampledFrom([]inventory.Millis{1, 3, 40, inventory.Hour}).Draw(t, "lateness")
		w := newWorld(t, lateness, 1024*rapid.Int64Range(1, 4).Draw(t, "KiB of tables"))
		w.workLeast = rapid.IntRange(1, 40).Draw(t, "work with each flush")
		w.open(t, start)
		all := naive{}
		watermark := start
		for range rapid.IntRange(1, 60).Draw(t, "batches") {
			for range rapid.IntRange(0, 30).Draw(t, "deltas") {
				watermark += inventory.Millis(rapid.Int64Range(0, 3).Draw(t, "on")) * max(1, lateness/40)
				n := rapid.IntRange(0, 400).Draw(t, "id")
				got, want := w.known(t, w.id(n), watermark), all.knows(n, watermark, lateness)
				if got != want {
					t.Fatalf("id %d at %d: known %v, want %v (accepted at %d)", n, watermark, got, want, all[n])
				}
				if !got {
					w.Add(w.id(n), watermark)
					all[n] = watermark
				}
			}
			w.flush(t)
			if rapid.IntRange(0, 3).Draw(t, "opened again") == 0 {
				w.open(t, watermark)
			}
			if rapid.IntRange(0, 9).Draw(t, "leap") == 0 {
				watermark += lateness * 3 / 2
			}
		}
		for n := range 410 {
			if got, want := w.known(t, w.id(n), watermark), all.knows(n, watermark, lateness); got != want {
				t.Fatalf("at last id %d: known %v, want %v", n, got, want)
			}
		}
	})
}

// TestMemoryAndStoreAreBounded: hundreds of thousands of ids go by; the tables stay within their bytes, the runs are
// few, no flush writes much, nothing is known that never came, nothing recent is forgotten, and the store lets go of what is.
func TestMemoryAndStoreAreBounded(t *testing.T) {
	const (
		lateness = inventory.Hour
		perSec   = 6
		batch    = 60
		bytesMax = 64 << 10 // two tables of 2048 homes: 1280 ids are a run
		live     = perSec * 3600 * 5 / 4
	)
	w := newWorld(t, lateness, bytesMax)
	w.workLeast = batch
	w.open(t, start)
	entriesMost, runsMost, level, writtenMost := 0, 0, 0, 0
	for i := range 4 * live {
		now := start + inventory.Millis(i/perSec)*inventory.Second
		if w.known(t, w.id(i), now) {
			t.Fatalf("id %d is known before it came", i)
		}
		w.Add(w.id(i), now)
		if old := i - perSec*3600; old >= 0 && i%7 == 0 && !w.known(t, w.id(old), now) {
			t.Fatalf("id %d is forgotten within the lateness", old)
		}
		if i%batch == batch-1 {
			writtenMost = max(writtenMost, w.flush(t))
			tables := []int{len(w.recent.slots), len(w.spare)}
			if w.frozen != nil {
				tables = append(tables, len(w.frozen.slots))
			}
			slots := 0
			for _, n := range tables {
				slots += max(0, n-behindMost-1)
			}
			if slots*slotBytes > bytesMax {
				t.Fatalf("the tables' homes take %d bytes of %d", slots*slotBytes, bytesMax)
			}
			entries := 0
			for _, r := range w.runs {
				entries += r.ids
				level = max(level, r.level)
			}
			entriesMost, runsMost = max(entriesMost, entries), max(runsMost, len(w.runs))
		}
	}
	if level != 2 {
		t.Errorf("runs were merged %d times, want twice", level)
	}
	if most := 3 * runsALevel; runsMost > most {
		t.Errorf("%d runs, want no more than %d", runsMost, most)
	}
	// Runs are dropped as a whole, the largest when they are as old as the others together.
	if most := 2*live + (runsALevel+1)*bytesMax/slotBytes; entriesMost > most {
		t.Errorf("the runs hold %d ids, want no more than %d", entriesMost, most)
	}
	// Of each id that is added a block, and, where both are going on, a share of a table and of a merge, with their filters.
	if most := 2 * batch * idBytes * (1 + slotsAnID + mergedAnID); writtenMost > most+2*chunkLines*lineBytes {
		t.Errorf("a flush wrote %d bytes, want no more than %d", writtenMost, most+2*chunkLines*lineBytes)
	}
	w.Add(w.id(-1), start+100*inventory.Hour)
	for range 100 {
		w.flush(t)
	}
	if left := strings.Count(w.store.Dump(), "\n"); left != 1 {
		t.Errorf("all but one id are forgotten, but %d keys are left", left)
	}
}

// TestHashesTellSourceAndIDApart.
func TestHashesTellSourceAndIDApart(t *testing.T) {
	w := newWorld(t, inventory.Hour, 1)
	seen := map[ID]string{}
	for _, d := range []inventory.Delta{
		{Source: "a", ID: "bc"}, {Source: "ab", ID: "c"}, {Source: "abc"}, {ID: "abc"}, {},
		{Source: "a", ID: "bc", SKU: "tea"},
	} {
		name := d.Source + "/" + d.ID
		if other, found := seen[w.Hash(&d)]; found && other != name {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[w.Hash(&d)] = name
		if w.Hash(&d) == (ID{}) {
			t.Errorf("%s has the hash of an empty slot", name)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d hashes, want 5: what else a delta says does not matter", len(seen))
	}
}

// TestABloomFilterMissesNothing, and lets little through.
func TestABloomFilterMissesNothing(t *testing.T) {
	w := newWorld(t, inventory.Hour, 1)
	const ids = 10000
	b := newBloom(ids)
	for i := range ids {
		b.add(w.id(i))
	}
	through := 0
	for i := range ids {
		if !b.may(w.id(i)) {
			t.Fatalf("id %d is missed", i)
		}
		if b.may(w.id(ids + i)) {
			through++
		}
	}
	if through > ids*3/1000 {
		t.Errorf("%d of %d others pass, want under 0.3 %% (0.1 %% by design)", through, ids)
	}
}

func TestABrokenBlockIsTold(t *testing.T) {
	w := newWorld(t, inventory.Hour, 1<<20)
	batch := w.store.Batch()
	if err := batch.Set(blockKey(nil, int64(start/w.epochSpan), 1), make([]byte, 17)); err != nil {
		t.Fatal(err)
	}
	batch.Commit()
	if _, err := Open(w.store, w.lateness, start, w.bytesMax); err == nil || !strings.Contains(err.Error(), "holds 17 bytes, not a multiple of 16") {
		t.Errorf("open: %v", err)
	}
}

func TestABrokenPageIsTold(t *testing.T) {
	w := newWorld(t, inventory.Hour, 64)
	for i := range 30 {
		w.Add(w.id(i), start)
	}
	w.flush(t)
	w.flush(t)
	if len(w.runs) != 1 {
		t.Fatalf("%d runs, want one", len(w.runs))
	}
	number := w.runs[0].number
	batch := w.store.Batch()
	if err := batch.DeleteRange(pageKey(nil, number, ID{}), pageKey(nil, number+1, ID{})); err != nil {
		t.Fatal(err)
	}
	if err := batch.Set(pageKey(nil, number, ID{^uint64(0), ^uint64(0)}), make([]byte, 25)); err != nil {
		t.Fatal(err)
	}
	batch.Commit()
	if _, err := w.Known(w.id(3), start); err == nil || !strings.Contains(err.Error(), "holds 25 bytes, not a multiple of 16") {
		t.Errorf("known: %v", err)
	}
}

func TestABrokenFilterIsTold(t *testing.T) {
	for _, c := range []struct {
		chunk       uint32
		value, want string
	}{
		{0, "\x02", "format 2, this program reads 1"},
		{0, "\x01\x00\x02\x00\x00\x00", "a filter of 0 lines"},
		{0, string(wire.AppendInt([]byte("\x01\x00\x02\x00\x00"), linesMost)), "chunk 1 of the filter of run 0 has 64 bytes"},
		{0, string(append(wire.AppendInt([]byte("\x01\x00"), int64(1)<<50), 0, 0, 2)), "ids in a filter of 1 lines"},
		{1, "short", "chunk 1 of the filter of run 0 has 5 bytes"},
	} {
		w := newWorld(t, inventory.Hour, 64)
		for i := range 30 {
			w.Add(w.id(i), start)
		}
		w.flush(t)
		w.flush(t)
		batch := w.store.Batch()
		if err := batch.Set(aboutKey(nil, w.runs[0].number, c.chunk), []byte(c.value)); err != nil {
			t.Fatal(err)
		}
		batch.Commit()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Open(w.store, w.lateness, start, w.bytesMax); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("open: %v, want %s", err, c.want)
		}
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 16<<20 {
			t.Errorf("%s: to find it took %d bytes", c.want, after.TotalAlloc-before.TotalAlloc)
		}
	}
}

// FuzzOpen: any bytes as what is known of a run, as its filter, as a page of it and as a block are refused, or gone on with,
// in memory that what is there explains.
func FuzzOpen(f *testing.F) {
	w := newWorld(f, inventory.Hour, 64)
	for i := range 30 {
		w.Add(w.id(i), start)
	}
	w.flush(f)
	w.flush(f)
	line := make([]byte, lineBytes)
	page := append(make([]byte, 15), 1)
	f.Add(w.runs[0].about(), line, page, page)
	f.Add(wire.AppendInt([]byte("\x01\x00\x02\x00\x00"), linesMost), line, page, []byte{})
	f.Add([]byte{}, []byte("short"), []byte("short"), []byte("short"))
	f.Fuzz(func(t *testing.T, about, chunk, page, block []byte) {
		w := &world{store: enginetest.NewStore(), lateness: inventory.Hour, bytesMax: 64, workLeast: workLeast}
		batch := w.store.Batch()
		for key, value := range map[string][]byte{
			string(aboutKey(nil, 3, 0)):                               about,
			string(aboutKey(nil, 3, 1)):                               chunk,
			string(pageKey(nil, 3, ID{^uint64(0), ^uint64(0)})):       page,
			string(blockKey(nil, int64(start/(inventory.Hour/4)), 1)): block,
		} {
			if err := batch.Set([]byte(key), value); err != nil {
				t.Fatal(err)
			}
		}
		batch.Commit()
		s, err := Open(w.store, w.lateness, start, w.bytesMax)
		if err != nil {
			return
		}
		w.Set = s
		for i := range 100 {
			if known, err := w.Known(w.id(i), start); err != nil {
				return
			} else if !known {
				w.Add(w.id(i), start)
			}
			w.sequence++
			batch := w.store.Batch()
			if err := w.Flush(w.sequence+1, batch); err != nil {
				return
			}
			batch.Commit()
		}
	})
}
