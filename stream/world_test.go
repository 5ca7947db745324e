package stream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests; none is expected to need it.
const patience = 3 * time.Minute

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx := testContext(t)
	for !so() {
		if sleep(ctx, time.Millisecond) != nil {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// world is an embedded server, a connection to it, and the streams of a deployment.
type world struct {
	t        *testing.T
	dir      string
	server   *Embedded
	nc       *nats.Conn
	js       jetstream.JetStream
	topology Topology
	log      *slog.Logger
	logged   *logBuffer
}

// newWorld starts a server and makes the streams of a deployment of so many partitions.
func newWorld(t *testing.T, partitions int) *world {
	t.Helper()
	w := newServer(t)
	w.topology = Topology{Prefix: "holdfast", Partitions: partitions, Replicas: 1}
	must(t, w.topology.Ensure(testContext(t), w.js))
	return w
}

// newServer starts a server that holds nothing.
func newServer(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, logged: &logBuffer{}}
	w.log, w.dir = quiet(w.logged), t.TempDir()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logged:\n%s", w.logged)
		}
	})
	var err error
	w.server, err = StartEmbedded(EmbeddedConfig{Dir: w.dir, Port: -1, Log: quiet(io.Discard)})
	must(t, err)
	t.Cleanup(func() { must(t, w.server.Close()) })
	w.nc, w.js = w.connect()
	return w
}

// restart starts the server again, on the same folder and port; it has been closed.
func (w *world) restart() {
	w.t.Helper()
	address, err := url.Parse(w.server.URL())
	must(w.t, err)
	port, err := strconv.Atoi(address.Port())
	must(w.t, err)
	eventually(w.t, "the loss of the connection is noticed", func() bool { return !w.nc.IsConnected() })
	w.server, err = StartEmbedded(EmbeddedConfig{Dir: w.dir, Port: port, Log: quiet(io.Discard)})
	must(w.t, err)
	eventually(w.t, "the connection is back", w.nc.IsConnected)
}

// connect makes a connection that is closed when the test ends.
func (w *world) connect() (*nats.Conn, jetstream.JetStream) {
	w.t.Helper()
	nc, err := nats.Connect(w.server.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	must(w.t, err)
	w.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	must(w.t, err)
	return nc, js
}

// publish stores a message and returns its sequence.
func (w *world) publish(subject string, data []byte) uint64 {
	w.t.Helper()
	ack, err := w.js.Publish(testContext(w.t), subject, data)
	must(w.t, err)
	return ack.Sequence
}

// messages returns all that a stream holds.
func (w *world) messages(stream string) []*leaderMsg {
	w.t.Helper()
	all, _ := w.messagesFrom(stream, 1)
	return all
}

// messagesFrom returns what a stream holds from a sequence on, and its last sequence.
func (w *world) messagesFrom(stream string, first uint64) (all []*leaderMsg, last uint64) {
	w.t.Helper()
	ctx := testContext(w.t)
	now, err := streamState(ctx, w.js, stream)
	must(w.t, err)
	if now.Msgs == 0 || now.LastSeq < first {
		return nil, now.LastSeq
	}
	from := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(first, 1)}
	must(w.t, scan(ctx, w.js, stream, from, now.LastSeq, func(sequence uint64, msg jetstream.Msg) (bool, error) {
		at, err := msg.Metadata()
		if err == nil {
			all = append(all, &leaderMsg{Subject: msg.Subject(), Sequence: sequence, Data: msg.Data(), Time: at.Timestamp, header: msg.Headers()})
		}
		return true, err
	}))
	return all, now.LastSeq
}

// size is how many messages a stream holds.
func (w *world) size(stream string) int {
	w.t.Helper()
	now, err := streamState(testContext(w.t), w.js, stream)
	must(w.t, err)
	return int(now.Msgs)
}

// deltas returns the ids of the deltas that a partition's log holds, in order; those
// that are none are there as "!" and their reason.
func (w *world) deltas(partition int) (ids []string) {
	w.t.Helper()
	for _, msg := range w.messages(w.topology.DeltaStream(partition)) {
		var b codec.Batch
		b.Decode(msg.Data)
		for i, d := range b.Deltas {
			if len(b.Bad) > 0 && b.Bad[0].Index == i {
				d.ID = "!" + string(b.Bad[0].Err.Reason)
				b.Bad = b.Bad[1:]
			}
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// sale is a delta that is valid.
func sale(id, sku string) inventory.Delta {
	return inventory.Delta{
		ID: id, Source: "pos-1", SKU: sku, Location: "store 1",
		Kind: inventory.Sale, Quantity: 1, Time: 1764000000000, Channel: "web",
	}
}

// packed is a payload of deltas.
func packed(deltas ...inventory.Delta) (payload []byte) {
	for i := range deltas {
		payload = codec.AppendDelta(payload, &deltas[i])
	}
	return payload
}

// skuOf returns a SKU of that partition.
func (w *world) skuOf(partition int) string {
	for i := 0; ; i++ {
		if sku := fmt.Sprintf("sku-%d", i); codec.Partition(sku, w.topology.Partitions) == partition {
			return sku
		}
	}
}

// quiet logs to w alone.
func quiet(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// logBuffer keeps what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// tamperedJS lets a test come between a publisher and its server.
type tamperedJS struct {
	jetstream.JetStream
	publish func(ctx context.Context, msg *nats.Msg, store func(context.Context) (*jetstream.PubAck, error)) (*jetstream.PubAck, error)
}

func (js *tamperedJS) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	return js.publish(ctx, msg, func(ctx context.Context) (*jetstream.PubAck, error) {
		return js.JetStream.PublishMsg(ctx, msg, opts...)
	})
}
