package drive

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// slowBroker takes messages in place of a stream, and acknowledges them when it is told to.
type slowBroker struct {
	w    *world
	came chan *nats.Msg
	open []*nats.Msg // not acknowledged
}

func newSlowBroker(w *world, prefix string) *slowBroker {
	w.t.Helper()
	nc, err := w.connect("slow broker")
	must(w.t, err)
	w.t.Cleanup(nc.Close)
	b := &slowBroker{w: w, came: make(chan *nats.Msg, 100)}
	_, err = nc.ChanSubscribe(prefix+".delta.*", b.came)
	must(w.t, err)
	must(w.t, nc.Flush())
	return b
}

// take returns how many deltas are in the next message.
func (b *slowBroker) take() int {
	b.w.t.Helper()
	select {
	case msg := <-b.came:
		b.open = append(b.open, msg)
		return deltasIn(b.w.t, msg.Data)
	case <-testContext(b.w.t).Done():
		b.w.t.Fatal("no message came")
	}
	return 0
}

// acknowledge acknowledges the oldest message.
func (b *slowBroker) acknowledge() {
	b.w.t.Helper()
	must(b.w.t, b.open[0].Respond([]byte(`{"stream":"X","seq":1}`)))
	b.open = b.open[1:]
}

// TestMessagesWaitForRoomInFlight sends ten deltas, four a message, with one in flight.
func TestMessagesWaitForRoomInFlight(t *testing.T) {
	w := newWorld(t, stream.Topology{Partitions: 1})
	b := newSlowBroker(w, "slow")
	ctx, fail := context.WithCancelCause(testContext(t))
	defer fail(nil)
	stored := make(chan message, 10)
	p, err := newPublisher(w.server.URL(), "slow", 1, 4, 1, func(m message) { stored <- m }, fail)
	must(t, err)
	defer p.nc.Close()
	l, err := load.New(load.Mix{})
	must(t, err)
	var d inventory.Delta
	size := 0
	for i := range 10 {
		l.Next(&d)
		p.add(&d, time.Duration(i), i/6)
		size += len(codec.AppendDelta(nil, &d))
	}
	if p.waiting != size || p.idle() {
		t.Errorf("%d bytes wait, want %d", p.waiting, size)
	}
	one := &p.lanes[0]
	for _, want := range []message{{deltas: 4, first: 0}, {deltas: 4, first: 4, counted: 2}, {deltas: 2, first: 8, counted: 2}} {
		must(t, p.offer(ctx, one, time.Hour))
		must(t, p.offer(ctx, one, time.Hour)) // for which there is no room
		if n := b.take(); n != want.deltas {
			t.Errorf("a message of %d deltas, want %d", n, want.deltas)
		}
		if len(b.came) > 0 || len(stored) > 0 || p.idle() {
			t.Errorf("%d more messages came, %d are stored", len(b.came), len(stored))
		}
		b.acknowledge()
		got := <-stored
		size -= got.bytes
		if got.bytes = 0; got.deltas != want.deltas || got.first != want.first || got.counted != want.counted || got.payload != nil {
			t.Errorf("%+v is stored, want %+v", got, want)
		}
		must(t, p.land(ctx))
	}
	if !p.idle() || p.waiting != 0 || size != 0 {
		t.Errorf("%d bytes wait after the last, and %d are not accounted for", p.waiting, size)
	}
}

// TestDeltasWaitTheirLinger sends a message that is not full only when its first delta has waited.
func TestDeltasWaitTheirLinger(t *testing.T) {
	w := newWorld(t, stream.Topology{Partitions: 1})
	b := newSlowBroker(w, "slow")
	ctx, fail := context.WithCancelCause(testContext(t))
	defer fail(nil)
	p, err := newPublisher(w.server.URL(), "slow", 1, 4, 9, func(message) {}, fail)
	must(t, err)
	defer p.nc.Close()
	d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Tick, Time: 1}
	one := &p.lanes[0]
	for due := range time.Duration(5) {
		p.add(&d, due, 1)
	}
	must(t, p.offer(ctx, one, 3)) // the full one, but not the other, whose first was due at 4
	must(t, p.offer(ctx, one, 3))
	if p.waiting == 0 {
		t.Error("nothing waits, want one delta")
	}
	p.add(&d, 5, 1)
	must(t, p.offer(ctx, one, 4))
	if first, second := b.take(), b.take(); first != 4 || second != 2 || p.waiting != 0 {
		t.Errorf("messages of %d and %d deltas, want 4 and 2", first, second)
	}
	b.acknowledge()
	b.acknowledge()
	must(t, p.land(ctx))
}

// BenchmarkPacked is what a delta costs the driver to make and to pack; the connection and the broker
// left out.
func BenchmarkPacked(b *testing.B) {
	l, err := load.New(load.Mix{Skew: 1.1, Oversell: 0.01})
	if err != nil {
		b.Fatal(err)
	}
	p := &publisher{lanes: make([]lane, 16), packing: packingDefault}
	var d inventory.Delta
	b.ReportAllocs()
	for b.Loop() {
		l.Next(&d)
		if at := p.add(&d, 0, 1); at.waiting[0].deltas == p.packing {
			at.spare = append(at.spare, at.waiting[0].payload)
			at.waiting = at.waiting[:0]
		}
	}
}

// BenchmarkRecord is what a command costs its receiver.
func BenchmarkRecord(b *testing.B) {
	r := newRecord(&schedule{rate: 1e6, total: 1 << 20}, time.Second, 0)
	r.begin()
	command := []byte(`{"id":"3-17-0-1","action":"hold","channel":"web","sku":"probe-1-77777","location":"store-10","sellable":0}`)
	b.ReportAllocs()
	for b.Loop() {
		if probe, ok := probeIn(command, []byte("probe-1-")); ok {
			r.asked[probe/64] |= 1 << (probe % 64)
			r.hold(r.schedule.start, probe)
		}
	}
}
