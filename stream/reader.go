package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/state"
)

// Bounds of what a reader holds in memory. The zero value of a field means its default.
type Bounds struct {
	// Fetches is how many there are: one with the reader's caller, one being filled,
	// the others full in between. At least 2; 4 by default.
	Fetches int

	// FetchDeltas and FetchBytes bound a fetch; the message that reaches a bound is
	// still in it. 1024 deltas and 1 MiB by default.
	FetchDeltas, FetchBytes int

	// PullMessages and PullBytes bound what is asked of the server at once, 5000
	// messages and 2 MiB by default: fewer messages cost speed, unbounded bytes too.
	// PullBytes must not be less than a message can have.
	PullMessages, PullBytes int
}

const (
	fetchesDefault      = 4
	fetchDeltasDefault  = 1024
	fetchBytesDefault   = 1 << 20
	PullMessagesDefault = 5000

	// PullBytesDefault lets sixteen partitions, which share a connection, ask for half of the 64 MiB
	// that nats-server holds for a client before it takes it for a slow consumer and hangs up.
	PullBytesDefault = 2 << 20
)

func (b Bounds) withDefaults() Bounds {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	set(&b.Fetches, fetchesDefault)
	set(&b.FetchDeltas, fetchDeltasDefault)
	set(&b.FetchBytes, fetchBytesDefault)
	set(&b.PullMessages, PullMessagesDefault)
	set(&b.PullBytes, PullBytesDefault)
	b.Fetches = max(b.Fetches, 2)
	b.PullBytes = max(b.PullBytes, 2*PayloadBytesMax)
	return b
}

const (
	// progressCheck is how often a reader that got nothing asks the stream whether
	// there was something. A leader change can leave a pull waiting for ever.
	progressCheck = 3 * time.Second

	// consumerInactiveMax is when the server removes a consumer that nobody pulls from:
	// what is left of a process that died.
	consumerInactiveMax = time.Minute

	recreateBackoffMin = 50 * time.Millisecond
	recreateBackoffMax = 5 * time.Second
)

// Reader reads one partition's log, in order and without a gap, and decodes ahead of
// its caller. It makes consumers as it needs them: they are ephemeral and know of no
// acknowledgements, and the only cursor is the sequence that the caller stored.
//
// One goroutine, run, owns the consumer. The consumer's own goroutine fills fetches;
// Next and Recycle are for one other goroutine.
type Reader struct {
	js        jetstream.JetStream
	topology  Topology
	partition int
	bounds    Bounds
	log       *slog.Logger
	control   string // the subject of what is no delta
	queue     *fetchQueue
	after     state.Position // behind which it began; Sequence 0: at the beginning
	openLast  uint64

	// next is the sequence that the consumer has to deliver next. It is written by
	// the goroutine of the consumer that is alive, and by run only between two.
	next atomic.Uint64

	stop context.CancelFunc
	done sync.WaitGroup
}

// Open starts to read partition p behind the position after, or with its message where that is applied in part, from its beginning where that is none (Sequence 0). It
// looks at the stream and fails where that can't be done; see [CheckPosition] for what to check before.
func Open(ctx context.Context, js jetstream.JetStream, t Topology, p int, after state.Position, bounds Bounds) (*Reader, error) {
	now, err := streamState(ctx, js, t.DeltaStream(p))
	if err != nil {
		return nil, err
	}
	bounds = bounds.withDefaults()
	r := &Reader{
		js:        js,
		topology:  t,
		partition: p,
		control:   t.ControlSubject(p),
		bounds:    bounds,
		log:       slog.Default(),
		queue:     newFetchQueue(bounds),
		after:     after,
		openLast:  now.LastSeq,
	}
	r.next.Store(after.Whole() + 1)
	run, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.done.Go(func() { r.run(run) })
	return r, nil
}

// LastAtOpen is the stream's last sequence when the reader was opened; a partition
// that has applied it has caught up.
func (r *Reader) LastAtOpen() uint64 { return r.openLast }

