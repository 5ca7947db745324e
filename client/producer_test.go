package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

func newProducer(t *testing.T, w *world, opts ...ProducerOption) *Producer {
	t.Helper()
	p, err := NewProducer(w.nc, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // a test that wants its deltas flushes them itself
		_ = p.Close(ctx)
	})
	return p
}

func TestDeltasReachTheirPartitionsInOrder(t *testing.T) {
	const partitions, writers, each = 4, 8, 500
	w := newWorld(t)
	w.deltaStreams(partitions)
	p := newProducer(t, w)
	if p.NumPartitions() != partitions {
		t.Fatalf("%d partitions read from the stream, want %d", p.NumPartitions(), partitions)
	}
	ctx := testContext(t)

	// Eight tills at once, each selling an SKU of its own, and names with everything in them.
	var tills sync.WaitGroup
	for till := range writers {
		tills.Go(func() {
			for n := range each {
				d := sale(n, fmt.Sprintf("shirt. *%d>é", till))
				if err := p.Publish(ctx, &d); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	tills.Wait()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}

	next := map[string]int64{} // by SKU: the quantity that must come next is one more
	total := 0
	for partition := range partitions {
		for _, d := range w.read(partition) {
			total++
			if want := codec.Partition(d.sku, partitions); want != partition {
				t.Fatalf("%q is in partition %d, want %d", d.sku, partition, want)
			}
			if d.quantity != next[d.sku]+1 {
				t.Fatalf("%q: sale %d came after sale %d", d.sku, d.quantity, next[d.sku])
			}
			next[d.sku] = d.quantity
		}
	}
	if total != writers*each {
		t.Fatalf("%d deltas stored, want %d", total, writers*each)
	}
	got := p.Stats()
	if got.Deltas != writers*each || got.Messages == 0 || got.Messages >= got.Deltas || got.Bytes == 0 {
		t.Errorf("stats %+v: %d deltas were to be packed in fewer messages", got, writers*each)
	}
}

func TestPublishAllSaysWhereTheDeltasStand(t *testing.T) {
	w := newWorld(t)
	w.deltaStreams(3)
	p := newProducer(t, w, MessageDeltas(10))
	var batch []inventory.Delta
	for n := range 100 {
		batch = append(batch, sale(n, fmt.Sprint("sku", n)))
	}
	acks, err := p.PublishAll(testContext(t), batch)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, a := range acks {
		for _, d := range w.read(a.Partition) {
			if d.sequence > a.Sequence {
				t.Errorf("partition %d: %s stands at %d, beyond the acknowledged %d", a.Partition, d.id, d.sequence, a.Sequence)
			}
			total++
		}
	}
	if total != len(batch) {
		t.Errorf("%d deltas found behind the acks, want %d", total, len(batch))
	}
}

func TestATickWithoutSKUGoesEverywhere(t *testing.T) {
	w := newWorld(t)
	w.deltaStreams(3)
	p := newProducer(t, w)
	tick := inventory.Delta{ID: "t1", Source: "clock", Kind: inventory.Tick, Time: 1764000000000}
	acks, err := p.PublishAll(testContext(t), []inventory.Delta{tick})
	if err != nil {
		t.Fatal(err)
	}
	if len(acks) != 3 {
		t.Fatalf("acknowledged by %v, want all three partitions", acks)
	}
	for partition := range 3 {
		if got := w.read(partition); len(got) != 1 || got[0].id != "t1" {
			t.Errorf("partition %d holds %v, want the tick", partition, got)
		}
	}
}

func TestABadDeltaCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.deltaStreams(1)
	p := newProducer(t, w)
	ctx := testContext(t)
	bad := sale(1, "")
	var invalid *inventory.Invalid
	if err := p.Publish(ctx, &bad); !errors.As(err, &invalid) || invalid.Field != "sku" {
		t.Errorf("Publish without a SKU: %v, want what is missing", err)
	}
	if _, err := p.PublishAll(ctx, []inventory.Delta{sale(0, "a"), bad}); !errors.As(err, &invalid) || !strings.Contains(err.Error(), "delta 1") {
		t.Errorf("PublishAll: %v, want which delta is bad", err)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if got := w.read(0); len(got) != 0 {
		t.Errorf("stored %v, want nothing", got)
	}
}

// TestAnOutageLosesNothing stops the server with deltas on their way and starts it again:
// all are stored, in order, though some perhaps twice.
func TestAnOutageLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.deltaStreams(1)
	p := newProducer(t, w, AckTimeout(100*time.Millisecond), Backoff(time.Millisecond, 20*time.Millisecond))
	ctx := testContext(t)
	publish := func(from, to int) {
		for n := from; n < to; n++ {
			d := sale(n, "mug")
			if err := p.Publish(ctx, &d); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish(0, 100)
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	w.stopServer()
	publish(100, 600)
	for p.Stats().Retries == 0 { // it notices
		select {
		case <-ctx.Done():
			t.Fatal("no attempt failed while the server was gone")
		case <-time.After(time.Millisecond):
		}
	}
	w.startServer()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	var first []string // ids as they first came
	seen := map[string]bool{}
	for _, d := range w.read(0) {
		if !seen[d.id] {
			seen[d.id] = true
			first = append(first, d.id)
		}
	}
	if len(first) != 600 {
		t.Fatalf("%d deltas stored, want 600", len(first))
	}
	for n, id := range first {
		if want := sale(n, "mug").ID; id != want {
			t.Fatalf("delta %d is %s, want %s", n, id, want)
		}
	}
}

// offline is a producer of one lane that nothing sends for.
func offline(bufferBytes int) *Producer {
	p := &Producer{cfg: defaultProducerConfig()}
	p.cfg.bufferBytes = bufferBytes
	p.lanes = []*lane{newLane(p, 0)}
	return p
}

func TestAFullBufferMakesPublishWait(t *testing.T) {
	p := offline(400)
	d := sale(1, "mug")
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough) // so that Publish returns where it would wait
	taken := 0
	var err error
	for taken < 100 && err == nil {
		if err = p.Publish(ctx, &d); err == nil {
			taken++
		}
	}
	if !errors.Is(err, enough) || taken == 0 {
		t.Fatalf("after %d deltas of some 60 bytes in 400: %v, want Publish to wait until its context ends", taken, err)
	}

	waited := make(chan error)
	go func() { waited <- p.Publish(t.Context(), &d) }()
	l := p.lanes[0]
	l.settle(l.take(), 1) // an acknowledgement makes room
	if err := <-waited; err != nil {
		t.Errorf("Publish once there is room: %v", err)
	}
}

func TestMessagesKeepTheirBounds(t *testing.T) {
	p := offline(1 << 30)
	p.cfg.messageBytes, p.cfg.messageDeltas = messageBytesMin, 50
	d := sale(1, "mug")
	large := d
	large.Attrs = []inventory.Attr{{Name: "note", Value: strings.Repeat("x", 1000)}}
	for n := range 1000 {
		pick := &d
		if n%3 == 0 {
			pick = &large
		}
		if err := p.Publish(t.Context(), pick); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for m := p.lanes[0].take(); m != nil; m = p.lanes[0].take() {
		if len(m.payload) > messageBytesMin || m.deltas > 50 || m.deltas == 0 {
			t.Fatalf("a message of %d bytes and %d deltas", len(m.payload), m.deltas)
		}
		total += m.deltas
	}
	if total != 1000 {
		t.Errorf("%d deltas in the messages, want 1000", total)
	}
}

func TestCloseDeliversThenRefuses(t *testing.T) {
	w := newWorld(t)
	w.deltaStreams(2)
	p := newProducer(t, w)
	ctx := testContext(t)
	for n := range 1000 {
		d := sale(n, fmt.Sprint("sku", n%7))
		if err := p.Publish(ctx, &d); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if got := len(w.read(0)) + len(w.read(1)); got != 1000 {
		t.Errorf("%d deltas stored after Close, want 1000", got)
	}
	d := sale(1, "late")
	if err := p.Publish(ctx, &d); !errors.Is(err, ErrClosed) {
		t.Errorf("Publish after Close: %v, want ErrClosed", err)
	}
}

func TestCloseSaysWhatItLeavesBehind(t *testing.T) {
	w := newWorld(t)
	p := newProducer(t, w, Partitions(1))
	for n := range 3 {
		d := sale(n, "mug")
		if err := p.Publish(testContext(t), &d); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if err := p.Close(ctx); err == nil || !strings.Contains(err.Error(), "3 deltas") {
		t.Errorf("Close without a stream: %v, want it to say that 3 deltas are not acknowledged", err)
	}
}

// TestGivingUp has a lane meet what no retry can change: whoever waits and whoever comes is told.
func TestGivingUp(t *testing.T) {
	for name, c := range map[string]struct {
		make func(*world)
		opts []ProducerOption
		says string
	}{
		"another stream takes the subject": {
			make: func(w *world) {
				w.stream(jetstream.StreamConfig{Name: "THEIRS", Subjects: []string{"holdfast.>"}})
			},
			says: "stored by stream THEIRS",
		},
		"the stream takes only small messages": {
			make: func(w *world) {
				w.stream(jetstream.StreamConfig{Name: deltaStream(defaultPrefix, 0), Subjects: []string{"holdfast.delta.0"}, MaxMsgSize: 10})
			},
			says: "exceeds maximum",
		},
		"nobody answers for too long": {
			make: func(*world) {},
			opts: []ProducerOption{RetryFor(30 * time.Millisecond), AckTimeout(10 * time.Millisecond)},
			says: "not delivered within 30ms",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.make(w)
			p := newProducer(t, w, append(c.opts, Partitions(1))...)
			ctx := testContext(t)
			if _, err := p.PublishAll(ctx, []inventory.Delta{sale(0, "mug")}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("PublishAll: %v, want it to say %q", err, c.says)
			}
			d := sale(1, "mug")
			if err := p.Publish(ctx, &d); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Publish after that: %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, opt := range map[string]ProducerOption{
		"prefix":         Prefix("hold.fast"),
		"partitions":     Partitions(-1),
		"MessageBytes":   MessageBytes(PayloadBytesMax + 1),
		"MessageDeltas":  MessageDeltas(0),
		"BufferBytes":    BufferBytes(0),
		"AckTimeout":     AckTimeout(0),
		"Backoff":        Backoff(time.Second, time.Millisecond),
		"RetryFor":       RetryFor(-1),
		"HOLDFAST_DELTA": Prefix("holdfast"), // no such stream, no number told
	} {
		if _, err := NewProducer(w.nc, opt); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names it", name, err)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	// The cost of taking a delta in; a full message goes nowhere.
	p := offline(1 << 30)
	ctx := b.Context()
	d := sale(1, "mug")
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Publish(ctx, &d); err != nil {
			b.Fatal(err)
		}
		if l := p.lanes[0]; len(l.queue) > 1 {
			l.settle(l.take(), 1)
		}
	}
}
