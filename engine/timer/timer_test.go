package timer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// fatal is what a testing.T and a rapid.T have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// flusher gives every flush a sequence of its own.
type flusher struct {
	store    *enginetest.Store
	sequence uint64
}

// flush puts what changed into the store.
func (f *flusher) flush(t fatal, q *Queue, watermark inventory.Millis) {
	t.Helper()
	batch := f.store.Batch()
	f.sequence++
	if err := q.Flush(f.sequence, From(watermark+1), batch); err != nil {
		t.Fatalf("flush: %v", err)
	}
	batch.Commit()
}

// live returns what the store has of timers after the watermark, in order.
func live(t fatal, store *enginetest.Store, watermark inventory.Millis) []Timer {
	t.Helper()
	var all []Timer
	if err := Live(store, From(watermark+1), func(t Timer) { all = append(all, t) }); err != nil {
		t.Fatalf("live: %v", err)
	}
	slices.SortFunc(all, Timer.compare)
	return slices.Compact(all)
}

// due takes every timer that is due off the queue.
func due(t fatal, q *Queue, watermark inventory.Millis) []Timer {
	t.Helper()
	var fired []Timer
	for {
		timer, ok, err := q.Next(watermark)
		if err != nil {
			t.Fatalf("next by %d: %v", watermark, err)
		}
		if !ok {
			return fired
		}
		fired = append(fired, timer)
	}
}

// TestQueueEqualsASortedList: whatever is set, in however little memory, after any flush and
// however often it is opened again, what fires is what a sorted list would give. A timer that is
// set twice fires once or twice: its owner ignores the second.
func TestQueueEqualsASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nearMax := rapid.IntRange(2, 12).Draw(t, "near")
		loadMax := rapid.IntRange(1, 6).Draw(t, "load")
		span := inventory.Millis(rapid.Int64Range(1, 20).Draw(t, "span"))
		f := &flusher{store: enginetest.NewStore()}
		watermark := inventory.Millis(1)
		q, err := open(f.store, From(watermark+1), span, nearMax, loadMax)
		if err != nil {
			t.Fatal(err)
		}
		var list []Timer
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			for range rapid.IntRange(0, 12).Draw(t, "timers") {
				timer := Timer{
					Time: watermark + inventory.Millis(rapid.Int64Range(1, 40).Draw(t, "in")),
					Kind: rapid.SampledFrom([]byte("AB")).Draw(t, "kind"),
					Key:  rapid.SampledFrom([]string{"a", "b", "c\x00d", ""}).Draw(t, "key"),
				}
				q.Set(timer)
				list = append(list, timer)
			}
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				f.flush(t, q, watermark)
			case 1:
				f.flush(t, q, watermark)
				if q, err = open(f.store, From(watermark+1), span, nearMax, loadMax); err != nil {
					t.Fatal(err)
				}
			}
			if rapid.Bool().Draw(t, "time goes on") {
				watermark += inventory.Millis(rapid.Int64Range(0, 25).Draw(t, "by"))
				slices.SortFunc(list, Timer.compare)
				list = slices.Compact(list)
				n := 0
				for n < len(list) && list[n].Time <= watermark {
					n++
				}
				got := due(t, q, watermark)
				if !slices.IsSortedFunc(got, Timer.compare) {
					t.Fatalf("by %d fired out of order: %v", watermark, got)
				}
				if got = slices.Compact(got); !slices.Equal(got, list[:n]) {
					t.Fatalf("by %d fired %v, want %v", watermark, got, list[:n])
				}
				list = slices.Delete(list, 0, n)
			}
		}
		f.flush(t, q, watermark)
		slices.SortFunc(list, Timer.compare)
		if got, want := live(t, f.store, watermark), slices.Compact(list); !slices.Equal(got, want) {
			t.Fatalf("the store has %v, want %v", got, want)
		}
	})
}

// TestFiringMaySetTimersThatAreDueToo, as a renewal does that is due again before the watermark.
func TestFiringMaySetTimersThatAreDueToo(t *testing.T) {
	store := enginetest.NewStore()
	q, err := Open(store, From(1))
	if err != nil {
		t.Fatal(err)
	}
	q.Set(Timer{10, 'R', "again"})
	q.Set(Timer{35, 'R', "once"})
	var fired []string
	for {
		timer, ok, err := q.Next(50)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		fired = append(fired, fmt.Sprintf("%d %s", timer.Time, timer.Key))
		if timer.Key == "again" && timer.Time < 40 {
			q.Set(Timer{timer.Time + 10, 'R', "again"})
		}
	}
	if got, want := strings.Join(fired, ", "), "10 again, 20 again, 30 again, 35 once, 40 again"; got != want {
		t.Errorf("fired %s; want %s", got, want)
	}
}

// TestMemoryIsBounded, whatever the number of timers, and what has fired is deleted in time.
func TestMemoryIsBounded(t *testing.T) {
	const timers, span, nearMax, loadMax = 5000, 10, 300, 40
	f := &flusher{store: enginetest.NewStore()}
	q, err := open(f.store, From(1), span, nearMax, loadMax)
	if err != nil {
		t.Fatal(err)
	}
	for i := range timers {
		q.Set(Timer{inventory.Millis(1 + (i*7919)%timers), 'A', "a"})
		if i%200 == 199 {
			f.flush(t, q, 0)
		}
		if len(q.near) > nearMax {
			t.Fatalf("%d timers are in memory, %d at most", len(q.near), nearMax)
		}
	}
	for w := inventory.Millis(1); w <= timers; w++ {
		fired := due(t, q, w)
		if len(fired) != 1 || fired[0].Time != w {
			t.Fatalf("at %d fired %v", w, fired)
		}
		if len(q.near) > nearMax {
			t.Fatalf("%d timers are in memory, %d at most", len(q.near), nearMax)
		}
		if w%100 == 0 {
			f.flush(t, q, w)
			if w < timers-span {
				left := live(t, f.store, 0)
				if oldest := left[0].Time; oldest < w-(sweepSpans+10)*span {
					t.Fatalf("at %d the store still has a timer of %d", w, oldest)
				}
			}
		}
	}
	f.flush(t, q, timers+(sweepSpans+1)*span)
	if left := f.store.Dump(); left != "" {
		t.Errorf("after all fired the store holds\n%s", left)
	}
}