// Next returns the messages that are there, as soon as there is one, up to the bounds
// of a fetch. Its error is ctx's, or final: one that wraps [ErrLogDiffers] where
// messages are gone for ever.
func (r *Reader) Next(ctx context.Context) (*Fetch, error) { return r.Await(ctx, 0, nil) }

// Await is Next that gives up, with neither fetch nor error, after rest if that is
// above 0, or when something comes through interrupt.
func (r *Reader) Await(ctx context.Context, rest time.Duration, interrupt <-chan struct{}) (*Fetch, error) {
	return r.queue.await(ctx, rest, interrupt)
}

// Recycle takes a fetch back. Nothing of it may be used after that: the deltas'
// strings borrow from its messages.
func (r *Reader) Recycle(f *Fetch) { r.queue.recycle(f) }

// Close stops reading and waits until it has.
func (r *Reader) Close() error {
	r.stop()
	r.done.Wait()
	return nil
}

// errLost says that messages were lost between the server and us, and are still there.
var errLost = errors.New("messages were lost in transit")

// run makes a consumer, watches it, and makes another where it ends, until ctx does.
func (r *Reader) run(ctx context.Context) {
	backoff := recreateBackoffMin
	for ctx.Err() == nil {
		before := r.next.Load()
		err := r.consume(ctx)
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, ErrLogDiffers) {
			r.queue.fail(err)
			return
		}
		if r.next.Load() > before {
			backoff = recreateBackoffMin
		}
		r.log.Warn("reader: making another consumer", "partition", r.partition, "next", r.next.Load(), "after", backoff, "reason", err)
		if sleep(ctx, backoff) != nil {
			break
		}
		backoff = min(2*backoff, recreateBackoffMax)
	}
	r.queue.fail(errors.New("the reader is closed"))
}

// consume reads with one consumer until it ends, and says why.
func (r *Reader) consume(ctx context.Context) error {
	stream := r.topology.DeltaStream(r.partition)
	created, cancel := withTimeout(ctx, r.js.Options().DefaultTimeout)
	consumer, err := r.js.CreateConsumer(created, stream, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.next.Load(),
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: consumerInactiveMax,
		MemoryStorage:     true,
		Replicas:          1,
		Description:       fmt.Sprintf("holdfast reader of partition %d", r.partition),
	})
	cancel()
	if err != nil {
		return fmt.Errorf("create a consumer: %w", err)
	}
	// A consumer ends when the server does, and that may have come back without the log's tail. Who asks for
	// what comes after it would skip what was stored in its place. Looked at now, for the consumer is of that log and
	// ends with it: what is looked at before may be another.
	if at := r.position(); at != nil {
		if err := CheckPosition(ctx, r.js, r.topology, r.partition, at); err != nil {
			deleteConsumer(ctx, r.js, stream, consumer)
			return err
		}
	}

	d := &delivery{reader: r, stop: make(chan struct{}), ended: make(chan error, 1)}
	consuming, err := consumer.Consume(d.handle,
		jetstream.PullMaxMessagesWithBytesLimit(r.bounds.PullMessages, r.bounds.PullBytes),
		jetstream.ConsumeErrHandler(d.trouble))
	if err == nil {
		err = r.watch(ctx, d)
		close(d.stop) // lets a blocked handler go
		consuming.Stop()
		<-consuming.Closed()
	}
	deleteConsumer(ctx, r.js, stream, consumer)
	return err
}

// position is that of the last message read, by this reader or before it was opened; nil: none is.
func (r *Reader) position() *state.Position {
	if at := r.queue.position(); at != nil {
		return at
	}
	if r.after.Sequence > 0 {
		return &r.after
	}
	return nil
}

