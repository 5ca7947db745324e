package stream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"
)

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
			var shared groupCommits // message by message, in one piece, or as it comes
			for kind := range shared {
				cost := rapid.SampledFrom([]time.Duration{0, time.Hour, singleExpected}).Draw(rt, "message")
				shared[kind] = newGroupCommit(js, cost, batchExpected)
			}
			defer shared.close()
			p, err := openPublisher(ctx, js, w.topology, partition, From{Rejected: at.seen}, w.log, shared)
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

type fault int

const (
	fine       fault = iota
	lostBefore       // it never gets to the server
	lostAfter        // it is stored, but the answer is lost
	late             // it is stored when everybody has given it up
)

var errUnknown = errors.New("nobody knows what became of it")

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
