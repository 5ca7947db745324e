package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

func (w *world) startGateway(js jetstream.JetStream, patience time.Duration) *Gateway {
	w.t.Helper()
	g, err := startGateway(w.nc, js, w.topology, w.log, patience)
	must(w.t, err)
	return g
}

// answer is what a request gets.
type answer struct {
	Stored    bool
	Partition *int
	Sequence  uint64
	Positions []struct {
		Partition int
		Sequence  uint64
	}
	Error string
}

func (w *world) request(msg *nats.Msg) (a answer) {
	w.t.Helper()
	reply, err := w.nc.RequestMsgWithContext(testContext(w.t), msg)
	must(w.t, err)
	if err := json.Unmarshal(reply.Data, &a); err != nil {
		w.t.Fatalf("answer %s: %v", reply.Data, err)
	}
	return a
}

// send publishes to the gateway as somebody would who wants no answer.
func (w *world) send(token string, payload []byte) {
	w.t.Helper()
	must(w.t, w.nc.Publish("holdfast.in."+token, payload))
}

func TestGatewayForwardsToThePartitionOfTheSKU(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	g := w.startGateway(w.js, gatewayPatience)
	for i, sku := range []string{"plain", "with.dots", "with spaces", "*", ">", "a.*.>", "ünï", "=41", strings.Repeat("x", 128)} {
		d := sale(fmt.Sprint("id", i), sku)
		w.send(codec.Token(sku), codec.AppendDelta(nil, &d))
		partition := codec.Partition(sku, 4)
		eventually(t, "it is in its partition", func() bool { return slices.Contains(w.deltas(partition), d.ID) })
	}
	must(t, g.Close())
	total := 0
	for p := range 4 {
		total += len(w.deltas(p))
	}
	if total != 9 || g.Refused() != 0 {
		t.Errorf("%d are stored and %d were refused, want 9 and 0", total, g.Refused())
	}
}

func TestGatewayAnswersOnceAllIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	g := w.startGateway(w.js, gatewayPatience)
	x := w.skuOf(2)
	first := w.publish(w.topology.DeltaSubject(2), packed(sale("0", x)))

	a := w.request(&nats.Msg{Subject: "holdfast.in." + x, Data: packed(sale("1", x))})
	if !a.Stored || a.Partition == nil || *a.Partition != 2 || a.Sequence != first+1 || a.Positions != nil || a.Error != "" {
		t.Errorf("one partition: got %+v, want partition 2 at %d", a, first+1)
	}
	wantIDs(t, w.deltas(2), []string{"0", "1"})

	y := w.skuOf(0)
	a = w.request(&nats.Msg{Subject: "holdfast.in." + x, Data: packed(sale("2", x), sale("3", y), sale("4", x))})
	if !a.Stored || a.Partition != nil || len(a.Positions) != 2 || a.Error != "" ||
		a.Positions[0].Partition != 0 || a.Positions[0].Sequence != 1 || a.Positions[1].Partition != 2 || a.Positions[1].Sequence != first+2 {
		t.Errorf("two partitions: got %+v, want 0 at 1 and 2 at %d", a, first+2)
	}
	wantIDs(t, w.deltas(0), []string{"3"})
	wantIDs(t, w.deltas(2), []string{"0", "1", "2", "4"})
	must(t, g.Close())
}

// TestGatewayAnswersInboxesAlone: whoever may send deltas has nothing published on their behalf where they may not
// publish themselves. The deltas are stored.
func TestGatewayAnswersInboxesAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	g := w.startGateway(w.js, gatewayPatience)
	elsewhere := []string{"holdfast.delta.0", "holdfast.control.0", "holdfast.in.tea", "$JS.API.STREAM.PURGE.HOLDFAST_DELTA_0000", "orders.new"}
	heard, err := w.nc.SubscribeSync("orders.>")
	must(t, err)
	for i, reply := range elsewhere {
		must(t, w.nc.PublishMsg(&nats.Msg{Subject: "holdfast.in.tea", Reply: reply, Data: payloadOf(fmt.Sprint("a", i))}))
		must(t, w.nc.PublishMsg(&nats.Msg{Subject: "holdfast.in.tea", Reply: reply, Data: bytes.Repeat([]byte("?"), PayloadBytesMax+1)})) // refused
	}
	// Behind them, so that all was answered that is.
	a := w.request(&nats.Msg{Subject: "holdfast.in.tea", Data: payloadOf("last")})
	if !a.Stored {
		t.Fatalf("%+v", a)
	}
	must(t, w.nc.Flush())
	s, err := w.js.Stream(testContext(t), w.topology.DeltaStream(0))
	must(t, err)
	if got, most := s.CachedInfo().State.LastSeq, uint64(len(elsewhere)+1); got == 0 || got > most || s.CachedInfo().State.FirstSeq != 1 {
		t.Errorf("the log has messages %d to %d, want what was sent and no answers: %d at most", s.CachedInfo().State.FirstSeq, got, most)
	}
	items := 0
	for n := uint64(1); n <= s.CachedInfo().State.LastSeq; n++ {
		m, err := s.GetMsg(testContext(t), n)
		must(t, err)
		var b codec.Batch
		b.Decode(m.Data)
		if len(b.Bad) > 0 {
			t.Errorf("message %d of the log is %q", n, m.Data)
		}
		items += len(b.Deltas)
	}
	if items != len(elsewhere)+1 {
		t.Errorf("%d deltas are stored, want %d", items, len(elsewhere)+1)
	}
	if n, _, err := heard.Pending(); err != nil || n > 0 {
		t.Errorf("%d answers went to whom nobody named, %v", n, err)
	}
	must(t, g.Close())
}