// watch returns when d ended, ctx did, the stream moves on without us, or it lost what we have read.
func (r *Reader) watch(ctx context.Context, d *delivery) error {
	ticker := time.NewTicker(progressCheck)
	defer ticker.Stop()
	seen, behind := r.next.Load(), false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-d.ended:
			if errors.Is(err, errGap) {
				return r.explainGap(ctx, d.gapTo)
			}
			return err
		case <-ticker.C:
		}
		next := r.next.Load()
		if next != seen || r.queue.blocked() {
			seen, behind = next, false
			continue
		}
		log, err := streamState(ctx, r.js, r.topology.DeltaStream(r.partition))
		if err != nil {
			continue // the connection's trouble shows by itself
		}
		if log.LastSeq+1 < next { // consume says what that means
			return fmt.Errorf("the stream ends at %d, and %d was read", log.LastSeq, next-1)
		}
		if log.LastSeq < next {
			behind = false
			continue
		}
		if behind { // twice in a row, so it is not just on its way
			if err := r.explainGap(ctx, log.LastSeq+1); errors.Is(err, ErrLogDiffers) {
				return err
			}
			return fmt.Errorf("stalled: the stream ends at %d, the consumer delivered nothing for %v", log.LastSeq, progressCheck)
		}
		behind = true
	}
}

// explainGap finds out why the messages from next up to, but without, to did not come.
func (r *Reader) explainGap(ctx context.Context, to uint64) error {
	next, stream := r.next.Load(), r.topology.DeltaStream(r.partition)
	log, err := streamState(ctx, r.js, stream)
	if err != nil {
		return err
	}
	gone := func(last uint64, why string) error {
		return fmt.Errorf("partition %d: messages %d to %d of stream %s are gone (%s) and were not applied: %w: %s", r.partition, next, last, stream, why, ErrLogDiffers, wayOut)
	}
	if log.FirstSeq > next {
		return gone(log.FirstSeq-1, "removed by retention or a purge")
	}
	_, err = leaderGet(ctx, r.js, stream, map[string]any{"seq": next})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return gone(to-1, "deleted, or the broker can't read them from its disk")
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %d to %d", errLost, next, to-1)
}

// errGap ends a delivery at a message that is not the next one; delivery.gapTo is it.
var errGap = errors.New("gap")

// delivery is what one consumer delivers.
type delivery struct {
	reader *Reader
	stop   chan struct{} // closed: take nothing more
	ended  chan error    // of capacity 1: the first reason why this consumer is of no more use
	gapTo  uint64        // written before errGap is sent

	over bool // the handler's alone
}

func (d *delivery) end(err error) {
	select {
	case d.ended <- err:
	default:
	}
}

// handle runs on the consumer's goroutine. What it is given is its own to keep: the
// client library makes new memory for each message.
func (d *delivery) handle(msg jetstream.Msg) {
	if d.over {
		return
	}
	sequence, unixNanos, ok := parseAckReply(msg.Reply())
	if !ok {
		d.over = true
		d.end(fmt.Errorf("reply subject %q is none of JetStream's", msg.Reply()))
		return
	}
	switch next := d.reader.next.Load(); {
	case sequence < next:
		return // delivered before; harmless
	case sequence > next:
		d.over = true
		d.gapTo = sequence
		d.end(errGap)
		return
	}
	if !d.reader.queue.put(d.stop, sequence, unixNanos, msg.Data(), msg.Subject() == d.reader.control) {
		d.over = true
		return
	}
	d.reader.next.Store(sequence + 1)
}

// trouble hears of what the client library sees go wrong.
func (d *delivery) trouble(_ jetstream.ConsumeContext, err error) {
	if endsConsumer(err) {
		d.end(err)
	}
}

// endsConsumer tells what a consumer does not get over. After a missed heartbeat or a
// reconnect the library pulls again by itself, but what it pulls from may be gone.
func endsConsumer(err error) bool {
	for _, end := range []error{
		jetstream.ErrConsumerDeleted,
		jetstream.ErrConsumerNotFound,
		jetstream.ErrNoHeartbeat,
		jetstream.ErrConnectionClosed,
		jetstream.ErrBadRequest,
		jetstream.ErrServerShutdown,
		jetstream.ErrConsumerLeadershipChanged,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// sleep waits for a time, or returns ctx's error where that comes first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
