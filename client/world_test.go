package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/vmihailenco/msgpack/v5"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests; none is expected to need it.
const patience = 20 * time.Second

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// world is a NATS server with JetStream and a connection to it.
type world struct {
	t    *testing.T
	opts server.Options
	srv  *server.Server
	nc   *nats.Conn
	js   jetstream.JetStream
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, opts: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: t.TempDir(),
	}}
	w.startServer()
	t.Cleanup(w.stopServer)
	nc, err := nats.Connect(w.srv.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	w.nc = nc
	if w.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) startServer() {
	w.t.Helper()
	opts := w.opts
	srv, err := server.NewServer(&opts)
	if err != nil {
		w.t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(patience) {
		w.t.Fatal("nats-server is not ready")
	}
	w.srv = srv
	w.opts.Port = opts.Port // a second start comes back at the same place
}

func (w *world) stopServer() {
	w.srv.Shutdown()
	w.srv.WaitForShutdown()
}

// stream makes a stream, and fails the test where it can't.
func (w *world) stream(cfg jetstream.StreamConfig) jetstream.Stream {
	w.t.Helper()
	s, err := w.js.CreateStream(testContext(w.t), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// deltaStreams makes what a holdfast of n partitions makes.
func (w *world) deltaStreams(n int) {
	w.t.Helper()
	for p := range n {
		w.stream(jetstream.StreamConfig{
			Name: deltaStream(defaultPrefix, p), Subjects: []string{deltaSubject(defaultPrefix, p)},
			Metadata: map[string]string{partitionsKey: fmt.Sprint(n)},
		})
	}
}

// stored is a delta as another program would read it: by the contract's table.
type stored struct {
	partition int
	sequence  uint64
	id, sku   string
	quantity  int64
}

// read returns every delta of a partition, in the order of its stream.
func (w *world) read(partition int) []stored {
	w.t.Helper()
	ctx := testContext(w.t)
	s, err := w.js.Stream(ctx, deltaStream(defaultPrefix, partition))
	if err != nil {
		w.t.Fatal(err)
	}
	if s.CachedInfo().State.Msgs == 0 {
		return nil
	}
	var all []stored
	for seq := s.CachedInfo().State.FirstSeq; seq <= s.CachedInfo().State.LastSeq; seq++ {
		msg, err := s.GetMsg(ctx, seq)
		if err != nil {
			w.t.Fatal(err)
		}
		dec := msgpack.NewDecoder(bytes.NewReader(msg.Data))
		for {
			var row []any
			err := dec.Decode(&row)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				w.t.Fatalf("partition %d, sequence %d: %v", partition, seq, err)
			}
			all = append(all, stored{partition, seq, row[0].(string), row[2].(string), asInt(row[5])})
		}
	}
	return all
}

func asInt(v any) int64 {
	var n int64
	fmt.Sscan(fmt.Sprint(v), &n)
	return n
}

func sale(n int, sku string) inventory.Delta {
	return inventory.Delta{
		ID: fmt.Sprintf("s%06d", n), Source: "pos-1", SKU: sku, Location: "store 1",
		Kind: inventory.Sale, Quantity: int64(n + 1), Time: 1764000000000, Channel: "web",
	}
}

// commandWorld is a world with the commands' stream, the directives' bucket and the
// consumer that fills one from the other.
type commandWorld struct {
	*world
	bucket    jetstream.KeyValue
	projector jetstream.Consumer
}

func newCommandWorld(t *testing.T) *commandWorld {
	w := &commandWorld{world: newWorld(t)}
	ctx := testContext(t)
	s := w.stream(jetstream.StreamConfig{Name: commandStream(defaultPrefix), Subjects: []string{"holdfast.command.>"}})
	var err error
	if w.bucket, err = w.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: directivesBucket(defaultPrefix)}); err != nil {
		t.Fatal(err)
	}
	w.projector, err = s.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: directivesName, AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// say publishes a command; it returns its sequence.
func (w *commandWorld) say(action inventory.Action, channel, sku, location string, revision uint64) uint64 {
	w.t.Helper()
	cmd := inventory.Command{
		ID: fmt.Sprintf("%s-%s-%s-%d", channel, sku, location, revision), Action: action, Channel: channel, SKU: sku, Location: location,
		Revision: revision, Class: inventory.Oversell, Reason: "3 too many were promised",
	}
	data, err := json.Marshal(cmd)
	if err != nil {
		w.t.Fatal(err)
	}
	ack, err := w.js.Publish(testContext(w.t), "holdfast.command.0."+channel+"."+string(action), data)
	if err != nil {
		w.t.Fatal(err)
	}
	return ack.Sequence
}

// project puts the next n commands into the bucket; the last one is acknowledged
// only if done.
func (w *commandWorld) project(n int, done bool) {
	w.t.Helper()
	ctx := testContext(w.t)
	for i := range n {
		msg, err := w.projector.Next(jetstream.FetchContext(ctx))
		if err != nil {
			w.t.Fatal(err)
		}
		var cmd inventory.Command
		if err := json.Unmarshal(msg.Data(), &cmd); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.bucket.Put(ctx, cmd.Channel+"."+cmd.SKU+"."+cmd.Location, msg.Data()); err != nil {
			w.t.Fatal(err)
		}
		if i == n-1 && !done {
			return
		}
		if err := msg.DoubleAck(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}
