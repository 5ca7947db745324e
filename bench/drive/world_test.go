package drive

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests; none is expected to need it.
const patience = 2 * time.Minute

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

// world is a broker and the streams of a deployment.
type world struct {
	t        *testing.T
	server   *stream.Embedded
	stop     func() // the server
	js       jetstream.JetStream
	topology stream.Topology
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func newWorld(t *testing.T, topology stream.Topology) *world {
	t.Helper()
	topology.Prefix, topology.Replicas = "holdfast", 1
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: t.TempDir(), Port: -1, Log: quiet})
	must(t, err)
	w := &world{t: t, server: server, topology: topology}
	w.stop = sync.OnceFunc(func() { must(t, server.Close()) })
	t.Cleanup(w.stop)
	nc, err := w.connect("test")
	must(t, err)
	t.Cleanup(nc.Close)
	w.js, err = jetstream.New(nc)
	must(t, err)
	must(t, topology.Ensure(testContext(t), w.js))
	return w
}

func (w *world) connect(name string) (*nats.Conn, error) {
	return nats.Connect(w.server.URL(), nats.Name(name))
}

// startHoldfast runs a processor until the test ends. It returns once it has caught up.
func (w *world) startHoldfast() {
	w.t.Helper()
	p, err := stream.Start(testContext(w.t), stream.Config{Topology: w.topology, Connect: w.connect, DataDir: w.t.TempDir(), TickEvery: -1, Log: quiet})
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, p.Close()) })
	must(w.t, p.CatchUp(testContext(w.t)))
}

// payloads returns the messages of each partition, in order.
func (w *world) payloads() [][][]byte {
	w.t.Helper()
	ctx := testContext(w.t)
	all := make([][][]byte, w.topology.Partitions)
	for p := range all {
		s, err := w.js.Stream(ctx, w.topology.DeltaStream(p))
		must(w.t, err)
		for seq := range s.CachedInfo().State.LastSeq {
			msg, err := s.GetMsg(ctx, seq+1)
			must(w.t, err)
			all[p] = append(all[p], msg.Data)
		}
	}
	return all
}

// encoded is what a load makes, shelves first if so, by partition.
func encoded(t *testing.T, m load.Mix, shelves bool, n uint64, partitions int) [][]byte {
	t.Helper()
	l, err := load.New(m)
	must(t, err)
	all := make([][]byte, partitions)
	add := func(d *inventory.Delta) {
		p := codec.Partition(d.SKU, partitions)
		all[p] = codec.AppendDelta(all[p], d)
	}
	if shelves {
		for d := range l.Fill {
			add(d)
		}
	}
	var d inventory.Delta
	for range n {
		l.Next(&d)
		add(&d)
	}
	return all
}

// deltasIn counts the deltas of a payload, all of which are good.
func deltasIn(t *testing.T, payload []byte) int {
	t.Helper()
	var b codec.Batch
	b.Decode(payload)
	if len(b.Bad) > 0 {
		t.Fatalf("%d bad deltas: %v", len(b.Bad), b.Bad[0].Err)
	}
	return len(b.Deltas)
}
