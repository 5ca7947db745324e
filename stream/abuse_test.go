package stream

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestAFloodIsCountedAndOthersAreServed: a message of nothing but bad bytes, a clock of the year 2038 and thousands of SKUs that
// nobody heard of, all in one partition. Each delta is counted with its reason, every byte is kept, event time stays
// where it was, and what others say is applied.
func TestAFloodIsCountedAndOthersAreServed(t *testing.T) {
	t.Parallel()
	const skus = 5000
	w := newWorld(t, 2)
	p := w.startProcessor()
	subject := w.topology.DeltaSubject(1)
	w.publish(subject, bytes.Repeat([]byte{1}, PayloadBytesMax))
	ahead := sale("ahead", w.skuOf(1))
	ahead.Time = 2_145_916_800_000
	w.publish(subject, packed(ahead))
	var payload []byte
	for i, n := 0, 0; n < skus; i++ {
		d := sale(fmt.Sprint("new-", i), fmt.Sprint("new-", i))
		if codec.Partition(d.SKU, 2) != 1 {
			continue
		}
		if n++; n%1000 == 0 || n == skus {
			w.publish(subject, codec.AppendDelta(payload, &d))
			payload = payload[:0]
			continue
		}
		payload = codec.AppendDelta(payload, &d)
	}
	w.publish(subject, packed(sale("good", w.skuOf(1))))
	w.publish(w.topology.DeltaSubject(0), packed(sale("other", w.skuOf(0))))
	must(t, p.Settle(testContext(t)))

	got := p.Tally()
	if got.Rejected[inventory.Malformed] != codec.MessageItemsMax || got.Rejected[inventory.TooMany] != 1 || got.Rejected[inventory.Future] != 1 ||
		got.AppliedTotal() != skus+2 || got.Read != got.AppliedTotal()+got.RejectedTotal() {
		t.Errorf("counted %+v", got)
	}
	kept := 0
	for _, msg := range w.messages(w.topology.OutputStream(Rejected)) {
		if !strings.HasSuffix(msg.Subject, ".future") {
			kept += len(msg.Data)
		}
	}
	if kept != PayloadBytesMax {
		t.Errorf("%d bytes of %d were kept", kept, PayloadBytesMax)
	}
	for _, partition := range []int{0, 1} {
		a, err := p.Location(w.skuOf(partition), "store 1")
		if err != nil || a.OnHand != -1 || a.Position.EventTime != sale("", "").Time {
			t.Errorf("partition %d: on hand %d at %v, %v; want -1 at the sales' time", partition, a.OnHand, a.Position.EventTime, err)
		}
	}
}

// TestGatewayCountsWhatItPacks: a payload of too many deltas is refused, and messages are never put together to one of too many.
func TestGatewayCountsWhatItPacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	g := w.startGateway(w.js, gatewayPatience)
	tick := codec.AppendDelta(nil, &inventory.Delta{Kind: inventory.Tick, ID: "1", Source: "s", Time: 1})
	a := w.request(&nats.Msg{Subject: "holdfast.in.any", Data: bytes.Repeat(tick, codec.MessageItemsMax+1)})
	if a.Stored || !strings.Contains(a.Error, "more than 16384 deltas") {
		t.Errorf("got %+v, want it refused", a)
	}
	must(t, g.Close())

	lane := newGatewayLane(w.js, w.topology.DeltaSubject(0), w.topology.DeltaStream(0), 0, PayloadBytesMax)
	for _, items := range []int{codec.MessageItemsMax - 2, 2, 1} {
		lane.add(consignment{data: bytes.Repeat(tick, items), items: items})
	}
	n, msg, _ := lane.front()
	if n != 2 || len(msg.Data) != codec.MessageItemsMax*len(tick) {
		t.Errorf("%d of 3 payloads are in the first message, %d bytes of it; want the first 2", n, len(msg.Data))
	}
}

// TestAFetchGivesBackWhatAFloodMadeOfIt: one that was filled as usual keeps its memory.
func TestAFetchGivesBackWhatAFloodMadeOfIt(t *testing.T) {
	t.Parallel()
	q := newFetchQueue(Bounds{}.withDefaults())
	for _, c := range []struct {
		payload []byte
		kept    bool
	}{
		{packed(sale("1", "tea"), sale("2", "tea")), true},
		{bytes.Repeat([]byte{1}, PayloadBytesMax), false},
	} {
		if !q.put(nil, 1, 1, c.payload, false) {
			t.Fatal("there is no fetch to fill")
		}
		f, err := q.tryNext()
		must(t, err)
		q.recycle(f)
		if kept := cap(f.Batch.Deltas) > 0; kept != c.kept || len(f.Messages) > 0 || len(f.Batch.Deltas) > 0 || f.bytes > 0 {
			t.Errorf("%d bytes: its memory is kept: %v, want %v; %d messages", len(c.payload), kept, c.kept, len(f.Messages))
		}
	}
}
