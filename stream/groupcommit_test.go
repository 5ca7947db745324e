package stream

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// group makes messages of outputs of a partition that follow the sequence after.
func (w *world) group(partition int, first, last, after uint64) (group []*nats.Msg) {
	for n := first; n <= last; n++ {
		o := w.outputOf(partition, n, Command)
		group = append(group, o.message(partition))
	}
	follow(group[0], w.topology.partitionFilter(Command, partition), after)
	return group
}

// sendAtOnce gives all groups while the first is under way, and returns what became of each.
func (w *world) sendAtOnce(c *groupCommit, g *gate, groups ...[]*nats.Msg) []*offer {
	w.t.Helper()
	ctx := testContext(w.t)
	offers := make([]*offer, len(groups))
	var sending sync.WaitGroup
	for i, group := range groups {
		offers[i] = &offer{}
		sending.Go(func() { offers[i].ack, offers[i].err = c.send(ctx, group) })
		// The first is on its way before there is a second, and the others wait in this order.
		eventually(w.t, "it is taken", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return g.held.Load() == 1 && len(c.waiting) == i
		})
	}
	close(g.open)
	sending.Wait()
	return offers
}

// TestPartitionsShareABatch has three partitions wait for a fourth.
func TestPartitionsShareABatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		single  time.Duration // what a message is believed to cost, and a batch
		batch   time.Duration
		after   uint64 // what the second of those that wait believes to follow
		batches int    // in the stream, of the messages of all three
	}{
		{"in one piece", time.Hour, 0, 0, 1},
		{"but for one that is refused", time.Hour, 0, 99, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4)
			g := &gate{open: make(chan struct{})}
			commits := newGroupCommit(&tamperedJS{w.js, g.publish}, c.single, c.batch)
			defer commits.close()
			offers := w.sendAtOnce(commits, g, w.group(3, 1, 1, 0), w.group(0, 1, 3, 0), w.group(1, 4, 6, c.after), w.group(2, 7, 9, 0))
			batches := map[string]bool{}
			messages, _ := w.messagesFrom(w.topology.OutputStream(Command), 0)
			for _, msg := range messages {
				if id := msg.header.Get(headerBatchID); id != "" {
					batches[id] = true
				}
			}
			if len(batches) != c.batches {
				t.Errorf("%d batches are in the stream, want %d", len(batches), c.batches)
			}
			for p, first := range []uint64{1, 4, 7} {
				o, want := offers[p+1], fromTo(first, first+2)
				if refused := (*jetstream.APIError)(nil); p == 1 && c.after > 0 {
					if !errors.As(o.err, &refused) {
						t.Errorf("partition %d: %v, want a refusal", p, o.err)
					}
					w.wantSaid(p, Command, nil)
					continue
				}
				must(t, o.err)
				w.wantSaid(p, Command, want)
				last, _, err := (&leaderOutputs{js: w.js, stream: w.topology.OutputStream(Command)}).Last(testContext(t), w.topology.partitionFilter(Command, p))
				must(t, err)
				if o.ack.Sequence != last.Sequence || last.Output != outputName(p, want[2]) {
					t.Errorf("partition %d: it was told sequence %d, the stream has %s at %d", p, o.ack.Sequence, last.Output, last.Sequence)
				}
			}
		})
	}
}

// TestWhatIsStoredSoonerByItselfWaitsForNobody has the send of one partition hang, while those of two others are stored.
func TestWhatIsStoredSoonerByItselfWaitsForNobody(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t, 4), testContext(t)
	hangs := w.group(3, 1, 1, 0)
	g := &gate{part: hangs[0].Subject, open: make(chan struct{})}
	commits := newGroupCommit(&tamperedJS{w.js, g.publish}, 0, time.Hour)
	defer commits.close()
	given := make(chan error)
	go func() {
		_, err := commits.send(ctx, hangs)
		given <- err
	}()
	eventually(t, "it is on its way", func() bool { return g.held.Load() == 1 })
	_, err := commits.send(ctx, w.group(0, 1, 3, 0))
	must(t, err)
	w.wantSaid(0, Command, fromTo(1, 3))
	var refused *jetstream.APIError
	if _, err := commits.send(ctx, w.group(1, 4, 6, 99)); !errors.As(err, &refused) {
		t.Errorf("what follows something else: %v, want a refusal", err)
	}
	w.wantSaid(1, Command, nil)
	close(g.open)
	must(t, <-given)
	w.wantSaid(3, Command, fromTo(1, 1))
}

func TestWhatIsGivenUpIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	g := &gate{open: make(chan struct{})}
	commits := newGroupCommit(&tamperedJS{w.js, g.publish}, singleExpected, batchExpected)
	given := make(chan error)
	go func() {
		_, err := commits.send(testContext(t), w.group(0, 1, 1, 0))
		given <- err
	}()
	eventually(t, "it is on its way", func() bool { return g.held.Load() == 1 })
	commits.close()
	if err := <-given; err == nil {
		t.Error("it is said to be stored")
	}
	w.wantSaid(0, Command, nil)
}

func TestABatchIsNotTooLarge(t *testing.T) {
	t.Parallel()
	c := &groupCommit{}
	for i := range 3 {
		o := &offer{}
		for range 400 {
			o.group = append(o.group, &nats.Msg{Data: fmt.Appendf(nil, "%d", i)})
		}
		c.waiting = append(c.waiting, o)
	}
	c.waiting = append(c.waiting, &offer{group: []*nats.Msg{{Data: make([]byte, groupBytesMax+1)}}})
	c.behind, c.running = 1201, 1
	for i, want := range []int{800, 400, 1, 0} {
		if r := c.take(); r.messages != want {
			t.Errorf("batch %d has %d messages, want %d", i, r.messages, want)
		}
	}
}
