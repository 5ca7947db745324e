package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"
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

func TestAReplaySaysNothingTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	for kind := range Kind(kinds) {
		first := w.openPublisher(w.js, 1)
		w.say(first, 1, kind, 1, 5)
		if got := first.Acked(); got != 5 {
			t.Errorf("%v: acked %d, want 5", kind, got)
		}
		must(t, first.Close())
		w.say(w.openPublisher(w.js, 0), 0, kind, 1, 2) // what another says in between is no matter

		again := w.openPublisher(w.js, 1)
		w.say(again, 1, kind, 2, 8)
		w.wantSaid(1, kind, fromTo(1, 8))
		w.wantSaid(0, kind, fromTo(1, 2))
	}
}

// TestOutputsAreSaidOnceWhateverHappens loses what is published, before it is stored
// and after, lets it be stored late, and crashes in between, so that the next publisher
// begins at one of the commits before: each kind's stream has each ordinal once, in order.
func TestOutputsAreSaidOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	w := newServer(t)
	w.topology = Topology{Prefix: "holdfast", Partitions: PartitionsMax, Replicas: 1}
	ctx := testContext(t)
	for _, config := range w.topology.configs()[PartitionsMax:] {
		config.Storage = jetstream.MemoryStorage // or most of the time goes to the files of batches
		_, err := w.js.CreateStream(ctx, config)
		must(t, err)
	}
	partition, from := 0, [kinds]uint64{1, 1, 1, 1}
	rapid.Check(t, func(rt *rapid.T) {
		partition++ // each run is a partition of its own
		faults := newFaults(rapid.SliceOfN(rapid.SampledFrom([]fault{fine, fine, lostBefore, lostAfter, late}), 0, 8).Draw(rt, "faults"))
		js := &tamperedJS{JetStream: w.js, publish: faults.publish}

		// commit is what the state would hold of the publisher.
		type commit struct{ seen, acked uint64 }
		commits := []commit{{seen: from[Rejected] - 1}}
		kindOf := []Kind{0} // by ordinal
		life := func(end uint64, orderly bool) {
			w.publish(w.topology.RejectedSubject("other"), nil) // another partition's
			at := commits[len(commits)-1]
			p, err := openPublisher(ctx, js, w.topology, partition, From{Rejected: at.seen}, w.log, rapid.SampledFrom([]int{1, 3, groupMessagesMin}).Draw(rt, "group"))
			if err != nil {
				rt.Fatal(err)
			}
			defer func() { must(t, p.Close()) }()
			for n := at.acked + 1; n <= end; n++ {
				if n == uint64(len(kindOf)) {
					kindOf = append(kindOf, rapid.SampledFrom([]Kind{Command, Exception, Audit, Rejected, Rejected}).Draw(rt, "kind"))
				}
				if err := p.Publish(ctx, w.outputOf(partition, n, kindOf[n])); err != nil {
					rt.Fatal(err)
				}
				if rapid.IntRange(0, 4).Draw(rt, "wait") == 0 {
					if err := p.Wait(ctx, n-1); err != nil {
						rt.Fatal(err)
					}
				}
				if rapid.Bool().Draw(rt, "commit") {
					commits = append(commits, commit{p.RejectedSeen(), p.Acked()})
				}
			}
			if orderly {
				if err := p.Wait(ctx, end); err != nil {
					rt.Fatal(err)
				}
				commits = append(commits, commit{p.RejectedSeen(), p.Acked()})
			}
		}
		for range rapid.IntRange(1, 4).Draw(rt, "crashes") {
			life(commits[len(commits)-1].acked+rapid.Uint64Range(1, 20).Draw(rt, "outputs"), rapid.Bool().Draw(rt, "orderly"))
			commits = commits[:rapid.IntRange(1, len(commits)).Draw(rt, "commits that are left")]
		}
		life(uint64(len(kindOf)-1), true) // says what is left
		faults.storeLate()
		want := map[Kind][]uint64{}
		for n := uint64(1); n < uint64(len(kindOf)); n++ {
			want[kindOf[n]] = append(want[kindOf[n]], n)
		}
		for kind := range Kind(kinds) {
			got, end := w.saidFrom(partition, kind, from[kind])
			from[kind] = end + 1
			if !slices.Equal(got, want[kind]) {
				rt.Fatalf("%v: the stream has %d, want %d", kind, got, want[kind])
			}
		}
	})
}

