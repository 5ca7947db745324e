package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// publisherBytesMax bounds what a publisher holds that is not known to be stored yet,
// in bytes of payload, subject and headers. A partition whose outputs can't be stored
// stands still when it is full.
const publisherBytesMax = 64 << 20

// errPublisherClosed is what those get who wait when the publisher is closed.
var errPublisherClosed = errors.New("the publisher is closed")

// Publisher publishes one partition's outputs, each once, in order of ordinal within
// each kind's stream. The kinds don't wait for each other.
//
// # Once
//
// At open, and whenever it can't know whether something was stored, the publisher asks
// the stream for the greatest ordinal that it has of the partition, and is silent up to
// there. That alone would not do where a message that was given up for lost is stored
// after the question. So whatever is sent says what it has to follow: the partition's
// last message in that stream, by sequence. The stream refuses it where something came
// in between: a message thought lost, or another process that believes it owns the
// partition. The subjects of [Rejected] name no partition, so there the first message
// of a group carries its ordinal as a Nats-Msg-Id instead: a group begins behind the
// last one that is stored, so two that differ on what that is begin alike, and the
// stream refuses the second, for as long as its duplicate window. Who has not looked for half of
// that looks again before it sends.
//
// Publish is for one goroutine; the rest is for any.
type Publisher struct {
	outlets [kinds]*outlet
	times   commandTimes
	stop    context.CancelFunc
	done    sync.WaitGroup
	said    []Said
	own     groupCommits // those that nobody else shares

	mu       sync.Mutex
	given    uint64 // ordinal of the last output that Publish took
	bytes    int    // of what is in all queues
	bytesMax int
	seen     uint64 // see RejectedSeen
	closed   bool
	moved    chan struct{} // closed when a queue gets shorter or at Close; nil while nobody waits
}

// From bounds the search for what a partition has said, where a stream has to be read for
// it: what a publisher will be given was stored for the first time after From. The zero From
// is the beginning.
type From struct {
	Time     time.Time // the log time of the stored position; clocks of server nodes may differ by a minute
	Rejected uint64    // what RejectedSeen was when the position was stored; 0: not known
}

// OpenPublisher finds out what partition p has said, and is then ready to say more.
func OpenPublisher(ctx context.Context, js jetstream.JetStream, t Topology, p int, from From, log *slog.Logger) (*Publisher, error) {
	commits := newGroupCommits(js)
	publisher, err := openPublisher(ctx, js, t, p, from, log, commits)
	if err != nil {
		commits.close()
		return nil, err
	}
	publisher.own = commits
	return publisher, nil
}

// openPublisher is OpenPublisher for one that shares its syncs with others.
func openPublisher(ctx context.Context, js jetstream.JetStream, t Topology, p int, from From, log *slog.Logger, commits groupCommits) (*Publisher, error) {
	publisher, err := NewPublisher(ctx, PublisherConfig{
		Topology:  t,
		Partition: p,
		Streams: func(kind Kind) OutputLog {
			return &leaderOutputs{js: js, stream: t.OutputStream(kind), partition: p, commits: commits[kind]}
		},
		Log: log,
		Now: time.Now,
	}, from)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	publisher.stop = stop
	for _, out := range publisher.outlets {
		publisher.done.Go(func() { out.run(running) })
	}
	return publisher, nil
}

// PublisherConfig is what a publisher is made of.
type PublisherConfig struct {
	Topology  Topology
	Partition int
	Streams   func(Kind) OutputLog
	GroupMax  int          // outputs that are sent as one group, at most; 0 means as many as a server takes
	Log       *slog.Logger // nil: slog.Default()
	Now       func() time.Time
}

// NewPublisher is [OpenPublisher] for a publisher that does nothing by itself: its owner calls Step.
func NewPublisher(ctx context.Context, config PublisherConfig, from From) (*Publisher, error) {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	t, p := config.Topology, config.Partition
	if config.GroupMax == 0 {
		config.GroupMax = groupMessagesMax
	}
	publisher := &Publisher{bytesMax: publisherBytesMax, seen: from.Rejected, stop: func() {}}
	for kind := range Kind(kinds) {
		out := &outlet{
			publisher: publisher,
			complain:  config.Log,
			wake:      make(chan struct{}, 1),
			hurry:     make(chan struct{}, 1),
			lastWord: lastWord{
				log:       config.Streams(kind),
				filter:    t.partitionFilter(kind, p),
				all:       t.outputFilter(kind),
				partition: p,
			},
			now:       config.Now,
			groupMax:  config.GroupMax,
			groupMost: config.GroupMax,
		}
		if !from.Time.IsZero() {
			out.since = from.Time.Add(-clockDifferenceMax)
		}
		if kind == Rejected {
			out.sequence = from.Rejected
		}
		out.rests = kind != Command
		if err := out.look(ctx); err != nil {
			return nil, fmt.Errorf("partition %d: find its last output: %w", p, err)
		}
		publisher.outlets[kind] = out
		publisher.said = append(publisher.said, Said{out.log.Name(), out.high, out.cause})
	}
	return publisher, nil
}

