package dedupe

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/engine/enginetest"
)

// TestTableEqualsAMap: whatever ids come, crowded at one home or at the last one, over epochs that go on by one or by hundreds. Read
// cluster by cluster, as it is frozen, it gives what is not forgotten, in order.
func TestTableEqualsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Custom(func(t *rapid.T) ID {
			hi := rapid.SampledFrom([]uint64{1, 2, 1 << 60, 1 << 63, ^uint64(0) - 1, ^uint64(0)}).Draw(t, "hi")
			return ID{hi, rapid.Uint64Range(0, 40).Draw(t, "lo") << ageBits}
		})
		var tb table
		all := map[ID]int64{}
		live := rapid.Int64Range(0, 3).Draw(t, "live")
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			live += rapid.SampledFrom([]int64{0, 0, 0, 0, 1, 100, 300}).Draw(t, "on")
			n := id.Draw(t, "id")
			epoch := live + rapid.Int64Range(0, 5).Draw(t, "epoch")
			known, remembered := all[n]
			remembered = remembered && known >= live
			if got, found := tb.find(n); found && got != known || !found && remembered {
				t.Fatalf("%v is found: %v, of epoch %d, want %d (%d is the oldest)", n, found, got, known, live)
			}
			if !remembered {
				tb.put(n, epoch, live)
				all[n] = epoch
			}
		}
		if len(tb.slots) == 0 {
			return
		}
		if s := tb.slots[len(tb.slots)-1]; s != (slot{}) {
			t.Fatalf("the last slot holds %v", s)
		}
		var want []ID
		for n, epoch := range all {
			if epoch >= live {
				want = append(want, n)
			}
		}
		slices.SortFunc(want, func(a, b ID) int { return compareSlots(slot{a.Hi, a.Lo}, slot{b.Hi, b.Lo}) })
		store := enginetest.NewStore()
		f := &freezing{table: tb, out: writer{run: run{base: live - 1, bloom: newBloom(tb.used)}}}
		for done := false; !done; {
			var err error
			batch := store.Batch()
			if done, err = f.step(rapid.IntRange(1, 20).Draw(t, "slots"), live, batch); err != nil {
				t.Fatal(err)
			}
			batch.Commit()
		}
		r := reader{run: f.out.run}
		var got []ID
		for err := r.open(store); !r.done; err = r.next(store) {
			if err != nil {
				t.Fatal(err)
			}
			n := r.head.id()
			if epoch := r.base + r.head.age(); epoch != all[n] {
				t.Fatalf("%v is read as of epoch %d, want %d", n, epoch, all[n])
			}
			got = append(got, n)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("the run holds %v, want %v", got, want)
		}
	})
}

// TestARunIsReadAsItWasWritten, over many batches, with a filter of many values.
func TestARunIsReadAsItWasWritten(t *testing.T) {
	const ids = 40_000
	w := newWorld(t, 1<<40, 1<<20)
	for i := range ids {
		w.Add(w.id(i), start)
		if i%1000 == 999 {
			w.flush(t)
		}
	}
	for range 100 {
		w.flush(t)
	}
	if len(w.runs) != 1 || w.runs[0].ids < ids/2 || len(w.runs[0].bloom.lines) < 2*chunkLines {
		t.Fatalf("%d runs, of %d ids and %d lines: want one, which is long", len(w.runs), w.runs[0].ids, len(w.runs[0].bloom.lines))
	}
	written := w.runs[0]
	w.open(t, start)
	read := w.runs[0]
	if !slices.Equal(read.bloom.lines, written.bloom.lines) {
		t.Error("the filter that was read is not the one that was written")
	}
	read.bloom, written.bloom = bloom{}, bloom{}
	if read.number != written.number || read.ids != written.ids || read.newest != written.newest || read.base != written.base || read.level != written.level {
		t.Errorf("read %+v, written %+v", read, written)
	}
	for i := range ids {
		if !w.known(t, w.id(i), start) {
			t.Fatalf("id %d is not known any more", i)
		}
	}
}

// TestWhatWasNotFinishedIsTakenAway, and its number not given to another run.
func TestWhatWasNotFinishedIsTakenAway(t *testing.T) {
	w := newWorld(t, 1<<40, 1<<16)
	w.workLeast = 1
	w.open(t, start)
	const ids = 2000
	for i := range ids {
		w.Add(w.id(i), start)
		if i%10 == 9 {
			w.flush(t)
		}
		if w.frozen != nil && w.frozen.out.ids > pageIDs {
			w.open(t, start) // the partition stops amid a run
			if len(w.broken) != 1 || w.nextID != 1 {
				t.Fatalf("%d runs are known as unfinished, the next number is %d; want one, and 1", len(w.broken), w.nextID)
			}
			w.flush(t)
			lower, upper := pageKey(nil, 0, ID{}), pageKey(nil, 1, ID{})
			if err := w.store.Scan(lower, upper, func(key, _ []byte) bool { t.Errorf("%q is left", key); return false }); err != nil {
				t.Fatal(err)
			}
			for n := range i {
				if !w.known(t, w.id(n), start) {
					t.Fatalf("id %d is not known any more", n)
				}
			}
			return
		}
	}
	t.Fatal("no run was begun")
}
