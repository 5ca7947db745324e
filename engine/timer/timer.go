package timer

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// NearMax is how many timers are held in memory at most, about 128 bytes each, unless more are
// due at one moment; LoadMax how many are loaded at a time.
const (
	NearMax = 1 << 16
	LoadMax = 1 << 12
)

// Timer fires at Time, for whoever Name means something to.
type Timer struct {
	Time inventory.Millis
	Name string
}

func (t Timer) compare(o Timer) int {
	if t.Time != o.Time {
		if t.Time < o.Time {
			return -1
		}
		return 1
	}
	return strings.Compare(t.Name, o.Name)
}

// Store is what the queue reads from; engine.Store satisfies it.
type Store interface {
	Scan(lower, upper []byte, yield func(key, value []byte) bool) error
}

// Writer is what the queue writes to; engine.Writer satisfies it.
type Writer interface {
	Set(key, value []byte) error
	Delete(key []byte) error
}

// prefix is the first byte of a timer's key: 't' time(8, big-endian) name.
const prefix = 't'

const never = inventory.Millis(math.MaxInt64)

// Queue is the timers of one partition. It is not safe for concurrent use.
//
// Invariant: every live timer before edge is in near; every live timer is in
// the store, or in set since the last flush; what is in fired is dead.
type Queue struct {
	store Store
	near  timers
	edge  inventory.Millis
	set   []Timer
	fired []Timer
	key   []byte

	nearMax, loadMax int
}

// Open returns the queue that store holds.
func Open(store Store) (*Queue, error) { return open(store, NearMax, LoadMax) }

func open(store Store, nearMax, loadMax int) (*Queue, error) {
	q := &Queue{store: store, nearMax: nearMax, loadMax: loadMax}
	return q, q.load()
}

// Set sets a timer. Its time must be after the watermark.
func (q *Queue) Set(t Timer) {
	q.set = append(q.set, t)
	if t.Time < q.edge {
		heap.Push(&q.near, t)
		if len(q.near) > q.nearMax {
			q.trim()
		}
	}
}

// Next returns the first timer that is due by the watermark and takes it off the
// queue; false where there is none.
func (q *Queue) Next(watermark inventory.Millis) (Timer, bool, error) {
	for len(q.near) == 0 && q.edge <= watermark {
		if err := q.load(); err != nil {
			return Timer{}, false, err
		}
	}
	if len(q.near) == 0 || q.near[0].Time > watermark {
		return Timer{}, false, nil
	}
	t := heap.Pop(&q.near).(Timer)
	q.fired = append(q.fired, t)
	return t, true, nil
}

// Flush writes what was set and takes away what fired since the last flush.
func (q *Queue) Flush(w Writer) error {
	for _, t := range q.set {
		q.key = appendKey(q.key[:0], t)
		if err := w.Set(q.key, nil); err != nil {
			return err
		}
	}
	for _, t := range q.fired {
		q.key = appendKey(q.key[:0], t)
		if err := w.Delete(q.key); err != nil {
			return err
		}
	}
	clear(q.set)
	clear(q.fired)
	q.set, q.fired = q.set[:0], q.fired[:0]
	return nil
}

// load brings the next timers into memory and moves the edge behind them.
func (q *Queue) load() error {
	from := q.edge
	edge := never
	n := 0
	last := inventory.Millis(-1)
	var bad error
	err := q.store.Scan(appendKey(nil, Timer{Time: from}), []byte{prefix + 1}, func(key, _ []byte) bool {
		t, err := parseKey(key)
		if err != nil {
			bad = err
			return false
		}
		// All timers of one moment are loaded together, so that the edge lies between moments.
		if n >= q.loadMax && t.Time > last {
			edge = t.Time
			return false
		}
		q.near = append(q.near, t)
		n, last = n+1, t.Time
		return true
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return fmt.Errorf("load timers from %v: %w", from, err)
	}
	for _, t := range q.set {
		if t.Time >= from && t.Time < edge {
			q.near = append(q.near, t)
		}
	}
	slices.SortFunc(q.near, Timer.compare)
	q.near = slices.Compact(q.near) // a timer set again since the flush stands twice
	q.edge = edge
	return nil
}

// trim drops the later half of the near timers; the store or set has them.
func (q *Queue) trim() {
	slices.SortFunc(q.near, Timer.compare)
	half := len(q.near) / 2
	for half < len(q.near) && q.near[half].Time == q.near[half-1].Time {
		half++
	}
	if half == len(q.near) {
		return
	}
	q.edge = q.near[half].Time
	clear(q.near[half:])
	q.near = q.near[:half]
}

func appendKey(dst []byte, t Timer) []byte {
	dst = append(dst, prefix)
	dst = binary.BigEndian.AppendUint64(dst, uint64(t.Time))
	return append(dst, t.Name...)
}

func parseKey(key []byte) (Timer, error) {
	if len(key) < 9 {
		return Timer{}, fmt.Errorf("timer key of %d bytes", len(key))
	}
	return Timer{inventory.Millis(binary.BigEndian.Uint64(key[1:])), string(key[9:])}, nil
}

// timers is a heap by (time, name).
type timers []Timer

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].compare(h[j]) < 0 }
func (h timers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timers) Push(t any)        { *h = append(*h, t.(Timer)) }
func (h *timers) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = Timer{}
	*h = old[:len(old)-1]
	return t
}