// Step sends a group of one kind, or looks what its stream has; it reports whether there was anything
// to do. It is for a publisher that was made by NewPublisher.
func (p *Publisher) Step(ctx context.Context, kind Kind) (busy bool, err error) {
	return p.outlets[kind].step(ctx)
}

// Publish takes o over and sees to it that it is stored; ordinals must rise. It says
// nothing for what the stream has already, and blocks only where the queue is full. Its
// error is ctx's, or says that the publisher is closed or o is wrong.
func (p *Publisher) Publish(ctx context.Context, o Output) error {
	if o.Kind >= kinds {
		return fmt.Errorf("publish output %d: there is no %v", o.Ordinal, o.Kind)
	}
	out, size := p.outlets[o.Kind], o.size()
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Ordinal <= p.given {
		return fmt.Errorf("publish output %d: output %d was published before it: ordinals must rise", o.Ordinal, p.given)
	}
	// An empty queue takes whatever comes, however large.
	for o.Ordinal > out.high && p.bytes > 0 && p.bytes+size > p.bytesMax {
		if err := p.wait(ctx); err != nil {
			return fmt.Errorf("publish output %d: the queue is full: %w", o.Ordinal, err)
		}
	}
	if p.closed {
		return fmt.Errorf("publish output %d: %w", o.Ordinal, errPublisherClosed)
	}
	for _, other := range p.outlets { // who has said it already, has to have said the same
		if other.high == o.Ordinal && other.cause != "" {
			if err := p.agree(other, &o, other.cause); err != nil {
				return err
			}
		}
	}
	p.given = o.Ordinal
	if o.Ordinal <= out.high {
		return nil
	}
	p.bytes += size
	if o.Kind == Command {
		o.said = time.Now()
	}
	out.queue = append(out.queue, o)
	wake(out.wake)
	return nil
}

// agree wants o to be what a stream has under its ordinal, by its kind and by the message that it is about. What is not known
// of either agrees.
func (p *Publisher) agree(with *outlet, o *Output, cause string) error {
	own := o.causeName()
	if p.outlets[o.Kind] == with && (cause == own || cause == "" || own == "") {
		return nil
	}
	return saidOtherwise(with.partition, with.log.Name(), o.Ordinal, cause, own)
}

// Said returns what each stream was found to have last of the partition, when the publisher was opened.
func (p *Publisher) Said() []Said { return p.said }

// Acked returns the ordinal up to which every output that was given to Publish is in
// its stream; 0 before the first one.
func (p *Publisher) Acked() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acked()
}

// acked is Acked, under the lock.
func (p *Publisher) acked() uint64 { return min(p.given, p.pending()-1) }

// pending returns the first ordinal that is not known to be stored. Under the lock.
func (p *Publisher) pending() uint64 {
	first := uint64(math.MaxUint64)
	for _, out := range p.outlets {
		if len(out.queue) > 0 {
			first = min(first, out.queue[0].Ordinal)
		}
	}
	return first
}

// Wait returns when every output up to ordinal that was given to Publish is in its
// stream, with ctx's error, or when the publisher is closed.
func (p *Publisher) Wait(ctx context.Context, ordinal uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pending() <= ordinal {
		if err := p.wait(ctx); err != nil {
			return fmt.Errorf("wait for output %d: %w", ordinal, err)
		}
	}
	return nil
}

// wait lets go of the lock until a queue gets shorter.
func (p *Publisher) wait(ctx context.Context) error {
	if p.closed {
		return errPublisherClosed
	}
	if p.moved == nil {
		p.moved = make(chan struct{})
	}
	moved := p.moved
	for _, out := range p.outlets {
		wake(out.hurry)
	}
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wakeAll wakes all that wait. Under the lock.
func (p *Publisher) wakeAll() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// RejectedSeen returns a sequence in the stream of rejected deltas: what stands there of
// this partition, up to that sequence, has ordinals up to Acked. Ask for it before Acked
// where both are stored together.
func (p *Publisher) RejectedSeen() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	// What was found there may be ahead of what a replay has reached, or of another kind
	// that is not stored yet; then the next publisher has to find it again.
	if out := p.outlets[Rejected]; p.acked() >= out.high {
		p.seen = out.seen
	}
	return p.seen
}

// Err says why outputs are not being stored; nil while they are. It is being retried.
func (p *Publisher) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, out := range p.outlets {
		if out.err != nil {
			return out.err
		}
	}
	return nil
}

// waiting returns how many outputs of each kind are not known to be stored.
func (p *Publisher) waiting() (all [kinds]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for kind, out := range p.outlets {
		all[kind] = len(out.queue)
	}
	return all
}

// Close stops publishing, waits until it has, and leaves what is queued where it is: in
// the outbox, as far as that matters. See Wait.
func (p *Publisher) Close() error {
	p.mu.Lock()
	p.closed = true
	p.wakeAll()
	p.mu.Unlock()
	p.stop()
	p.done.Wait()
	p.own.close()
	return nil
}
