package handwritten

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// patience bounds every wait; none is expected to need it.
const patience = 3 * time.Minute

const partitions = 3

var topology = stream.Topology{Prefix: "holdfast", Partitions: partitions, Replicas: 1}

// world is an embedded server with the streams of a deployment.
type world struct {
	t   *testing.T
	ctx context.Context
	url string
	js  jetstream.JetStream
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: t.TempDir(), Port: -1, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	nc, err := nats.Connect(server.URL())
	must(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	must(t, err)
	must(t, topology.Ensure(ctx, js))
	return &world{t, ctx, server.URL(), js}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// publish sends a message; those of a partition are stored in the order in which they were sent.
func (w *world) publish(partition int, payload []byte) {
	w.t.Helper()
	_, err := w.js.PublishAsync(topology.DeltaSubject(partition), payload, jetstream.WithStallWait(patience))
	must(w.t, err)
}

// stored returns how many messages the consumer's stream has of a subject.
func (w *world) stored(subject string) (n uint64) {
	w.t.Helper()
	s, err := w.js.Stream(w.ctx, "HOLDFAST_HANDWRITTEN")
	must(w.t, err)
	info, err := s.Info(w.ctx, jetstream.WithSubjectFilter(subject))
	must(w.t, err)
	for _, of := range info.State.Subjects {
		n += of
	}
	return n
}

// TestRunAppliesTheBenchsLoad: one delta a message and packed, arrays and maps, of every kind that the load
// has; it comes to what the oracle says, and each probe makes one command.
func TestRunAppliesTheBenchsLoad(t *testing.T) {
	for _, c := range []struct {
		packing, deltas int
		encode          func([]byte, *inventory.Delta) []byte
	}{{1, 1500, codec.AppendDelta}, {50, 6000, codec.AppendDeltaMap}} {
		t.Run(fmt.Sprintf("packing=%d", c.packing), func(t *testing.T) {
			w := newWorld(t)
			f := filler{world: w, packing: c.packing, encode: c.encode}
			l, err := load.New(load.Mix{Seed: 7, Keys: 60, Locations: 3, Duplicates: 0.02, Late: 0.01, Oversell: 0.01, Kinds: map[string]int{
				"sale": 30, "reserve": 40, "ship": 16, "release": 8, "asn": 40, "receipt": 12, "transfer_out": 40, "transfer_in": 12,
				"listing": 4, "adjust": 4, "count": 4, "allocate": 3, "block": 2, "unblock": 2, "safety": 2, "return": 2, "pick_failed": 1, "tick": 1,
			}})
			must(t, err)
			for d := range l.Fill {
				f.add(d)
			}
			var d inventory.Delta
			for range c.deltas {
				l.Next(&d)
				f.add(&d)
			}
			f.flush()
			w.publish(0, []byte("\x81\xa2id"))

			dir := t.TempDir()
			want := f.want
			want.Messages, want.Deltas, want.Rejected = want.Messages+1, want.Deltas+1, want.Rejected+1
			want.Commands = l.Counts().Probes
			result, err := Run(w.ctx, Config{URL: w.url, Prefix: "holdfast", Partitions: partitions, Dir: dir, Deltas: want.Deltas})
			must(t, err)
			if result.Elapsed <= 0 {
				t.Error("it took no time")
			}
			result.Elapsed = 0
			if result != want || want.Commands == 0 || want.Duplicates == 0 {
				t.Errorf("got %+v, want %+v", result, want)
			}
			for subject, n := range map[string]uint64{"command.>": want.Commands, "rejected.malformed": 1, "rejected.late": want.Rejected - 1} {
				if got := w.stored("holdfast.handwritten." + subject); got != n {
					t.Errorf("%d messages are stored under %s, want %d", got, subject, n)
				}
			}
			db, err := openPebble(vfs.Default, dir)
			must(t, err)
			defer db.Close()
			for i, m := range f.models {
				p := openPartition(db, i, nil)
				defer p.batch.Close()
				equalStock(t, p, m)
			}
		})
	}
}

// filler publishes deltas and says what is to become of them.
type filler struct {
	*world
	packing int
	encode  func([]byte, *inventory.Delta) []byte

	models   [partitions]*oracle.Model
	payloads [partitions][]byte
	packed   [partitions]int
	want     Result
}

func (f *filler) add(d *inventory.Delta) {
	p := codec.Partition(d.SKU, partitions)
	if f.models[p] == nil {
		f.models[p] = oracle.New(oracleConfig)
	}
	f.want.Deltas++
	switch outcome, _ := f.models[p].Apply(*d, 0); outcome {
	case oracle.Applied:
		f.want.Applied++
	case oracle.Duplicate:
		f.want.Duplicates++
	case oracle.Rejected:
		f.want.Rejected++
	}
	f.payloads[p] = f.encode(f.payloads[p], d)
	if f.packed[p]++; f.packed[p] == f.packing {
		f.send(p)
	}
}

func (f *filler) send(p int) {
	f.publish(p, f.payloads[p])
	f.want.Messages++
	f.payloads[p], f.packed[p] = nil, 0
}

// flush publishes what is not full.
func (f *filler) flush() {
	for p, n := range f.packed {
		if n > 0 {
			f.send(p)
		}
	}
}

// TestRunAgain: the durables are gone with a run, so that another begins from nothing; without a number
// of deltas it goes on until it is told to stop.
func TestRunAgain(t *testing.T) {
	w := newWorld(t)
	d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Sale, Quantity: 1, Time: 1, Channel: "web"}
	w.publish(codec.Partition(d.SKU, partitions), codec.AppendDelta(nil, &d))
	config := Config{URL: w.url, Prefix: "holdfast", Partitions: partitions, Dir: t.TempDir(), Deltas: 1}
	result, err := Run(context.WithoutCancel(w.ctx), config) // a context needs no deadline
	must(t, err)
	if result.Applied != 1 || result.Commands != 1 {
		t.Errorf("first run: %+v, want 1 applied and 1 command", result)
	}

	ctx, stop := context.WithCancel(w.ctx)
	config.Dir, config.Deltas = t.TempDir(), 0
	hold, err := w.js.Conn().SubscribeSync("holdfast.handwritten.command.>")
	must(t, err)
	must(t, w.js.Conn().Flush())
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, config)
		ended <- err
	}()
	_, err = hold.NextMsgWithContext(w.ctx)
	must(t, err)
	stop()
	must(t, <-ended)
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	if _, err := Run(w.ctx, Config{URL: w.url, Prefix: "nobody", Partitions: 1, Dir: t.TempDir(), Deltas: 1}); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("of a prefix without streams: %v, want %v", err, jetstream.ErrStreamNotFound)
	}
	ctx, stop := context.WithCancel(w.ctx)
	stop()
	if _, err := Run(ctx, Config{URL: w.url, Prefix: "holdfast", Partitions: 1, Dir: t.TempDir(), Deltas: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped before the first delta: %v, want %v", err, context.Canceled)
	}
}
