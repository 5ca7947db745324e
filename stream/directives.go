package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// directivesConsumer is the durable consumer that all projectors share. Subscribers
	// read its ack floor: all commands up to there are in the bucket.
	directivesConsumer = "directives"

	// directivesBatchMax bounds how many commands are written side by side, of which
	// only the last of each key is.
	directivesBatchMax = 512

	// directivesRest is how long after a batch the next one is written at the soonest, unless it is full: the disk and the
	// broker are left to deltas and commands. Who needs a command within milliseconds follows the stream.
	directivesRest = 100 * time.Millisecond

	// directivesKnownMax bounds what a projector remembers of the bucket, at about
	// 200 bytes a key. Forgetting costs one more question for a key.
	directivesKnownMax = 1 << 16

	// directivesAckWait is after how long another projector gets a command that this
	// one has not dealt with: so far the bucket may be behind once a process was killed.
	// Where a batch takes longer, it is delivered again, which costs a look at what is known.
	directivesAckWait = 5 * time.Second
)

// DirectiveKey is the key of a directive in the bucket. location may be
// [inventory.Network].
func DirectiveKey(channel, sku, location string) string {
	return codec.Token(channel) + "." + codec.Token(sku) + "." + codec.Token(location)
}

// directiveSubject is the subject of a key in the bucket's stream; "" stands for any.
func (t Topology) directiveSubject(channel, sku, location string) string {
	subject := "$KV." + t.DirectivesBucket()
	for _, part := range []string{channel, sku, location} {
		if part == "" {
			subject += ".*"
		} else {
			subject += "." + codec.Token(part)
		}
	}
	return subject
}

func (t Topology) directivesStream() string { return "KV_" + t.DirectivesBucket() }

// Directives keeps the bucket of directives: the last command per channel, SKU and
// location. It reads the stream of commands, so nothing waits for it. Any number may
// run: a command is written only over one of a lower revision, and in no other case.
type Directives struct {
	js         jetstream.JetStream
	topology   Topology
	log        *slog.Logger
	complaints seldom

	stop context.CancelFunc
	done sync.WaitGroup

	// Of run alone.
	known   map[string]directive // by subject
	groups  *batches
	batches bool // the bucket takes atomic batches
}

// directive is what the bucket holds under a key: the revision of the command and the
// sequence of the message, or zeros for nothing.
type directive struct{ revision, sequence uint64 }

// StartDirectives begins to project, from where the last projector of this deployment
// stopped.
func StartDirectives(ctx context.Context, js jetstream.JetStream, t Topology, log *slog.Logger) (*Directives, error) {
	if log == nil {
		log = slog.Default()
	}
	d := &Directives{js: js, topology: t, log: log, known: map[string]directive{}, groups: newBatches(js)}
	if _, err := d.consumer(ctx); err != nil {
		return nil, fmt.Errorf("directives: %w", err)
	}
	run, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.done.Go(func() { d.run(run) })
	return d, nil
}

// Pending is how many commands are not in the bucket yet.
func (d *Directives) Pending(ctx context.Context) (uint64, error) {
	consumer, err := d.js.Consumer(ctx, d.topology.OutputStream(Command), directivesConsumer)
	if err != nil {
		return 0, fmt.Errorf("directives: ask how many are pending: %w", err)
	}
	info := consumer.CachedInfo()
	return info.NumPending + uint64(info.NumAckPending), nil
}

// Close stops. What it was about to write, the next projector writes.
func (d *Directives) Close() error {
	d.stop()
	d.done.Wait()
	return nil
}

func (d *Directives) consumer(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := withTimeout(ctx, d.js.Options().DefaultTimeout)
	defer cancel()
	return d.js.CreateOrUpdateConsumer(ctx, d.topology.OutputStream(Command), jetstream.ConsumerConfig{
		Durable:       directivesConsumer,
		Description:   "Fills the bucket " + d.topology.DirectivesBucket(),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       directivesAckWait,
		MaxAckPending: 8 * directivesBatchMax,
	})
}

// run projects until ctx ends, with one pull after the other.
func (d *Directives) run(ctx context.Context) {
	backoff := recreateBackoffMin
	for ctx.Err() == nil {
		err := d.project(ctx)
		if ctx.Err() != nil {
			return
		}
		if d.complaints.now() {
			d.log.Warn("directives are not kept; trying again", "error", err)
		}
		_ = sleep(ctx, backoff)
		backoff = min(2*backoff, recreateBackoffMax)
	}
}

