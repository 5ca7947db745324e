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
	// only the last of each key is; directivesWriters how many are in flight.
	directivesBatchMax = 512
	directivesWriters  = 16

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

	known map[string]directive // by subject; of run alone
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
	d := &Directives{js: js, topology: t, log: log, known: map[string]directive{}}
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
	for {
		select {
		case msg := <-commands:
			batch := drain(msg, commands)
			if err := d.write(ctx, batch); err != nil {
				giveBack(batch...)
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// drain returns first and what else is there, up to directivesBatchMax.
func drain(first jetstream.Msg, more <-chan jetstream.Msg) []jetstream.Msg {
	all := []jetstream.Msg{first}
	for len(all) < directivesBatchMax {
		select {
		case msg := <-more:
			all = append(all, msg)
		default:
			return all
		}
	}
	return all
}

// giveBack lets another projector have the commands at once, which it gets in any case
// after directivesAckWait.
func giveBack(commands ...jetstream.Msg) {
	for _, msg := range commands {
		_ = msg.Nak()
	}
}

// entry is a command on its way into the bucket.
type entry struct {
	subject  string
	revision uint64
	data     []byte
	now      directive // what the bucket is believed to hold, then what it holds
	err      error
}

// write puts the last command of each key into the bucket and acknowledges them all.
func (d *Directives) write(ctx context.Context, commands []jetstream.Msg) error {
	entries := d.latest(commands)
	work := make(chan *entry)
	var writers sync.WaitGroup
	for range min(directivesWriters, len(entries)) {
		writers.Go(func() {
			for e := range work {
				e.err = d.put(ctx, e)
			}
		})
	}
	for _, e := range entries {
		work <- e
	}
	close(work)
	writers.Wait()

	if len(d.known)+len(entries) > directivesKnownMax {
		clear(d.known)
	}
	for subject, e := range entries {
		if e.err != nil {
			return e.err
		}
		d.known[subject] = e.now
	}
	for _, msg := range commands {
		if err := msg.Ack(); err != nil {
			return fmt.Errorf("acknowledge a command: %w", err)
		}
	}
	return nil
}

// latest returns the command of the highest revision for each key.
func (d *Directives) latest(commands []jetstream.Msg) map[string]*entry {
	entries := make(map[string]*entry, len(commands))
	for _, msg := range commands {
		c, err := codec.DecodeCommand(msg.Data())
		if err == nil && (c.Channel == "" || c.SKU == "" || c.Location == "") {
			err = errors.New("it binds no channel, SKU and location")
		}
		if err != nil {
			d.log.Warn("directives: a message in the stream of commands is none", "subject", msg.Subject(), "error", err)
			continue
		}
		subject := d.topology.directiveSubject(c.Channel, c.SKU, c.Location)
		if e := entries[subject]; e == nil || c.Revision > e.revision {
			entries[subject] = &entry{subject: subject, revision: c.Revision, data: msg.Data(), now: d.known[subject]}
		}
	}
	return entries
}

// put writes e where it is above what the bucket holds, however often that takes. It
// fails only when ctx ends.
func (d *Directives) put(ctx context.Context, e *entry) error {
	backoff := publishBackoffMin
	for {
		if e.now.revision >= e.revision && e.now.sequence > 0 {
			return nil
		}
		err := d.compareAndSet(ctx, e)
		if err == nil {
			return nil
		}
		// Another projector was there, or what we knew is no longer so, or nobody
		// knows what happened: the bucket does.
		stored, lookErr := d.stored(ctx, e.subject)
		if lookErr == nil && stored != e.now {
			e.now = stored
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if d.complaints.now() {
			d.log.Warn("a directive is not written; trying again", "key", e.subject, "error", errors.Join(err, lookErr))
		}
		_ = sleep(ctx, backoff)
		backoff = min(2*backoff, publishBackoffMax)
	}
}

func (d *Directives) compareAndSet(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	ack, err := d.js.PublishMsg(ctx, &nats.Msg{Subject: e.subject, Data: e.data},
		jetstream.WithExpectLastSequencePerSubject(e.now.sequence), jetstream.WithRetryAttempts(0))
	if err == nil {
		e.now = directive{e.revision, ack.Sequence}
	}
	return err
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