// fault is what becomes of one publish.
type fault int

const (
	fine       fault = iota
	lostBefore       // it never gets to the server
	lostAfter        // it is stored, but the answer is lost
	late             // it is stored when everybody has given it up
)

var errUnknown = errors.New("nobody knows what became of it")

// faults deals out faults, in order; when there are none left, all is fine.
type faults struct {
	mu      sync.Mutex
	planned []fault
	late    []storeFunc
}

func newFaults(planned []fault) *faults { return &faults{planned: planned} }

func (f *faults) next() fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.planned) == 0 {
		return fine
	}
	next := f.planned[0]
	f.planned = f.planned[1:]
	return next
}

func (f *faults) publish(ctx context.Context, _ *nats.Msg, store storeFunc) (*jetstream.PubAck, error) {
	switch f.next() {
	case lostBefore:
		return nil, errUnknown
	case lostAfter:
		if _, err := store(ctx); err != nil {
			return nil, err
		}
		return nil, errUnknown
	case late:
		f.mu.Lock()
		f.late = append(f.late, store)
		f.mu.Unlock()
		return nil, errUnknown
	}
	ack, err := store(ctx)
	f.storeLate() // those that were late come after what was sent after them
	return ack, err
}

func (f *faults) storeLate() {
	f.mu.Lock()
	stores := f.late
	f.late = nil
	f.mu.Unlock()
	for _, store := range stores {
		_, _ = store(context.Background()) // refused, as it should be, or stored
	}
}

func TestTwoPublishersOfOnePartitionSayEachOutputOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	const last = 500
	var both sync.WaitGroup
	for range 2 {
		_, js := w.connect()
		p := w.openPublisher(js, 0)
		both.Go(func() {
			for n := uint64(1); n <= last; n++ {
				if err := p.Publish(ctx, w.outputOf(0, n, Command)); err != nil {
					t.Error(err)
					return
				}
			}
			if err := p.Wait(ctx, last); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	w.wantSaid(0, Command, fromTo(1, last))
}

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

func TestOpenFindsTheLastRejectedAmongThoseOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	ctx := testContext(t)
	w.say(w.openPublisher(w.js, 1), 1, Rejected, 1, 3)
	w.say(w.openPublisher(w.js, 2), 2, Rejected, 1, 2)
	w.publish("holdfast.rejected.other", []byte("somebody else's"))
	stored := w.messages(w.topology.OutputStream(Rejected))

	for _, c := range []struct {
		name  string
		since time.Time
		want  uint64
	}{
		{"no position", time.Time{}, 3},
		{"a position before", stored[0].Time.Add(-time.Hour), 3},
		{"a position just after, by a clock that is ahead", stored[5].Time.Add(time.Second), 3},
		{"a position long after", stored[5].Time.Add(time.Hour), 0},
	} {
		p, err := OpenPublisher(ctx, w.js, w.topology, 1, From{Time: c.since}, w.log)
		must(t, err)
		if got := p.outlets[Rejected].high; got != c.want {
			t.Errorf("%s: the last is %d, want %d", c.name, got, c.want)
		}
		must(t, p.Close())
	}
	p := w.openPublisher(w.js, 1)
	w.say(p, 1, Rejected, 2, 5)
	w.wantSaid(1, Rejected, fromTo(1, 5))

	// What was seen before is not read again, and what came behind it is found.
	seen := p.RejectedSeen()
	w.say(w.openPublisher(w.js, 2), 2, Rejected, 3, 3)
	w.say(w.openPublisher(w.js, 1), 1, Rejected, 6, 7)
	w.say(w.openPublisher(w.js, 2), 2, Rejected, 4, 4)
	for from, want := range map[uint64]uint64{seen: 7, seen + 3: 0} {
		p, err := OpenPublisher(ctx, w.js, w.topology, 1, From{Rejected: from}, w.log)
		must(t, err)
		if got := p.outlets[Rejected].high; got != want {
			t.Errorf("behind %d: the last is %d, want %d", from, got, want)
		}
		must(t, p.Close())
	}
}

// TestRejectedSeenIsNeverAheadOfAcked wants that a publisher that begins at what was
// asked of another finds all that the other's Acked does not cover.
func TestRejectedSeenIsNeverAheadOfAcked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	ctx := testContext(t)
	w.publish(w.topology.RejectedSubject("other"), nil)
	wantSeen := func(when string, p *Publisher, want uint64) {
		t.Helper()
		if got := p.RejectedSeen(); got != want {
			t.Errorf("%s: seen up to %d, want %d", when, got, want)
		}
	}
	g := &gate{part: ".command.", open: make(chan struct{})}
	p := w.openPublisher(&tamperedJS{w.js, g.publish}, 0)
	wantSeen("nothing said", p, 1)
	must(t, p.Publish(ctx, w.outputOf(0, 1, Command)))
	must(t, p.Publish(ctx, w.outputOf(0, 2, Rejected)))
	eventually(t, "the rejected one is known to be stored", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.outlets[Rejected].high == 2
	})
	wantSeen("a command before it is not stored", p, 1)
	close(g.open)
	must(t, p.Wait(ctx, 2))
	wantSeen("both are stored", p, 2)
	must(t, p.Close())

	w.publish(w.topology.RejectedSubject("other"), nil)
	p, err := OpenPublisher(ctx, w.js, w.topology, 0, From{Rejected: 1}, w.log)
	must(t, err)
	wantSeen("a replay has said nothing yet", p, 1)
	w.say(p, 0, Command, 1, 1)
	wantSeen("a replay is on its way", p, 1)
	must(t, p.Publish(ctx, w.outputOf(0, 2, Rejected)))
	wantSeen("a replay has caught up", p, 3)
	must(t, p.Close())

	// Who begins too far is told by the stream, for as long as that remembers.
	p, err = OpenPublisher(ctx, w.js, w.topology, 0, From{Rejected: 3}, w.log)
	must(t, err)
	w.say(p, 0, Rejected, 2, 3)
	must(t, p.Close())
	w.wantSaid(0, Rejected, []uint64{2, 3})
}

