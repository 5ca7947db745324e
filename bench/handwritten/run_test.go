package handwritten

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// patience bounds every wait; none is expected to need it.
const patience = 3 * time.Minute

var topology = stream.Topology{Prefix: "holdfast", Partitions: 3, Replicas: 1}

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

func (w *world) publish(partition int, payload []byte) {
	w.t.Helper()
	_, err := w.js.Publish(w.ctx, topology.DeltaSubject(partition), payload)
	must(w.t, err)
}

// count returns how many messages the consumer's stream has of a subject.
func (w *world) count(subject string) (n uint64) {
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

// probes is how many of a day's deltas are sales of what nobody has.
const probes = 7

// day is a small steady day: counted shelves, orders that are reserved and mostly shipped, sales, receipts,
// listings, a ring-fence, and probes.
func day(deltas int) (all []inventory.Delta) {
	rng := rand.New(rand.NewPCG(7, 0))
	var orders []inventory.Delta
	for i := range deltas {
		d := inventory.Delta{ID: strconv.Itoa(i), Source: "bench", Location: "store-" + strconv.Itoa(rng.IntN(3)),
			SKU: "sku-" + strconv.Itoa(rng.IntN(12)), Time: gen.Start + inventory.Millis(i*50), Quantity: 1 + int64(rng.IntN(3))}
		switch draw := rng.IntN(10); {
		case i%(deltas/probes) == 1:
			d.SKU, d.Kind, d.Channel = "probe-"+d.ID, inventory.Sale, "web"
		case i < deltas/4:
			d.Kind, d.Quantity = inventory.Receipt, 1000
			d.Ref = "po-" + d.ID
		case draw < 4:
			d.Kind, d.Channel = inventory.Sale, "web"
		case draw < 6:
			d.Kind, d.Channel, d.Ref, d.Due = inventory.Reserve, "amazon", "o-"+d.ID, d.Time+inventory.Minute
			orders = append(orders, d)
		case draw < 8 && len(orders) > 0:
			o := orders[0]
			orders = orders[1:]
			d.Kind, d.SKU, d.Location, d.Ref, d.Quantity = inventory.Ship, o.SKU, o.Location, o.Ref, o.Quantity
		case draw < 9:
			d.Kind, d.Quantity = inventory.Count, 500
		default:
			d.Kind, d.Channel = inventory.Allocate, "amazon"
		}
		all = append(all, d)
	}
	return all
}

// TestRunAppliesEverything: one delta a message and packed, arrays and maps, with what can't be used among them.
func TestRunAppliesEverything(t *testing.T) {
	for _, c := range []struct {
		packing int
		encode  func([]byte, *inventory.Delta) []byte
	}{{1, codec.AppendDelta}, {50, codec.AppendDeltaMap}} {
		t.Run(fmt.Sprintf("packing=%d", c.packing), func(t *testing.T) {
			w := newWorld(t)
			log := day(1500)
			models := make([]*oracle.Model, topology.Partitions)
			payloads, messages := make([][]byte, topology.Partitions), 0
			for p := range models {
				models[p] = oracle.New(oracleConfig)
			}
			for i := range log {
				p := codec.Partition(log[i].SKU, topology.Partitions)
				models[p].Apply(log[i])
				payloads[p] = c.encode(payloads[p], &log[i])
				if i%c.packing == 0 || i >= len(log)-c.packing {
					w.publish(p, payloads[p])
					payloads[p] = nil
					messages++
				}
			}
			for p, payload := range payloads {
				if len(payload) > 0 {
					w.publish(p, payload)
					messages++
				}
			}
			twice, broken, late := log[3], []byte("\x81\xa2id"), log[3]
			late.ID, late.Time = "late", late.Time-2*lateness
			w.publish(codec.Partition(twice.SKU, topology.Partitions), codec.AppendDelta(nil, &twice))
			w.publish(0, broken)
			w.publish(codec.Partition(late.SKU, topology.Partitions), codec.AppendDelta(nil, &late))

			dir := t.TempDir()
			n := uint64(len(log))
			result, err := Run(w.ctx, Config{URL: w.url, Prefix: "holdfast", Partitions: topology.Partitions, Dir: dir, Deltas: n + 3})
			must(t, err)
			if result.Elapsed <= 0 {
				t.Error("it took no time")
			}
			result.Elapsed = 0
			want := Result{Messages: uint64(messages) + 3, Deltas: n + 3, Applied: n, Duplicates: 1, Rejected: 2, Commands: result.Commands}
			if result != want || result.Commands < probes {
				t.Errorf("got %+v, want %+v and %d commands at least", result, want, probes)
			}
			if got := w.count("holdfast.handwritten.command.>"); got != result.Commands {
				t.Errorf("%d commands are stored, want %d", got, result.Commands)
			}
			for _, reason := range []string{"malformed", "late"} {
				if got := w.count("holdfast.handwritten.rejected." + reason); got != 1 {
					t.Errorf("%d deltas are stored as %s, want 1", got, reason)
				}
			}

			db, err := openPebble(vfs.Default, dir)
			must(t, err)
			defer db.Close()
			for i, m := range models {
				p := openPartition(db, i, nil)
				defer p.batch.Close()
				equalStock(t, p, m)
			}
		})
	}
}

// TestRunAgain: the durables are gone with a run, so that another begins from nothing; without a number
// of deltas it goes on until it is told to stop.
func TestRunAgain(t *testing.T) {
	w := newWorld(t)
	d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Sale, Quantity: 1, Time: 1, Channel: "web"}
	w.publish(codec.Partition(d.SKU, topology.Partitions), codec.AppendDelta(nil, &d))
	config := Config{URL: w.url, Prefix: "holdfast", Partitions: topology.Partitions, Dir: t.TempDir(), Deltas: 1}
	result, err := Run(w.ctx, config)
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