func payloadOf(id string) []byte {
	d := sale(id, "tea")
	return codec.AppendDelta(nil, &d)
}

func TestGatewayKeepsIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	g := w.startGateway(w.js, gatewayPatience)
	x, y := w.skuOf(1), w.skuOf(3)
	whole := &nats.Msg{Subject: "holdfast.in.x", Header: nats.Header{jetstream.MsgIDHeader: {"id-1"}}, Data: packed(sale("1", x))}
	split := &nats.Msg{Subject: "holdfast.in.x", Header: nats.Header{jetstream.MsgIDHeader: {"id-2"}}, Data: packed(sale("2", x), sale("3", y))}
	for range 2 { // the second time, the streams know them
		if a := w.request(whole); !a.Stored || *a.Partition != 1 || a.Sequence != 1 {
			t.Errorf("whole: got %+v", a)
		}
		if a := w.request(split); !a.Stored || len(a.Positions) != 2 {
			t.Errorf("split: got %+v", a)
		}
	}
	for p, want := range map[int][]string{1: {"id-1", "id-2-1"}, 3: {"id-2-3"}} {
		var got []string
		for _, msg := range w.messages(w.topology.DeltaStream(p)) {
			got = append(got, msg.header.Get(jetstream.MsgIDHeader))
		}
		wantIDs(t, got, want)
	}
	must(t, g.Close())
}

func TestGatewaySendsTicksEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	g := w.startGateway(w.js, gatewayPatience)
	tick := inventory.Delta{ID: "tick", Source: "pos-1", Kind: inventory.Tick, Time: 1764000000000}
	keyed := inventory.Delta{ID: "keyed", Source: "pos-1", SKU: w.skuOf(1), Location: "store 1", Kind: inventory.Tick, Time: 1764000000000}
	a := w.request(&nats.Msg{Subject: "holdfast.in.any", Data: packed(sale("1", w.skuOf(1)), tick, keyed, sale("2", w.skuOf(2)))})
	if !a.Stored || len(a.Positions) != 3 {
		t.Errorf("got %+v, want three positions", a)
	}
	wantIDs(t, w.deltas(0), []string{"tick"})
	wantIDs(t, w.deltas(1), []string{"1", "tick", "keyed"})
	wantIDs(t, w.deltas(2), []string{"tick", "2"})
	must(t, g.Close())
}

func TestGatewayLosesNothingThatIsMalformed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	g := w.startGateway(w.js, gatewayPatience)
	strays, other := w.skuOf(3), w.skuOf(0)
	good := func(id, sku string) string {
		return fmt.Sprintf(`{"id":%q,"source":"s","sku":%q,"location":"l","kind":"sale","quantity":1,"channel":"web","time":1764000000000}`, id, sku)
	}
	for _, c := range []struct {
		name, payload string
		strays, other []string
	}{
		{"nothing", "", []string{"!malformed"}, nil},
		{"text", "nonsense", []string{"!malformed"}, nil},
		{"an array", "[" + good("1", other) + "]", []string{"!malformed"}, nil},
		{"a kind that is none", strings.ReplaceAll(good("1", other), "sale", "gift"), []string{"!unknown_kind"}, nil},
		{"broken lines between good ones", good("1", other) + "\n{\"id\":\nnonsense\n" + good("2", other) + good("3", strays) + "\n[\n" + good("4", strays),
			[]string{"!malformed", "!malformed", "3", "!malformed", "4"}, []string{"1", "2"}},
		{"msgpack that ends too soon", string(packed(sale("1", other), sale("2", strays))) + "\x9a\xa1x",
			[]string{"2", "!malformed"}, []string{"1"}},
	} {
		before := [2]int{len(w.deltas(3)), len(w.deltas(0))}
		a := w.request(&nats.Msg{Subject: "holdfast.in." + strays, Data: []byte(c.payload)})
		if !a.Stored {
			t.Errorf("%s: got %+v", c.name, a)
		}
		if got := w.deltas(3)[before[0]:]; !slices.Equal(got, c.strays) {
			t.Errorf("%s: the token's partition got %q, want %q", c.name, got, c.strays)
		}
		if got := w.deltas(0)[before[1]:]; !slices.Equal(got, c.other) {
			t.Errorf("%s: the other partition got %q, want %q", c.name, got, c.other)
		}
	}
	// A subject with more than a token, or with one that is none, has a partition too.
	for _, subject := range []string{"holdfast.in.a.b", "holdfast.in.=41", "holdfast.in.ü"} {
		if a := w.request(&nats.Msg{Subject: subject, Data: []byte("nonsense")}); !a.Stored || *a.Partition != g.subjectPartition(subject) {
			t.Errorf("%s: got %+v", subject, a)
		}
	}
	must(t, g.Close())
}

func TestGatewayRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	g := w.startGateway(w.js, gatewayPatience)
	a := w.request(&nats.Msg{Subject: "holdfast.in.x", Data: make([]byte, PayloadBytesMax+1)})
	if a.Stored || !strings.Contains(a.Error, "524289 bytes: 524288 are allowed") {
		t.Errorf("a large payload: got %+v", a)
	}
	a = w.request(&nats.Msg{Subject: "holdfast.in.x", Header: nats.Header{jetstream.MsgIDHeader: {strings.Repeat("x", 3000)}}, Data: packed(sale("1", "x"))})
	if a.Stored || !strings.Contains(a.Error, "3000 bytes: 2048 are allowed") {
		t.Errorf("a large id: got %+v", a)
	}
	if got := g.Refused(); got != 2 {
		t.Errorf("%d were refused, want 2", got)
	}
	d := sale("largest", "x")
	payload := codec.AppendDelta(nil, &d)
	for len(payload)+len(payload) <= PayloadBytesMax {
		payload = append(payload, payload...)
	}
	if a := w.request(&nats.Msg{Subject: "holdfast.in.x", Data: payload}); !a.Stored {
		t.Errorf("a payload of %d bytes: got %+v", len(payload), a)
	}
	must(t, g.Close())
	if !strings.Contains(w.logged.String(), "deltas were not stored") {
		t.Error("nothing was logged")
	}
}

// TestGatewayKeepsOrderWhenPublishingFails sends deltas while publishes are lost: each
// partition has them in the order in which they were sent, some of them twice in a row.
func TestGatewayKeepsOrderWhenPublishingFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	f := newFaults([]fault{lostBefore, lostAfter, fine, lostBefore, lostBefore, fine, lostAfter, fine, fine, lostBefore})
	g := w.startGateway(&tamperedJS{w.js, f.publish}, gatewayPatience)
	const count = 500
	var want [2][]string
	for i := range count {
		p := i % 2
		id := fmt.Sprintf("%04d", i)
		want[p] = append(want[p], id)
		w.send("any", packed(sale(id, w.skuOf(p))))
	}
	must(t, g.Close()) // stores what it was sent
	for p := range 2 {
		var got []string
		seen := map[string]bool{}
		for _, id := range w.deltas(p) {
			if !seen[id] {
				seen[id] = true
				got = append(got, id)
			}
		}
		wantIDs(t, got, want[p])
	}
}

func TestGatewayPacksWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	hold := &gate{open: make(chan struct{})}
	g := w.startGateway(&tamperedJS{w.js, hold.publish}, gatewayPatience)
	w.send("x", packed(sale("1", "x")))
	eventually(t, "the first is in flight", func() bool { return hold.held.Load() == 1 })
	w.send("x", packed(sale("2", "x"), sale("3", "x")))
	w.send("x", packed(sale("4", "x")))
	w.send("x", []byte("nonsense")) // shares its message with nothing: who knows where it ends
	w.send("x", packed(sale("5", "x")))
	must(t, w.nc.PublishMsg(&nats.Msg{Subject: "holdfast.in.x", Header: nats.Header{jetstream.MsgIDHeader: {"id"}}, Data: packed(sale("6", "x"))}))
	w.send("x", packed(sale("7", "x")))
	w.send("x", packed(sale("8", "x")))
	eventually(t, "all wait", func() bool {
		g.lanes[0].mu.Lock()
		defer g.lanes[0].mu.Unlock()
		return len(g.lanes[0].queue) == 8
	})
	close(hold.open)
	must(t, g.Close())
	wantIDs(t, w.deltas(0), []string{"1", "2", "3", "4", "!malformed", "5", "6", "7", "8"})
	if got := w.size(w.topology.DeltaStream(0)); got != 6 {
		t.Errorf("%d messages, want 6: 1, 2–4, nonsense, 5, 6, 7–8", got)
	}
}

