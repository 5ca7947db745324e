package timer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// NearMax is how many timers are held in memory at most, about 128 bytes each, unless more are
// due within one span; LoadMax how many are loaded at a time.
const (
	NearMax = 1 << 13
	LoadMax = 1 << 12
)

// Timer fires at Time, for whoever Kind and Key mean something to.
type Timer struct {
	Time inventory.Millis
	Kind byte
	Key  string
}

// From marks where timers are still to fire: those of that moment and later, all others have.
func From(t inventory.Millis) Timer { return Timer{Time: t} }

// After marks that t fired, and what comes before it.
func (t Timer) After() Timer { return Timer{t.Time, t.Kind, t.Key + "\x00"} }

func (t Timer) compare(o Timer) int {
	if c := cmp.Compare(t.Time, o.Time); c != 0 {
		return c
	}
	if c := cmp.Compare(t.Kind, o.Kind); c != 0 {
		return c
	}
	return strings.Compare(t.Key, o.Key)
}

// Store is what the queue reads from; engine.Store satisfies it.
type Store interface {
	Scan(lower, upper []byte, yield func(key, value []byte) bool) error
}

// Writer is what the queue writes to; engine.Writer satisfies it.
type Writer interface {
	Set(key, value []byte) error
	DeleteRange(lower, upper []byte) error
}

// aheadSpans is for how many spans to come timers are held in memory, which is an hour: what was counted in one night is all due in one
// span, some weeks later.
const aheadSpans = 360

// Queue is the timers of one partition. It is not safe for concurrent use.
//
// Invariants: every live timer before edge, which is the beginning of a span, is in near; every
// live timer is in the store, or in set since the last flush.
//
// Timers fire in order, so what has fired is known by a mark, the first timer that may not have: see [From] and [Timer.After].
type Queue struct {
	store Store
	near  heap
	edge  inventory.Millis
	set   []Timer
	first Timer            // what the store has of timers before it had fired before the queue was opened
	swept inventory.Millis // blocks of spans before it are gone from the store; 0 at open, when that is not known
	key   []byte
	block []byte

	span             inventory.Millis
	nearMax, loadMax int
	trimAt           int // how many near timers there are to be before they are trimmed
}

// Open returns the queue that store holds, of which the timers before first have fired.
func Open(store Store, first Timer) (*Queue, error) {
	return open(store, first, span, NearMax, LoadMax)
}

func open(store Store, first Timer, span inventory.Millis, nearMax, loadMax int) (*Queue, error) {
	q := &Queue{store: store, first: first, span: span, nearMax: nearMax, loadMax: loadMax, trimAt: nearMax}
	q.edge = q.begin(first.Time)
	return q, q.load(first.Time)
}

// Set sets a timer. Its time must be after that of any that fired.
func (q *Queue) Set(t Timer) {
	q.set = append(q.set, t)
	if t.Time < q.edge {
		q.near.push(t)
		if len(q.near) > q.trimAt {
			q.trim()
		}
	}
}

// Next returns the first timer that is due by the watermark and takes it off the
// queue; false where there is none. The watermark has come there once there is none.
func (q *Queue) Next(watermark inventory.Millis) (Timer, bool, error) {
	for len(q.near) == 0 && q.edge <= watermark {
		if err := q.load(watermark); err != nil {
			return Timer{}, false, err
		}
	}
	if len(q.near) == 0 || q.near[0].Time > watermark {
		return Timer{}, false, nil
	}
	return q.near.pop(), true, nil
}

// Flush writes what was set since the last flush and is not before first, under a
// number that no other flush has, and clears away what is: it has fired.
func (q *Queue) Flush(number uint64, first Timer, w Writer) error {
	if now := q.begin(first.Time); now >= q.swept+sweepSpans*q.span {
		if err := w.DeleteRange(blockKey(nil, q.swept, 0), blockKey(nil, now, 0)); err != nil {
			return err
		}
		q.swept = now
	}
	live := q.set[:0]
	for _, t := range q.set {
		if t.compare(first) >= 0 {
			live = append(live, t)
		}
	}
	err := q.write(number, live, w)
	clear(q.set)
	q.set = q.set[:0]
	return err
}

// write writes timers, a block a span.
func (q *Queue) write(number uint64, timers []Timer, w Writer) error {
	slices.SortFunc(timers, Timer.compare)
	for len(timers) > 0 {
		begin := q.begin(timers[0].Time)
		n := 1
		for n < len(timers) && timers[n].Time < begin+q.span {
			n++
		}
		q.key = blockKey(q.key[:0], begin, number)
		q.block = appendBlock(q.block[:0], begin, timers[:n])
		if err := w.Set(q.key, q.block); err != nil {
			return err
		}
		timers = timers[n:]
	}
	return nil
}

// load brings the timers of the next spans into memory, for aheadSpans from now at most, and moves the edge behind them.
func (q *Queue) load(now inventory.Millis) error {
	from, edge := q.edge, q.begin(max(now, q.edge))+aheadSpans*q.span
	n := 0
	last := inventory.Millis(-1)
	err := scanBlocks(q.store, from, func(begin inventory.Millis, timers func(yield func(Timer)) error) (bool, error) {
		if begin >= edge {
			return false, nil
		}
		if n >= q.loadMax && begin > last {
			edge = begin
			return false, nil
		}
		last = begin
		return true, timers(func(t Timer) {
			if t.compare(q.first) >= 0 {
				q.near = append(q.near, t)
				n++
			}
		})
	})
	if err != nil {
		return fmt.Errorf("load timers from %v: %w", from, err)
	}
	for _, t := range q.set {
		if t.Time >= from && t.Time < edge {
			q.near = append(q.near, t)
		}
	}
	slices.SortFunc(q.near, Timer.compare) // sorted, it is a heap
	q.near = slices.Compact(q.near)        // a timer set again since the flush stands twice
	q.edge = edge
	return nil
}

// trim drops the later half of the near timers; the store or set has them.
func (q *Queue) trim() {
	slices.SortFunc(q.near, Timer.compare)
	half := len(q.near) / 2
	for half < len(q.near) && q.begin(q.near[half].Time) == q.begin(q.near[half-1].Time) {
		half++
	}
	if half == len(q.near) { // all are due within one span
		q.trimAt = 2 * len(q.near)
		return
	}
	q.trimAt = q.nearMax
	q.edge = q.begin(q.near[half].Time)
	clear(q.near[half:])
	q.near = q.near[:half]
}

// begin returns the beginning of the span that holds t ≥ 0.
func (q *Queue) begin(t inventory.Millis) inventory.Millis { return t - t%q.span }