func TestAForeignMessageHidesNoOutput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.say(w.openPublisher(w.js, 0), 0, Command, 1, 3)
	w.publish("holdfast.command.0.web.hold", []byte("by hand"))
	p := w.openPublisher(w.js, 0)
	w.say(p, 0, Command, 1, 4)
	w.publish("holdfast.command.0.web.hold", []byte("by hand"))
	w.say(p, 0, Command, 5, 5)
	w.wantSaid(0, Command, fromTo(1, 5))
}

func TestWhatRetentionTookIsNotSaidAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	p := w.openPublisher(w.js, 0)
	for kind := range Kind(kinds) {
		first := uint64(kind)*10 + 1
		w.say(p, 0, kind, first, first+4)
		s, err := w.js.Stream(ctx, w.topology.OutputStream(kind))
		must(t, err)
		must(t, s.Purge(ctx))
		w.say(p, 0, kind, first+5, first+6)
		w.wantSaid(0, kind, fromTo(first+5, first+6))
	}
}

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

func TestFewOutputsGoOneByOne(t *testing.T) {
	t.Parallel()
	w := &world{t: t, topology: Topology{Prefix: "holdfast", Partitions: 1}}
	out := &outlet{publisher: &Publisher{}, groupMax: groupMessagesMax, groupMin: groupMessagesMin}
	for n := uint64(1); n < groupMessagesMin; n++ {
		out.queue = append(out.queue, w.outputOf(0, n, Audit))
		if got := len(out.group()); got != 1 {
			t.Fatalf("a group of %d where %d wait, want 1", got, n)
		}
	}
	out.queue = append(out.queue, w.outputOf(0, groupMessagesMin, Audit))
	if got := len(out.group()); got != groupMessagesMin {
		t.Errorf("a group of %d, want %d", got, groupMessagesMin)
	}
}
