package stream

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// Message is one message of a partition's log, decoded.
type Message struct {
	Sequence  uint64           // in the stream, ≥ 1
	UnixNanos int64            // when the stream took it in
	Time      inventory.Millis // the same, in milliseconds
	Data      []byte           // as published; the deltas borrow from it
	First     int              // its deltas are Batch.Deltas[First:First+Count]
	Count     int              // ≥ 1: an item that is no delta counts too, see Batch.Bad; 0 where Control
	Control   bool             // it holds no deltas, but what somebody decided
}

// Fingerprint is [Fingerprint] of m.
func (m *Message) Fingerprint() uint64 { return Fingerprint(m.Data, m.UnixNanos) }

// position is that of a partition which has applied m.
func (m *Message) position() state.Position {
	return state.Position{Sequence: m.Sequence, Fingerprint: m.Fingerprint(), LogTime: m.Time}
}

// Fetch is some consecutive messages of a partition's log. It belongs to the caller of
// [Reader.Next] until Recycle.
type Fetch struct {
	Messages []Message   // at least one
	Batch    codec.Batch // the deltas of all of them, in order

	bytes    int           // of all payloads
	decoding time.Duration // of the first message: a sample, as to look at the clock costs as much as half a delta
}

// Add decodes the next message of the log into f, which keeps data.
func (f *Fetch) Add(sequence uint64, unixNanos int64, data []byte) {
	first := len(f.Batch.Deltas)
	if len(f.Messages) == 0 {
		began := time.Now()
		f.Batch.DecodeMessage(data)
		f.decoding = time.Since(began)
	} else {
		f.Batch.DecodeMessage(data)
	}
	f.Messages = append(f.Messages, Message{
		Sequence:  sequence,
		UnixNanos: unixNanos,
		Time:      inventory.Millis(unixNanos / 1e6),
		Data:      data,
		First:     first,
		Count:     len(f.Batch.Deltas) - first,
	})
	f.bytes += len(data)
}

// AddControl adds the next message of the log to f, which keeps data: one of the subject of decisions.
func (f *Fetch) AddControl(sequence uint64, unixNanos int64, data []byte) {
	f.Messages = append(f.Messages, Message{
		Sequence:  sequence,
		UnixNanos: unixNanos,
		Time:      inventory.Millis(unixNanos / 1e6),
		Data:      data,
		First:     len(f.Batch.Deltas),
		Control:   true,
	})
	f.bytes += len(data)
}

// Reset empties f and lets go of the payloads.
func (f *Fetch) Reset() {
	clear(f.Messages)
	f.Messages = f.Messages[:0]
	f.Batch.Reset()
	f.bytes, f.decoding = 0, 0
}

// fetchQueue hands fetches from the one goroutine that fills them to the one that
// reads them. There are fetchesMax of them, each always in one of four places:
//
//	free       nobody's, empty
//	filling    the filler's, though the reader may take it once it holds a message
//	full       waiting for the reader, oldest first
//	taken      the reader's, until it recycles it
//
// So a slow reader stops the filler once all are full, and memory is bounded.
type fetchQueue struct {
	bounds Bounds

	mu      sync.Mutex
	free    []*Fetch
	filling *Fetch // nil: none
	full    []*Fetch
	err     error // after all that is full and filling: why there is no more
	last    lastPut

	readable, writable chan struct{} // of capacity 1: something changed, look again
}

// lastPut is the latest message that was put into a queue; sequence 0: none was.
type lastPut struct {
	sequence  uint64
	unixNanos int64
	data      []byte
}

func newFetchQueue(bounds Bounds) *fetchQueue {
	q := &fetchQueue{
		bounds:   bounds,
		readable: make(chan struct{}, 1),
		writable: make(chan struct{}, 1),
	}
	for range bounds.Fetches {
		q.free = append(q.free, &Fetch{})
	}
	return q
}

// put decodes a message into the fetch being filled. It waits while there is none to
// fill, and gives up, returning false, when stop is closed.
func (q *fetchQueue) put(stop <-chan struct{}, sequence uint64, unixNanos int64, data []byte, control bool) bool {
	for !q.tryPut(sequence, unixNanos, data, control) {
		select {
		case <-q.writable:
		case <-stop:
			return false
		}
	}
	return true
}

func (q *fetchQueue) tryPut(sequence uint64, unixNanos int64, data []byte, control bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.filling == nil {
		if len(q.free) == 0 {
			return false
		}
		q.filling = q.free[len(q.free)-1]
		q.free = q.free[:len(q.free)-1]
	}
	f := q.filling
	if control {
		f.AddControl(sequence, unixNanos, data)
	} else {
		f.Add(sequence, unixNanos, data)
	}
	q.last = lastPut{sequence, unixNanos, data}
	if f.bytes >= q.bounds.FetchBytes || len(f.Batch.Deltas) >= q.bounds.FetchDeltas {
		q.full = append(q.full, f)
		q.filling = nil
	}
	if len(f.Messages) == 1 {
		wake(q.readable)
	}
	return true
}

// position is that of the latest message that was put; nil where none was.
func (q *fetchQueue) position() *state.Position {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last.sequence == 0 {
		return nil
	}
	return &state.Position{Sequence: q.last.sequence, Fingerprint: Fingerprint(q.last.data, q.last.unixNanos)}
}

// blocked reports whether the filler has nothing to fill.
func (q *fetchQueue) blocked() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.filling == nil && len(q.free) == 0
}

// fail makes next return err once everything before it has been read.
func (q *fetchQueue) fail(err error) {
	q.mu.Lock()
	if q.err == nil {
		q.err = err
	}
	q.mu.Unlock()
	wake(q.readable)
}

// await takes the oldest fetch, whether it is full or not. It gives up, with neither fetch
// nor error, after rest if that is above 0, or when something comes through interrupt.
func (q *fetchQueue) await(ctx context.Context, rest time.Duration, interrupt <-chan struct{}) (*Fetch, error) {
	f, err := q.tryNext() // before a timer is made: there mostly is one under load
	if f != nil || err != nil {
		return f, err
	}
	var over <-chan time.Time
	if rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		over = timer.C
	}
	for {
		select {
		case <-q.readable:
		case <-over:
			return nil, nil
		case <-interrupt:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if f, err := q.tryNext(); f != nil || err != nil {
			return f, err
		}
	}
}

func (q *fetchQueue) tryNext() (*Fetch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var f *Fetch
	switch {
	case len(q.full) > 0:
		f = q.full[0]
		q.full = append(q.full[:0], q.full[1:]...)
	case q.filling != nil:
		f, q.filling = q.filling, nil
	default:
		return nil, q.err
	}
	return f, nil
}

func (q *fetchQueue) recycle(f *Fetch) {
	f.Reset()
	if cap(f.Batch.Deltas) > 4*q.bounds.FetchDeltas {
		*f = Fetch{} // a flood made it as large as none of the fetches of each partition needs to be again
	}
	q.mu.Lock()
	q.free = append(q.free, f)
	q.mu.Unlock()
	wake(q.writable)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
