package client

import (
	"context"
	"fmt"
	"sync"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// A lane carries the deltas of one partition, in order, one message in flight.
//
// Callers append to the queue's last message; the lane's goroutine alone takes the
// first one out, sends it until it is acknowledged and settles it. Deltas are counted
// by ordinal, from 1, in the order in which they were taken in; as messages are
// settled in that order, "acknowledged up to n" says it all.
type lane struct {
	producer  *Producer
	partition int
	wake      chan struct{} // holds a token while there may be something to send

	mu       sync.Mutex
	queue    []*message // oldest first
	spare    *message   // settled, for use again
	bytes    int        // of payload in the queue and in flight
	accepted uint64     // ordinal of the last delta taken in
	acked    uint64     // ordinal of the last delta acknowledged; ≤ accepted
	sequence uint64     // of the last message acknowledged
	waiters  []*waiter  // each waits for an ordinal above acked
	room     chan struct{}
	closing  bool  // takes no more
	err      error // why it gave up; it sends nothing any more
}

// message is a payload that is being filled, then sent. In the queue it is under
// the lane's lock; taken out it belongs to the lane's goroutine.
type message struct {
	payload []byte
	deltas  int
	upto    uint64 // ordinal of the last delta in it
}

// waiter is somebody who waits for an ordinal. done has room for the one result.
type waiter struct {
	upto uint64
	done chan result
}

type result struct {
	sequence uint64
	err      error
}

func newLane(p *Producer, partition int) *lane {
	return &lane{producer: p, partition: partition, wake: make(chan struct{}, 1)}
}

// add takes d in and returns its ordinal. It blocks while the buffer is full.
func (l *lane) add(ctx context.Context, d *inventory.Delta) (uint64, error) {
	l.mu.Lock()
	for {
		if err := l.refusal(); err != nil {
			l.mu.Unlock()
			return 0, err
		}
		if l.bytes < l.producer.cfg.bufferBytes {
			break
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return 0, fmt.Errorf("client: partition %d: waiting for room in the buffer of %d bytes: %w", l.partition, l.producer.cfg.bufferBytes, context.Cause(ctx))
		}
		l.mu.Lock()
	}
	ordinal := l.append(d)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
	return ordinal, nil
}

// refusal says why no delta can be taken in, if so. Under the lock.
func (l *lane) refusal() error {
	if l.err != nil {
		return l.err
	}
	if l.closing {
		return ErrClosed
	}
	return nil
}

// append encodes d at the end of the last message, or of a new one where that is
// full. Under the lock.
func (l *lane) append(d *inventory.Delta) uint64 {
	cfg := &l.producer.cfg
	var m *message
	if n := len(l.queue); n > 0 && l.queue[n-1].deltas < cfg.messageDeltas {
		m = l.queue[n-1]
	} else {
		m = l.grow()
	}
	before := len(m.payload)
	m.payload = codec.AppendDelta(m.payload, d)
	size := len(m.payload) - before
	if before > 0 && len(m.payload) > cfg.messageBytes {
		next := l.grow()
		next.payload = append(next.payload, m.payload[before:]...)
		m.payload = m.payload[:before]
		m = next
	}
	l.accepted++
	m.deltas++
	m.upto = l.accepted
	l.bytes += size
	return l.accepted
}

// grow adds an empty message to the queue. Under the lock.
func (l *lane) grow() *message {
	m := l.spare
	l.spare = nil
	if m == nil {
		m = new(message)
	}
	l.queue = append(l.queue, m)
	return m
}

// run sends what is taken in until ctx ends or a message can't be delivered.
func (l *lane) run(ctx context.Context) {
	for {
		m := l.take()
		if m == nil {
			select {
			case <-l.wake:
				continue
			case <-ctx.Done():
				l.fail(context.Cause(ctx))
				return
			}
		}
		sequence, err := l.send(ctx, m)
		if err != nil {
			l.fail(fmt.Errorf("client: partition %d: %w", l.partition, err))
			return
		}
		l.settle(m, sequence)
	}
}

// take removes the oldest message from the queue; nil where there is none.
func (l *lane) take() *message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return nil
	}
	m := l.queue[0]
	n := copy(l.queue, l.queue[1:])
	l.queue[n] = nil
	l.queue = l.queue[:n]
	return m
}

// settle counts m as acknowledged and tells those who wait for it.
func (l *lane) settle(m *message, sequence uint64) {
	p := l.producer
	p.deltas.Add(uint64(m.deltas))
	p.messages.Add(1)
	p.bytes.Add(uint64(len(m.payload)))

	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked, l.sequence = m.upto, sequence
	l.bytes -= len(m.payload)
	m.payload, m.deltas = m.payload[:0], 0
	l.spare = m
	l.makeRoom()
	still := l.waiters[:0]
	for _, w := range l.waiters {
		if w.upto > l.acked {
			still = append(still, w)
			continue
		}
		w.done <- result{sequence: sequence}
	}
	clear(l.waiters[len(still):])
	l.waiters = still
}

// fail ends the lane: whoever waits, and whoever comes, gets err.
func (l *lane) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	l.makeRoom()
	for _, w := range l.waiters {
		w.done <- result{err: err}
	}
	l.waiters = nil
}

// makeRoom wakes all who wait for room; they look again. Under the lock.
func (l *lane) makeRoom() {
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}

// await waits until the ordinal upto is acknowledged and returns the sequence of a
// message at or after it.
func (l *lane) await(ctx context.Context, upto uint64) (uint64, error) {
	l.mu.Lock()
	if l.acked >= upto {
		defer l.mu.Unlock()
		return l.sequence, nil
	}
	if l.err != nil {
		defer l.mu.Unlock()
		return 0, l.err
	}
	w := &waiter{upto: upto, done: make(chan result, 1)}
	l.waiters = append(l.waiters, w)
	l.mu.Unlock()
	select {
	case r := <-w.done:
		return r.sequence, r.err
	case <-ctx.Done():
		l.forget(w)
		return 0, fmt.Errorf("client: partition %d: waiting for JetStream's acknowledgement: %w", l.partition, context.Cause(ctx))
	}
}

// forget drops a waiter whose context ended.
func (l *lane) forget(gone *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.waiters {
		if w == gone {
			l.waiters = append(l.waiters[:i], l.waiters[i+1:]...)
			return
		}
	}
}

// close makes the lane take no more; what it has taken it still sends.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
	l.makeRoom()
}

// taken returns the ordinal of the last delta taken in.
func (l *lane) taken() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted
}

// unacknowledged returns how many deltas were taken in and not acknowledged.
func (l *lane) unacknowledged() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted - l.acked
}