// project reads with one consumer until it ends, and says why.
func (d *Directives) project(ctx context.Context) error {
	consumer, err := d.consumer(ctx)
	if err != nil {
		return err
	}
	// A bucket that is gone is waited for where it is written to.
	bucket, err := d.js.Stream(ctx, d.topology.directivesStream())
	d.batches = err == nil && bucket.CachedInfo().Config.AllowAtomicPublish
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	commands := make(chan jetstream.Msg, directivesBatchMax)
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		select {
		case commands <- msg:
		case <-ctx.Done():
			giveBack(msg)
		}
	}, jetstream.PullMaxMessages(directivesBatchMax), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		if endsConsumer(err) {
			cancel(err)
		}
	}))
	if err != nil {
		return err
	}
	defer func() {
		cancel(nil)
		consuming.Drain()
		<-consuming.Closed()
		close(commands)
		for msg := range commands {
			giveBack(msg)
		}
	}()
	then := time.Now().Add(directivesRest) // not before it, unless there are many
	for {
		batch, err := gather(ctx, commands, then)
		if err != nil {
			return err
		}
		if err := d.write(ctx, batch); err != nil {
			giveBack(batch...)
			return err
		}
		then = time.Now().Add(directivesRest)
	}
}

// gather returns the next commands, up to directivesBatchMax: those that come until then and what is there after it, and at least one.
func gather(ctx context.Context, commands <-chan jetstream.Msg, then time.Time) (all []jetstream.Msg, err error) {
	select {
	case msg := <-commands:
		all = append(all, msg)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	timer := time.NewTimer(time.Until(then))
	defer timer.Stop()
	for waits := true; waits && len(all) < directivesBatchMax; {
		select {
		case msg := <-commands:
			all = append(all, msg)
		case <-timer.C:
			waits = false
		case <-ctx.Done():
			giveBack(all...)
			return nil, context.Cause(ctx)
		}
	}
	for len(all) < directivesBatchMax {
		select {
		case msg := <-commands:
			all = append(all, msg)
		default:
			return all, nil
		}
	}
	return all, nil
}

// giveBack lets another projector have the commands at once, which it gets in any case
// after directivesAckWait.
func giveBack(commands ...jetstream.Msg) {
	for _, msg := range commands {
		_ = msg.Nak()
	}
}

// stored asks the leader what the bucket holds.
func (d *Directives) stored(ctx context.Context, subject string) (directive, error) {
	msg, err := leaderGet(ctx, d.js, d.topology.directivesStream(), map[string]any{"last_by_subj": subject})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return directive{}, nil
	}
	if err != nil {
		return directive{}, err
	}
	now := directive{sequence: msg.Sequence}
	if isDirective(msg.header) {
		c, err := codec.DecodeCommand(msg.Data)
		if err != nil {
			return directive{}, err
		}
		now.revision = c.Revision
	}
	return now, nil
}

// isDirective tells a value from the mark that a key was deleted.
func isDirective(h nats.Header) bool {
	return h.Get("KV-Operation") == "" && h.Get("Nats-Marker-Reason") == ""
}

// ReadDirectives yields the last command of each key that matches channel, sku and
// location, where "" matches any, with its sequence in the bucket, in that order, from
// behind the sequence after. It ends with what is there now, or where yield returns false.
func ReadDirectives(ctx context.Context, js jetstream.JetStream, t Topology, after uint64, channel, sku, location string, yield func(sequence uint64, c inventory.Command) bool) error {
	subject, stream := t.directiveSubject(channel, sku, location), t.directivesStream()
	last, err := leaderGet(ctx, js, stream, map[string]any{"last_by_subj": subject})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if last.Sequence <= after {
		return nil
	}
	pass := func(sequence uint64, header nats.Header, data []byte) (bool, error) {
		if !isDirective(header) {
			return true, nil
		}
		c, err := codec.DecodeCommand(data)
		if err != nil {
			return false, fmt.Errorf("directive at sequence %d: %w", sequence, err)
		}
		return yield(sequence, c), nil
	}
	if channel != "" && sku != "" && location != "" {
		_, err := pass(last.Sequence, last.header, last.Data)
		return err
	}
	from := jetstream.ConsumerConfig{
		FilterSubject: subject,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   after + 1,
		Description:   "holdfast reads directives",
	}
	return scan(ctx, js, stream, from, last.Sequence, func(sequence uint64, msg jetstream.Msg) (bool, error) {
		return pass(sequence, msg.Headers(), msg.Data())
	})
}