func TestGatewaySaysWhenAPartitionCanNotBeWrittenTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	must(t, w.js.DeleteStream(testContext(t), w.topology.DeltaStream(1)))
	g := w.startGateway(w.js, time.Nanosecond) // one attempt
	dead, alive := w.skuOf(1), w.skuOf(0)
	a := w.request(&nats.Msg{Subject: "holdfast.in.any", Data: packed(sale("1", dead), sale("2", alive))})
	if a.Stored || !strings.Contains(a.Error, "partition 1") || !strings.Contains(a.Error, "no response from stream") {
		t.Errorf("got %+v, want an error about partition 1", a)
	}
	if a = w.request(&nats.Msg{Subject: "holdfast.in.any", Data: packed(sale("3", alive))}); !a.Stored {
		t.Errorf("the other partition: got %+v", a)
	}
	wantIDs(t, w.deltas(0), []string{"2", "3"})

	// Where much is waiting, more is refused at once, so that the others go on.
	lane := g.lanes[1]
	lane.mu.Lock()
	lane.err, lane.bytes = errors.New("it is dead"), lane.bytesMax
	lane.queue = make([]consignment, 1)
	lane.mu.Unlock()
	r := &receipt{gateway: g, msg: &nats.Msg{Subject: "s"}, missing: 1}
	lane.add(consignment{data: []byte("x"), receipt: r})
	if r.err == nil || !strings.Contains(r.err.Error(), "it is dead") {
		t.Errorf("a full lane: got %v", r.err)
	}
	lane.mu.Lock()
	lane.queue, lane.bytes, lane.err = nil, 0, nil
	lane.mu.Unlock()

	must(t, w.topology.Ensure(testContext(t), w.js))
	if a = w.request(&nats.Msg{Subject: "holdfast.in.any", Data: packed(sale("4", dead))}); !a.Stored {
		t.Errorf("it is mended: got %+v", a)
	}
	must(t, g.Close())
}

func TestGatewayHoldsBackWhileALaneIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	hold := &gate{open: make(chan struct{})}
	g := w.startGateway(&tamperedJS{w.js, hold.publish}, gatewayPatience)
	lane := g.lanes[0]
	lane.mu.Lock()
	lane.bytesMax = 1 // full with one
	lane.mu.Unlock()
	for i := range 3 {
		w.send("x", packed(sale(fmt.Sprint(i), "x")))
	}
	eventually(t, "the second waits for room", func() bool {
		lane.mu.Lock()
		defer lane.mu.Unlock()
		return lane.room != nil
	})
	close(hold.open)
	must(t, g.Close())
	wantIDs(t, w.deltas(0), []string{"0", "1", "2"})
}

func TestGatewayClosesWithoutItsServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	g := w.startGateway(w.js, time.Nanosecond)
	w.nc.Close()
	must(t, g.Close())

	_, err := StartGateway(w.nc, w.js, w.topology, nil)
	if !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("on a closed connection: %v", err)
	}
}

// TestGatewayClosesWhileItsServerIsAway has a server that will not come back in time.
func TestGatewayClosesWhileItsServerIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	hold := &gate{open: make(chan struct{})}
	g := w.startGateway(&tamperedJS{w.js, hold.publish}, time.Hour)
	w.send("x", packed(sale("1", "x")))
	eventually(t, "it is in flight", func() bool { return hold.held.Load() == 1 })
	must(t, w.server.Close())
	eventually(t, "the connection is lost", func() bool { return !w.nc.IsConnected() })
	must(t, g.Close())
	if got := g.Refused(); got != 1 {
		t.Errorf("%d were refused, want the one in flight", got)
	}
	w.restart()
}

func TestTwoGatewaysShareTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	a, b := w.startGateway(w.js, gatewayPatience), w.startGateway(w.js, gatewayPatience)
	for i := range 50 {
		w.send("x", packed(sale(fmt.Sprint(i), "x")))
	}
	must(t, errors.Join(a.Close(), b.Close()))
	if got := w.deltas(0); len(got) != 50 {
		t.Errorf("%d deltas are stored, want each of 50 once", len(got))
	}
}

// TestSplitKeepsEveryByte splits payloads of all sorts: each part, decoded, has the
// items of its partition, in order, and nothing else.
// items are what a payload decodes to, with the reasons of those that are bad.
