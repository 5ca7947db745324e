package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// groupMessagesMax is what a server takes as one atomic batch. groupBytesMax keeps
	// all groups together far from the 128 MiB that a stream queues for its publishers.
	groupMessagesMax = 1000
	groupBytesMax    = 1 << 20

	// restEvery is when exceptions, decisions and rejected deltas are sent that wait for more, by the clock, so that those of all partitions
	// share a batch and the disk is left to deltas and commands, which wait for nothing. A server spends 5 ms of CPU on a batch of 16
	// and hardly more on one of 128: that many do not wait.
	restEvery       = time.Second
	restMessagesMax = 128

	// publishTimeout is after how long it is unknown what became of a group.
	publishTimeout = 5 * time.Second

	publishBackoffMin = 10 * time.Millisecond
	publishBackoffMax = 5 * time.Second
)

// outlet publishes a partition's outputs of one kind. Its goroutine, run, has one group
// in flight; what comes meanwhile is the next one. So groups grow with the load, and a
// lone output is on its way at once.
type outlet struct {
	publisher *Publisher
	complain  *slog.Logger
	wake      chan struct{} // of capacity 1: the queue got longer
	hurry     chan struct{} // of capacity 1: somebody waits for what is queued
	rests     bool          // it waits for more before it sends, see restEvery

	// Under the publisher's lock. An output in the queue is not changed, so run reads
	// those that it took from the front without it.
	queue []Output // in order of ordinal, all above high; the first may be in flight
	high  uint64   // greatest ordinal of the partition that the stream is known to have
	cause string   // of that output, where it was found there; "": not known, or it is of this outlet's own making
	seen  uint64   // sequence of the last message known of; lastWord.sequence, for others to read
	err   error    // why the latest attempt failed; nil once something was stored

	// Of run alone, once it runs.
	lastWord
	unsure     bool // nobody knows whether the group that was sent last is stored
	now        func() time.Time
	knownAt    time.Time // as of when it is known what the stream has
	groupMax   int       // messages: 1 after a failure, and twice as many after each success
	groupMost  int       // messages: the most that groupMax rises to
	complaints seldom
}

// look asks the stream what it has, and lets go of it.
func (o *outlet) look(ctx context.Context) error {
	began := o.now()
	high, err := o.find(ctx)
	if err != nil {
		return err
	}
	if err := o.compare(high); err != nil {
		return err
	}
	o.unsure, o.knownAt = false, began
	o.settle(high)
	return nil
}

// compare wants the output that the stream was found to have last to be the one that was given, if it was.
func (o *outlet) compare(high uint64) error {
	p := o.publisher
	p.mu.Lock()
	defer p.mu.Unlock()
	if high <= o.high {
		return nil
	}
	cause := o.lastWord.cause
	for i := range o.queue {
		if q := &o.queue[i]; q.Ordinal == high {
			return p.agree(o, q, cause)
		}
	}
	if high <= p.given {
		return saidOtherwise(o.partition, o.log.Name(), high, cause, "nothing")
	}
	o.cause = cause
	return nil
}

// run publishes until ctx ends.
func (o *outlet) run(ctx context.Context) {
	backoff := publishBackoffMin
	for {
		busy, err := o.step(ctx)
		switch {
		case err != nil:
			if sleep(ctx, backoff/2+rand.N(backoff/2)) != nil {
				return
			}
			backoff = min(2*backoff, publishBackoffMax)
		case busy:
			backoff = publishBackoffMin
			if o.waiting() > 0 {
				o.gather(ctx)
			}
		default:
			select {
			case <-o.wake:
				o.gather(ctx)
			case <-ctx.Done():
				return
			}
		}
	}
}

// step sends the next group; where it is not known what the stream has, it looks first. It reports
// whether there was anything to do.
func (o *outlet) step(ctx context.Context) (busy bool, err error) {
	group := o.group()
	if len(group) == 0 {
		return false, nil
	}
	if o.unsure || o.stale() {
		if err = o.look(ctx); err != nil {
			o.failed(ctx, err)
			return true, err
		}
		if group = o.group(); len(group) == 0 {
			return true, nil
		}
	}
	began := o.now()
	sequence, err := o.send(ctx, group)
	if err != nil {
		// Whatever the reason, nobody knows whether the group is stored. And a server that takes no batch
		// of this size, or none at the moment as too many are in flight, takes one message.
		o.unsure, o.groupMax = true, 1
		o.failed(ctx, err)
		return true, err
	}
	o.sequence, o.knownAt = sequence, began
	o.settle(group[len(group)-1].Ordinal)
	o.groupMax = min(2*o.groupMax, o.groupMost)
	return true, nil
}