// TestWhatFiredBeforeAReopenIsDeleted too: the queue that set the timers did not come to it.
func TestWhatFiredBeforeAReopenIsDeleted(t *testing.T) {
	const span = 10
	f := &flusher{store: enginetest.NewStore()}
	for watermark := inventory.Millis(0); watermark < 20*span; watermark += span {
		q, err := open(f.store, From(watermark+1), span, 8, 4)
		if err != nil {
			t.Fatal(err)
		}
		q.Set(Timer{watermark + 1, 'A', "a"})
		f.flush(t, q, watermark)
	}
	const last = (20 + sweepSpans) * span
	q, err := open(f.store, From(last+1), span, 8, 4)
	if err != nil {
		t.Fatal(err)
	}
	f.flush(t, q, last)
	if left := f.store.Dump(); left != "" {
		t.Errorf("after all fired the store holds\n%s", left)
	}
}

// TestWhatIsDueInTheFarFutureIsNotHeld, however much it is, until its time comes; and a queue that has nothing else to do
// passes over the months between.
func TestWhatIsDueInTheFarFutureIsNotHeld(t *testing.T) {
	const timers, later = 5000, 60 * inventory.Day
	f := &flusher{store: enginetest.NewStore()}
	q, err := Open(f.store, From(1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range timers {
		q.Set(Timer{later, 'A', fmt.Sprint(i)})
	}
	f.flush(t, q, 0)
	held := len(q.near)
	if q, err = Open(f.store, From(1)); err != nil {
		t.Fatal(err)
	}
	if held > 0 || len(q.near) > 0 {
		t.Errorf("%d are held by the queue that set them, %d by the next", held, len(q.near))
	}
	if n := len(due(t, q, later-1)); n != 0 {
		t.Errorf("%d fired too early", n)
	}
	if n := len(due(t, q, later)); n != timers {
		t.Errorf("%d fired, want %d", n, timers)
	}
}

// TestManyTimersOfOneMoment are all in memory, and are not sorted again with every one that is set.
func TestManyTimersOfOneMoment(t *testing.T) {
	q, err := open(enginetest.NewStore(), From(1), 10, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		q.Set(Timer{15, 'A', fmt.Sprint(i)})
	}
	if n := len(due(t, q, 15)); n != 1000 {
		t.Errorf("%d fired, want 1000", n)
	}
	if q.trimAt < 512 || q.trimAt > 2048 {
		t.Errorf("after 1000 timers the next trim is at %d", q.trimAt)
	}
}

func TestABrokenBlockIsTold(t *testing.T) {
	for _, c := range []struct{ name, key, block, want string }{
		{"key", "tshort", "", "timer key of 6 bytes"},
		{"format", string(blockKey(nil, 0, 1)), "\x63", "timers from none: format 99, this program reads 1"},
		{"end", string(blockKey(nil, 0, 1)), "\x01\x05A\x09a", "value is cut short"},
	} {
		store := enginetest.NewStore()
		batch := store.Batch()
		if err := batch.Set([]byte(c.key), []byte(c.block)); err != nil {
			t.Fatal(err)
		}
		batch.Commit()
		if _, err := Open(store, From(1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: opened with %v, want %s", c.name, err, c.want)
		}
	}
}

// FuzzBlock: any bytes are timers or an error, and what was read is written and read the same.
func FuzzBlock(f *testing.F) {
	f.Add(appendBlock(nil, 0, []Timer{{0, 'A', ""}, {9999, 'T', "tea\x00leeds\x00\x01o1"}}))
	f.Fuzz(func(t *testing.T, block []byte) {
		const begin = 10_000
		var timers []Timer
		if readBlock(begin, block, func(t Timer) { timers = append(timers, t) }) != nil {
			return
		}
		var again []Timer
		err := readBlock(begin, appendBlock(nil, begin, timers), func(t Timer) { again = append(again, t) })
		if err != nil || !slices.Equal(again, timers) {
			t.Fatalf("%v came back as %v, %v", timers, again, err)
		}
	})
}

// BenchmarkQueue sets a timer a day ahead and takes one off that is due, beside as many that wait.
func BenchmarkQueue(b *testing.B) {
	q, err := open(enginetest.NewStore(), From(1), span, 1<<20, LoadMax)
	if err != nil {
		b.Fatal(err)
	}
	const waiting = 10_000
	for i := range waiting {
		q.Set(Timer{inventory.Millis(i + 1), 'T', "sku-100000\x00store-1\x00\x01o-1"})
	}
	b.ReportAllocs()
	for i := range b.N {
		q.Set(Timer{inventory.Millis(i + 1 + waiting), 'T', "sku-100000\x00store-1\x00\x01o-1"})
		if _, ok, err := q.Next(inventory.Millis(i + 1)); !ok || err != nil {
			b.Fatal(ok, err)
		}
		q.set = q.set[:0]
	}
}
