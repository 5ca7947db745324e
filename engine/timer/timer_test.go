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

// flush puts what changed into the store.
func flush(t fatal, q *Queue, store *enginetest.Store) {
	t.Helper()
	batch := store.Batch()
	if err := q.Flush(batch); err != nil {
		t.Fatalf("flush: %v", err)
	}
	batch.Commit()
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
		store := enginetest.NewStore()
		q, err := open(store, nearMax, loadMax)
		if err != nil {
			t.Fatal(err)
		}
		var list []Timer
		watermark := inventory.Millis(1)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			for range rapid.IntRange(0, 12).Draw(t, "timers") {
				timer := Timer{
					Time: watermark + inventory.Millis(rapid.Int64Range(1, 40).Draw(t, "in")),
					Name: rapid.SampledFrom([]string{"a", "b", "c\x00d", ""}).Draw(t, "name"),
				}
				q.Set(timer)
				list = append(list, timer)
			}
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				flush(t, q, store)
			case 1:
				flush(t, q, store)
				if q, err = open(store, nearMax, loadMax); err != nil {
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
		flush(t, q, store)
		slices.SortFunc(list, Timer.compare)
		if got, want := strings.Count(store.Dump(), "\n"), len(slices.Compact(list)); got != want {
			t.Fatalf("%d timers are left in the store, want %d", got, want)
		}
	})
}

// TestFiringMaySetTimersThatAreDueToo, as a renewal does that is due again before the watermark.
func TestFiringMaySetTimersThatAreDueToo(t *testing.T) {
	store := enginetest.NewStore()
	q, err := Open(store)
	if err != nil {
		t.Fatal(err)
	}
	q.Set(Timer{10, "again"})
	q.Set(Timer{35, "once"})
	var fired []string
	for {
		timer, ok, err := q.Next(50)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		fired = append(fired, fmt.Sprintf("%d %s", timer.Time, timer.Name))
		if timer.Name == "again" && timer.Time < 40 {
			q.Set(Timer{timer.Time + 10, "again"})
		}
	}
	if got, want := strings.Join(fired, ", "), "10 again, 20 again, 30 again, 35 once, 40 again"; got != want {
		t.Errorf("fired %s; want %s", got, want)
	}
}

// TestMemoryIsBounded, whatever the number of timers.
func TestMemoryIsBounded(t *testing.T) {
	const timers, nearMax, loadMax = 5000, 300, 40
	store := enginetest.NewStore()
	q, err := open(store, nearMax, loadMax)
	if err != nil {
		t.Fatal(err)
	}
	for i := range timers {
		q.Set(Timer{inventory.Millis(1 + (i*7919)%timers), "a"})
		if i%200 == 199 {
			flush(t, q, store)
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
	}
	flush(t, q, store)
	if left := store.Dump(); left != "" {
		t.Errorf("after all fired the store holds\n%s", left)
	}
}

func TestABrokenKeyIsTold(t *testing.T) {
	store := enginetest.NewStore()
	batch := store.Batch()
	if err := batch.Set([]byte("tshort"), nil); err != nil {
		t.Fatal(err)
	}
	batch.Commit()
	if _, err := Open(store); err == nil || !strings.Contains(err.Error(), "timer key of 6 bytes") {
		t.Errorf("opened: %v", err)
	}
}

func TestKeysSortAsTimersDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timer := rapid.Custom(func(t *rapid.T) Timer {
			return Timer{inventory.Millis(rapid.Int64Range(0, int64(inventory.MillisMax)).Draw(t, "time")), rapid.String().Draw(t, "name")}
		})
		a, b := timer.Draw(t, "a"), timer.Draw(t, "b")
		if rapid.Bool().Draw(t, "at one time") {
			b.Time = a.Time
		}
		if got, want := strings.Compare(string(appendKey(nil, a)), string(appendKey(nil, b))), a.compare(b); got != want {
			t.Fatalf("keys compare as %d, timers as %d", got, want)
		}
		if back, err := parseKey(appendKey(nil, a)); err != nil || back != a {
			t.Fatalf("%v came back as %v, %v", a, back, err)
		}
	})
}
