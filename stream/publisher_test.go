package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type storeFunc = func(context.Context) (*jetstream.PubAck, error)

// outputOf makes the output of that ordinal: the same every time it is asked for.
func (w *world) outputOf(partition int, ordinal uint64, kind Kind) Output {
	o := Output{Ordinal: ordinal, Kind: kind, Data: fmt.Appendf(nil, "%v %d", kind, ordinal)}
	switch kind {
	case Command:
		o.Subject = w.topology.CommandSubject(partition, fmt.Sprintf("channel %d", ordinal%3), "hold")
	case Exception:
		o.Subject = w.topology.ExceptionSubject(partition, "oversell")
	case Audit:
		o.Subject = w.topology.AuditSubject(partition)
	case Rejected:
		o.Subject = w.topology.RejectedSubject("malformed")
		o.Headers = []Header{{"Holdfast-Error", "it is not right"}}
	}
	return o
}

func (w *world) openPublisher(js jetstream.JetStream, partition int) *Publisher {
	w.t.Helper()
	p, err := OpenPublisher(testContext(w.t), js, w.topology, partition, From{}, w.log)
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, p.Close()) })
	return p
}

// say publishes outputs of one kind with ordinals first to last, and waits.
func (w *world) say(p *Publisher, partition int, kind Kind, first, last uint64) {
	w.t.Helper()
	ctx := testContext(w.t)
	for n := first; n <= last; n++ {
		must(w.t, p.Publish(ctx, w.outputOf(partition, n, kind)))
	}
	must(w.t, p.Wait(ctx, last))
}

// said returns the ordinals that a partition has in a stream, in order, and checks
// that each message is what was said.
func (w *world) said(partition int, kind Kind) []uint64 {
	w.t.Helper()
	ordinals, _ := w.saidFrom(partition, kind, 0)
	return ordinals
}

// saidFrom is said from a sequence of the stream on; it returns the last one too.
func (w *world) saidFrom(partition int, kind Kind, first uint64) (ordinals []uint64, last uint64) {
	w.t.Helper()
	messages, last := w.messagesFrom(w.topology.OutputStream(kind), first)
	for _, msg := range messages {
		p, ordinal, ok := parseOutputName(msg.header.Get(HeaderOutput))
		if !ok || p != partition {
			continue
		}
		want := w.outputOf(partition, ordinal, kind)
		if msg.Subject != want.Subject || string(msg.Data) != string(want.Data) {
			w.t.Errorf("%v %d is %q on %s, want %q on %s", kind, ordinal, msg.Data, msg.Subject, want.Data, want.Subject)
		}
		for _, h := range want.Headers {
			if got := msg.header.Get(h.Name); got != h.Value {
				w.t.Errorf("%v %d has %s %q, want %q", kind, ordinal, h.Name, got, h.Value)
			}
		}
		ordinals = append(ordinals, ordinal)
	}
	return ordinals, last
}