// stale reports whether something else may have been stored so long ago that the stream would not refuse
// the same again: it knows an id for a while only. Half of that is left for what is on its way.
func (o *outlet) stale() bool {
	return o.filter == "" && o.now().Sub(o.knownAt) > duplicateWindow/2
}

// gather lets the queue grow until those of all partitions are sent, unless somebody waits for it or it is long.
func (o *outlet) gather(ctx context.Context) {
	if !o.rests {
		return
	}
	timer := time.NewTimer(restEvery - time.Duration(time.Now().UnixNano()%int64(restEvery)))
	defer timer.Stop()
	for o.waiting() < restMessagesMax {
		select {
		case <-o.wake:
		case <-timer.C:
			return
		case <-o.hurry:
			return
		case <-ctx.Done():
			return
		}
	}
}

// waiting returns how many outputs the queue has.
func (o *outlet) waiting() int {
	o.publisher.mu.Lock()
	defer o.publisher.mu.Unlock()
	return len(o.queue)
}

// group returns what is to be sent next: the front of the queue.
func (o *outlet) group() []Output {
	o.publisher.mu.Lock()
	defer o.publisher.mu.Unlock()
	n, bytes := 0, 0
	for n < min(len(o.queue), o.groupMax) {
		bytes += o.queue[n].size()
		if n > 0 && bytes > groupBytesMax {
			break
		}
		n++
	}
	return o.queue[:n]
}

// settle takes note that the stream has all up to ordinal.
func (o *outlet) settle(ordinal uint64) {
	p := o.publisher
	p.mu.Lock()
	defer p.mu.Unlock()
	o.seen = o.sequence
	if ordinal <= o.high {
		return // nothing new, or retention took the latest: what was said is said
	}
	o.high, o.err = ordinal, nil
	n := 0
	for n < len(o.queue) && o.queue[n].Ordinal <= ordinal {
		p.bytes -= o.queue[n].size()
		n++
	}
	p.times.stored(o.queue[:n])
	clear(o.queue[:n])
	o.queue = o.queue[n:]
	p.wakeAll()
}

// failed takes note of an error, and complains if it has not done so lately.
func (o *outlet) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	err = fmt.Errorf("partition %d: publish to stream %s: %w", o.partition, o.log.Name(), err)
	o.publisher.mu.Lock()
	o.err = err
	waiting := len(o.queue)
	o.publisher.mu.Unlock()
	if o.complaints.now() {
		o.complain.Warn("outputs are not stored; trying again until they are", "error", err, "waiting", waiting)
	}
}

// send publishes a group and returns the sequence of its last message.
func (o *outlet) send(ctx context.Context, group []Output) (sequence uint64, err error) {
	messages := make([]*nats.Msg, len(group))
	for i := range group {
		messages[i] = group[i].message(o.partition)
	}
	follow(messages[0], o.filter, o.sequence)
	ack, err := o.log.Send(ctx, messages)
	switch {
	case err != nil:
		return 0, err
	case ack.Stream != o.log.Name():
		return 0, fmt.Errorf("subject %s was stored by stream %s: take that subject from it", group[len(group)-1].Subject, ack.Stream)
	case ack.Duplicate:
		o.sequence = min(o.sequence, ack.Sequence-1) // look there again
		return 0, errors.New("it was stored before")
	}
	return ack.Sequence, nil
}

// message makes a message of an output. It has no fewer headers than one.
func (o *Output) message(partition int) *nats.Msg {
	header := make(nats.Header, len(o.Headers)+4)
	for _, h := range o.Headers {
		header[h.Name] = append(header[h.Name], h.Value)
	}
	header[HeaderOutput] = []string{outputName(partition, o.Ordinal)}
	return &nats.Msg{Subject: o.Subject, Header: header, Data: o.Data}
}
