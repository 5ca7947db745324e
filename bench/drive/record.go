package drive

import (
	"sync"
	"time"
)

// record is what a run has seen so far. The goroutine that publishes writes to it, and those of both
// subscriptions.
type record struct {
	schedule *schedule
	interval time.Duration
	warmup   time.Duration

	mu     sync.Mutex
	closed bool      // what comes is nobody's any more
	asked  []uint64  // a bit for each delta: a probe whose hold has not come
	open   int       // how many these are
	probes uint64    // not of the warm-up
	others uint64    // commands that are no probe's first hold
	warm   Histogram // latencies of holds of probes that were due in the warm-up
	took   Histogram // the same, after it
	lag    Histogram
	kept   Histogram // from due to acknowledged

	messages, bytes, deltas uint64        // acknowledged, the warm-up left out
	last                    time.Duration // when the last of them was

	done    []Interval
	now     Interval  // At is its end
	nowTook Histogram // latencies of the commands in now
}

func newRecord(s *schedule, interval, warmup time.Duration) *record {
	return &record{
		schedule: s, interval: interval, warmup: warmup,
		asked: make([]uint64, s.total/64+1),
		warm:  newHistogram(), took: newHistogram(), lag: newHistogram(), kept: newHistogram(), nowTook: newHistogram(),
		now: Interval{At: interval, Warmup: interval <= warmup},
	}
}

// begin starts the run's clock.
func (r *record) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.schedule.start = time.Now()
}

// made takes in that the deltas from first up to next were made at that moment, and which of them are probes.
func (r *record) made(at time.Duration, first, next int, probes []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(at)
	r.now.Published += uint64(next - first)
	if n := next - max(first, r.schedule.warm); n > 0 {
		// As late as the first of them, all of them: those in one tick differ by less than a tick.
		r.lag.record(at-r.schedule.due(first), int64(n))
	}
	r.open += len(probes)
	for _, i := range probes {
		r.asked[i/64] |= 1 << (i % 64)
		if i >= r.schedule.warm {
			r.probes++
		}
	}
}

// stored takes in that a message was acknowledged at that moment.
func (r *record) stored(at time.Duration, m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.turn(at)
	r.now.Stored += uint64(m.deltas)
	if m.counted == 0 {
		return
	}
	r.messages++
	r.bytes += uint64(m.bytes)
	r.deltas += uint64(m.counted)
	r.last = at
	r.kept.record(at-m.first, 1)
}

// hold takes in that the hold of a probe came.
func (r *record) hold(came time.Time, probe uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if probe >= uint64(r.schedule.total) || r.asked[probe/64]>>(probe%64)&1 == 0 {
		r.others++
		return
	}
	r.asked[probe/64] &^= 1 << (probe % 64)
	r.open--
	at := came.Sub(r.schedule.start)
	took := at - r.schedule.due(int(probe))
	r.turn(at)
	r.now.Commands++
	r.nowTook.record(took, 1)
	if int(probe) < r.schedule.warm {
		r.warm.record(took, 1)
	} else {
		r.took.record(took, 1)
	}
}

// other takes in a command that answers no probe.
func (r *record) other() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.others++
}

// answered reports whether the hold of each probe has come.
func (r *record) answered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open == 0
}

// turn ends the intervals that are over by then. Under the lock. What one goroutine saw just before another
// one's interval ended, but says only now, counts in the next.
func (r *record) turn(at time.Duration) {
	for at >= r.now.At {
		r.end()
	}
}

// end ends the current interval. Under the lock.
func (r *record) end() {
	if r.now.Commands > 0 {
		r.now.P50, r.now.P99, r.now.Max = r.nowTook.at(50), r.nowTook.at(99), r.nowTook.at(100)
		r.nowTook.Reset()
	}
	r.done = append(r.done, r.now)
	next := r.now.At + r.interval
	r.now = Interval{At: next, Warmup: next <= r.warmup}
}

// over returns the intervals that are over at that moment, from the nth on.
func (r *record) over(at time.Duration, n int) []Interval {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(at)
	return r.done[n:len(r.done):len(r.done)]
}

// close ends what is under way at that moment. The record changes no more, whatever a subscription still hears.
func (r *record) close(at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.turn(at)
	if r.now.Published+r.now.Stored+r.now.Commands > 0 {
		r.now.At = at
		r.end()
	}
}
