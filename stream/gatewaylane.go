package stream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
)

// gatewayLane stores what the gateway has for one partition, in order, with one message
// in flight. What comes meanwhile is packed into the next one, so that the log gets
// fewer and larger messages the more there is to do.
type gatewayLane struct {
	js        jetstream.JetStream
	subject   string
	stream    string
	partition int
	bytesMax  int
	wake      chan struct{} // of capacity 1: there is something to do

	mu      sync.Mutex
	queue   []consignment // oldest first; those at the front may be in flight
	bytes   int           // of data in queue
	err     error         // why the latest attempt failed; nil after a good one
	closing bool
	room    chan struct{} // closed when the queue gets shorter or err is set; nil while nobody waits
}

// consignment is what one lane has to store of one message.
type consignment struct {
	data    []byte
	items   int
	id      string    // Nats-Msg-Id; "" for none
	alone   bool      // shares its message with nothing else: the id, or what is broken in it, is its own
	expires time.Time // no attempt begins after that
	receipt *receipt
}

func newGatewayLane(js jetstream.JetStream, subject, stream string, partition, bytesMax int) *gatewayLane {
	return &gatewayLane{
		js: js, subject: subject, stream: stream, partition: partition, bytesMax: bytesMax,
		wake: make(chan struct{}, 1),
	}
}

// add takes c. Where the lane is full it waits while things move, which holds back the
// subscription; where they don't, c is refused, so that a partition that can't be
// written to does not stop the others.
func (l *gatewayLane) add(c consignment) {
	l.mu.Lock()
	for len(l.queue) > 0 && l.bytes+len(c.data) > l.bytesMax {
		if err := l.err; err != nil {
			l.mu.Unlock()
			c.receipt.lost(fmt.Errorf("partition %d takes nothing at the moment, and much is waiting: %w", l.partition, err))
			return
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		<-room
		l.mu.Lock()
	}
	l.queue = append(l.queue, c)
	l.bytes += len(c.data)
	l.mu.Unlock()
	wake(l.wake)
}

// close lets run return when the queue is empty.
func (l *gatewayLane) close() {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	wake(l.wake)
}

// run stores until the lane is closed and empty, or ctx ends.
func (l *gatewayLane) run(ctx context.Context) {
	backoff := publishBackoffMin
	for {
		n, msg, closing := l.front()
		if n == 0 {
			if closing {
				return
			}
			select {
			case <-l.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		sequence, err := l.publish(ctx, msg)
		if err == nil {
			backoff = publishBackoffMin
			for _, c := range l.take(n, nil) {
				c.receipt.stored(storedAt{l.partition, sequence})
			}
			continue
		}
		over := ctx.Err() != nil
		for _, c := range l.take(l.expired(over), err) {
			c.receipt.lost(fmt.Errorf("partition %d: %w", l.partition, err))
		}
		if over {
			return
		}
		_ = sleep(ctx, backoff/2+rand.N(backoff/2)) // what is left when ctx ends is refused above
		backoff = min(2*backoff, publishBackoffMax)
	}
}

// front returns the next message and how many consignments are in it.
func (l *gatewayLane) front() (n int, msg *nats.Msg, closing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return 0, nil, l.closing
	}
	first := &l.queue[0]
	msg = &nats.Msg{Subject: l.subject, Data: first.data}
	if first.id != "" {
		msg.Header = nats.Header{jetstream.MsgIDHeader: {first.id}}
	}
	n, bytes, items := 1, len(first.data), first.items
	for !first.alone && n < len(l.queue) && !l.queue[n].alone && bytes+len(l.queue[n].data) <= PayloadBytesMax && items+l.queue[n].items <= codec.MessageItemsMax {
		bytes += len(l.queue[n].data)
		items += l.queue[n].items
		n++
	}
	if n > 1 {
		msg.Data = make([]byte, 0, bytes)
		for _, c := range l.queue[:n] {
			msg.Data = append(msg.Data, c.data...)
		}
	}
	return n, msg, l.closing
}

// expired is how many consignments at the front are not to be tried again.
func (l *gatewayLane) expired(all bool) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for n < len(l.queue) && (all || now.After(l.queue[n].expires)) {
		n++
	}
	return n
}

// take removes n consignments from the front, and takes note of how the latest
// attempt ended.
func (l *gatewayLane) take(n int, err error) []consignment {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	taken := l.queue[:n:n]
	l.queue = l.queue[n:]
	if len(l.queue) == 0 {
		l.queue = nil // lets go of what was taken
	}
	for i := range taken {
		l.bytes -= len(taken[i].data)
	}
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
	return taken
}

func (l *gatewayLane) publish(ctx context.Context, msg *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	ack, err := l.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
	switch {
	case err != nil:
		return 0, fmt.Errorf("publish to %s: %w", l.subject, err)
	case ack.Stream != l.stream:
		return 0, fmt.Errorf("subject %s was stored by stream %s, not %s: %w", l.subject, ack.Stream, l.stream, errForeignStream)
	}
	return ack.Sequence, nil
}

// errForeignStream says that a subject is not stored where it belongs.
var errForeignStream = errors.New("take the subject from that stream")