// fromTo is first, first+1, … last.
func fromTo(first, last uint64) (all []uint64) {
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

func (w *world) wantSaid(partition int, kind Kind, want []uint64) {
	w.t.Helper()
	if got := w.said(partition, kind); !slices.Equal(got, want) {
		w.t.Errorf("stream %s has %d of partition %d, want %d", w.topology.OutputStream(kind), got, partition, want)
	}
}

// TestOutputsAreSaidOnceWhateverHappens loses what is published, before it is stored
// and after, lets it be stored late, and crashes in between, so that the next publisher
// begins at one of the commits before: each kind's stream has each ordinal once, in order.
// fault is what becomes of one publish.
// faults deals out faults, in order; when there are none left, all is fine.
// gate holds publishes to subjects that contain part until it is opened.
type gate struct {
	part string
	open chan struct{}
	held atomic.Int64
}

func (g *gate) publish(ctx context.Context, msg *nats.Msg, store storeFunc) (*jetstream.PubAck, error) {
	if strings.Contains(msg.Subject, g.part) {
		g.held.Add(1)
		select {
		case <-g.open:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return store(ctx)
}

func TestWhatComesWhileAGroupIsInFlightIsTheNextGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	g := &gate{open: make(chan struct{})}
	var groups []string
	p := w.openPublisher(&tamperedJS{w.js, func(ctx context.Context, msg *nats.Msg, store storeFunc) (*jetstream.PubAck, error) {
		groups = append(groups, msg.Header.Get(headerBatchSequence))
		return g.publish(ctx, msg, store)
	}}, 0)
	const last = 1501
	must(t, p.Publish(ctx, w.outputOf(0, 1, Audit)))
	eventually(t, "the first is in flight", func() bool { return g.held.Load() == 1 })
	for n := uint64(2); n <= last; n++ {
		must(t, p.Publish(ctx, w.outputOf(0, n, Audit)))
	}
	if got := p.Acked(); got != 0 {
		t.Errorf("acked %d before anything was stored", got)
	}
	close(g.open)
	must(t, p.Wait(ctx, last))
	must(t, p.Close())
	w.wantSaid(0, Audit, fromTo(1, last))
	if want := []string{"", "1000", "500"}; !slices.Equal(groups, want) {
		t.Errorf("groups of %q, want %q", groups, want)
	}
}

func TestAGroupIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	w := &world{t: t, topology: Topology{Prefix: "holdfast", Partitions: 1}}
	out := &outlet{publisher: &Publisher{}, groupMax: groupMessagesMax}
	for n := uint64(1); n <= 5; n++ {
		o := w.outputOf(0, n, Audit)
		o.Data = make([]byte, groupBytesMax/2-1000)
		out.queue = append(out.queue, o)
	}
	if got := len(out.group()); got != 2 {
		t.Errorf("a group of %d, want 2", got)
	}
	out.queue[0].Data = make([]byte, 2*groupBytesMax)
	if got := len(out.group()); got != 1 {
		t.Errorf("a group of %d, want the one that is larger than a group", got)
	}
}

func TestKindsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	g := &gate{part: ".command.", open: make(chan struct{})}
	p := w.openPublisher(&tamperedJS{w.js, g.publish}, 0)
	must(t, p.Publish(ctx, w.outputOf(0, 1, Audit)))
	must(t, p.Publish(ctx, w.outputOf(0, 2, Command)))
	must(t, p.Publish(ctx, w.outputOf(0, 3, Audit)))
	eventually(t, "the audit stream has both", func() bool { return w.size(w.topology.OutputStream(Audit)) == 2 })
	eventually(t, "the first is known to be stored", func() bool { return p.Acked() == 1 })
	close(g.open)
	must(t, p.Wait(ctx, 3))
	w.wantSaid(0, Command, []uint64{2})
	w.wantSaid(0, Audit, []uint64{1, 3})
}

func TestAFullQueueBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	g := &gate{open: make(chan struct{})}
	p := w.openPublisher(&tamperedJS{w.js, g.publish}, 0)
	first := w.outputOf(0, 1, Audit)
	p.mu.Lock()
	p.bytesMax = 10 * first.size()
	p.mu.Unlock()
	over, cancel := context.WithCancel(t.Context())
	cancel() // so whoever would wait fails at once
	for n := uint64(1); n <= 10; n++ {
		must(t, p.Publish(over, Output{Ordinal: n, Kind: Audit, Subject: first.Subject, Data: first.Data}))
	}
	next := w.outputOf(0, 11, Audit)
	if err := p.Publish(over, next); !errors.Is(err, context.Canceled) {
		t.Errorf("an output above the bound: %v", err)
	}
	close(g.open)
	must(t, p.Publish(testContext(t), next))
	must(t, p.Wait(testContext(t), 11))
	must(t, p.Publish(over, Output{Ordinal: 12, Kind: Audit, Subject: first.Subject, Data: make([]byte, p.bytesMax)})) // alone it is taken
	must(t, p.Wait(testContext(t), 12))
	if got := w.size(w.topology.OutputStream(Audit)); got != 12 {
		t.Errorf("%d were stored, want 12", got)
	}
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	p := w.openPublisher(w.js, 0)
	w.say(p, 0, Audit, 3, 3)
	must(t, p.Wait(ctx, 99)) // of what was given, all is stored
	if err := p.Publish(ctx, w.outputOf(0, 3, Audit)); err == nil || !strings.Contains(err.Error(), "ordinals must rise") {
		t.Errorf("the same ordinal again: %v", err)
	}
	if err := p.Publish(ctx, Output{Ordinal: 4, Kind: kinds}); err == nil || !strings.Contains(err.Error(), "kind 4") {
		t.Errorf("a kind that is none: %v", err)
	}
}

func TestCloseLeavesWhatIsNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	g := &gate{open: make(chan struct{})}
	p := w.openPublisher(&tamperedJS{w.js, g.publish}, 0)
	must(t, p.Publish(ctx, w.outputOf(0, 1, Audit)))
	waited := make(chan error)
	go func() { waited <- p.Wait(ctx, 1) }()
	eventually(t, "somebody waits", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.moved != nil
	})
	must(t, p.Close())
	if err := <-waited; !errors.Is(err, errPublisherClosed) {
		t.Errorf("who waited got %v", err)
	}
	if err := p.Wait(ctx, 1); !errors.Is(err, errPublisherClosed) {
		t.Errorf("who waits after Close gets %v", err)
	}
	if err := p.Publish(ctx, w.outputOf(0, 2, Audit)); !errors.Is(err, errPublisherClosed) {
		t.Errorf("who publishes after Close gets %v", err)
	}
	if got := p.Acked(); got != 0 {
		t.Errorf("acked %d, want 0", got)
	}
	w.wantSaid(0, Audit, nil)
}

// TestRejectedSeenIsNeverAheadOfAcked wants that a publisher that begins at what was
// asked of another finds all that the other's Acked does not cover.
func TestAPublisherWaitsForAStreamThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	p := w.openPublisher(w.js, 0)
	w.say(p, 0, Command, 1, 2)
	must(t, w.js.DeleteStream(ctx, w.topology.OutputStream(Command)))
	must(t, p.Publish(ctx, w.outputOf(0, 3, Command)))
	must(t, p.Publish(ctx, w.outputOf(0, 4, Command)))
	must(t, p.Publish(ctx, w.outputOf(0, 5, Audit)))
	eventually(t, "it says why nothing is stored", func() bool {
		return p.Err() != nil && strings.Contains(p.Err().Error(), "HOLDFAST_COMMANDS") &&
			strings.Contains(w.logged.String(), "outputs are not stored")
	})
	if got := p.Acked(); got != 2 {
		t.Errorf("acked %d, want 2", got)
	}
	must(t, w.topology.Ensure(ctx, w.js))
	must(t, p.Wait(ctx, 5))
	if err := p.Err(); err != nil {
		t.Errorf("it is mended, but the error is %v", err)
	}
	w.wantSaid(0, Command, fromTo(3, 4))
	if n := strings.Count(w.logged.String(), "outputs are not stored"); n != 1 {
		t.Errorf("it complained %d times in a moment", n)
	}
}

func TestASubjectThatAnotherStreamTakesIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	p := w.openPublisher(w.js, 0)
	must(t, w.js.DeleteStream(ctx, w.topology.OutputStream(Audit)))
	_, err := w.js.CreateStream(ctx, jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"holdfast.audit.>"}})
	must(t, err)
	must(t, p.Publish(ctx, w.outputOf(0, 1, Audit)))
	eventually(t, "it says which stream", func() bool { return strings.Contains(w.logged.String(), "stored by stream OTHER") })
	must(t, p.Close())
}

func TestOpenPublisherFailsWithoutItsStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	must(t, w.js.DeleteStream(ctx, w.topology.OutputStream(Rejected)))
	_, err := OpenPublisher(ctx, w.js, w.topology, 0, From{}, nil)
	if err == nil || !strings.Contains(err.Error(), "HOLDFAST_REJECTED") {
		t.Errorf("got %v, want an error that names the stream", err)
	}
}

func TestAServerThatTakesNoBatchesGetsOneOutputAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	const last = 100
	g, refused := &gate{open: make(chan struct{})}, 0
	p := w.openPublisher(&tamperedJS{w.js, func(ctx context.Context, msg *nats.Msg, store storeFunc) (*jetstream.PubAck, error) {
		if msg.Header.Get(headerBatchID) != "" {
			refused++
			return nil, errors.New("too many batches are in flight")
		}
		return g.publish(ctx, msg, store)
	}}, 0)
	for n := uint64(1); n <= last; n++ {
		must(t, p.Publish(ctx, w.outputOf(0, n, Exception)))
	}
	close(g.open)
	must(t, p.Wait(ctx, last))
	must(t, p.Close())
	w.wantSaid(0, Exception, fromTo(1, last))
	if refused == 0 {
		t.Error("no batch was tried")
	}
}
