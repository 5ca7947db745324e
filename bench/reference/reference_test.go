package reference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait; none is expected to need it.
const patience = 3 * time.Minute

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var topology = stream.Topology{Prefix: "holdfast", Partitions: 3, Replicas: 1}

const (
	messages  = 600
	perDelta  = 5  // deltas a message
	malformed = 10 // messages that hold something else too
)

// world is an embedded server with streams that hold messages.
type world struct {
	ctx context.Context
	url string
	nc  *nats.Conn
	js  jetstream.JetStream
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: t.TempDir(), Port: -1, Log: quiet()})
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	w := &world{ctx: ctx, url: server.URL()}
	w.nc, err = nats.Connect(w.url)
	must(t, err)
	t.Cleanup(w.nc.Close)
	w.js, err = jetstream.New(w.nc)
	must(t, err)
	must(t, topology.Ensure(ctx, w.js))
	for i := range messages {
		sku := fmt.Sprint("sku-", i%100)
		var payload []byte
		for j := range perDelta {
			d := inventory.Delta{
				ID: fmt.Sprint(i, "-", j), Source: "test", SKU: sku, Location: fmt.Sprint("store-", j%2), Time: 1_732_492_800_000 + inventory.Millis(i),
				Kind: inventory.Reserve, Quantity: 1, Channel: "web", Ref: fmt.Sprint("o-", i), Due: 1_732_492_800_000 + inventory.Millis(i+300),
			}
			payload = codec.AppendDelta(payload, &d)
		}
		if i < malformed {
			payload = append(payload, "nonsense"...)
		}
		_, err := w.js.PublishAsync(topology.DeltaSubject(codec.Partition(sku, topology.Partitions)), payload)
		must(t, err)
	}
	select {
	case <-w.js.PublishAsyncComplete():
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
	return w
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestReadsEverything(t *testing.T) {
	w := newWorld(t)
	for name, read := range map[string]func(context.Context, *nats.Conn, stream.Topology, uint64) (time.Duration, error){"raw": RawRead, "decoded": RawDecode} {
		took, err := read(w.ctx, w.nc, topology, messages)
		if err != nil || took <= 0 {
			t.Errorf("%s: it took %v, %v", name, took, err)
		}
		if _, err := read(w.ctx, w.nc, topology, 0); err == nil {
			t.Errorf("%s: nothing to read is no error", name)
		}
	}
	if _, err := RawDecode(w.ctx, w.nc, topology, messages+1); err == nil {
		t.Error("decoded: a message less than was asked for is no error")
	}
	for p := range topology.Partitions {
		s, err := w.js.Stream(w.ctx, topology.DeltaStream(p))
		must(t, err)
		if left := s.CachedInfo().State.Consumers; left > 0 {
			t.Errorf("%d consumers of partition %d are left", left, p)
		}
	}
}

func TestRawReadEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(w.ctx)
	stop()
	if _, err := RawRead(ctx, w.nc, topology, messages+1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// TestPebbleWritesWhatHoldfastWrites: what the recorded batches come to is what a processor's state is.
func TestPebbleWritesWhatHoldfastWrites(t *testing.T) {
	w := newWorld(t)
	recordings := t.TempDir()
	r, err := Record(w.ctx, w.nc, topology, recordings)
	must(t, err)
	if r.Deltas != messages*perDelta+malformed || r.Batches < uint64(topology.Partitions) || r.Operations < messages || r.Bytes < r.Operations {
		t.Errorf("recorded %+v", r)
	}
	files, err := os.ReadDir(recordings)
	must(t, err)
	if len(files) != topology.Partitions {
		t.Errorf("%v are left of recording, want a file a partition", files)
	}
	replayed := t.TempDir()
	took, err := Pebble(w.ctx, r, replayed)
	must(t, err)
	if took <= 0 {
		t.Error("it took no time")
	}

	processed := t.TempDir()
	p, err := stream.Start(w.ctx, stream.Config{
		Topology: topology, DataDir: processed, TickEvery: -1, Log: quiet(),
		Connect: func(name string) (*nats.Conn, error) { return nats.Connect(w.url, nats.Name(name)) },
	})
	must(t, err)
	must(t, p.CatchUp(w.ctx))
	must(t, p.Close())
	got, want := digests(t, replayed, "reference"), digests(t, processed, topology.Prefix)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("digests:\n got %v\nwant %v", got, want)
	}
}

// digests says what the partitions of a state folder hold.
func digests(t *testing.T, dir, prefix string) (all []string) {
	t.Helper()
	options := state.Options{Partitions: topology.Partitions, Prefix: prefix}
	for _, b := range engine.LaidOutByBatch() {
		options.DigestSkip = append(options.DigestSkip, []byte{b})
	}
	folder, err := state.OpenFolder(dir, options)
	must(t, err)
	for p := range topology.Partitions {
		db, err := folder.OpenPartition(p)
		must(t, err)
		digest, err := db.Digest()
		must(t, err)
		all = append(all, digest)
		must(t, db.Close())
	}
	must(t, folder.Close())
	return all
}

// operation is one operation of a batch.
type operation struct {
	op         byte
	key, value string
}

// TestBatchLog: what is written is read, batch by batch, whatever its size.
func TestBatchLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "batches")
	bytesOf := rapid.Custom(func(t *rapid.T) string {
		most := rapid.SampledFrom([]int{0, 10, 300, frameBytes}).Draw(t, "most")
		return string(bytes.Repeat([]byte{'x'}, rapid.IntRange(0, most).Draw(t, "bytes")))
	})
	oneOperation := rapid.Custom(func(t *rapid.T) operation {
		return operation{rapid.ByteRange(opSet, opDeleteRange).Draw(t, "op"), bytesOf.Draw(t, "key"), bytesOf.Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(oneOperation, 0, 8), 0, 4).Draw(t, "batches")
		var l batchLog
		if err := l.create(path); err != nil {
			t.Fatal(err)
		}
		for _, batch := range want {
			for _, o := range batch {
				if err := l.add(o.op, []byte(o.key), []byte(o.value)); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.commit(); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		if got := readBatches(t, path); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Fatalf("read %d batches that differ from the %d that were written", len(got), len(want))
		}
	})
}

func readBatches(t *rapid.T, path string) (all [][]operation) {
	r, err := openBatches(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	batch := []operation{}
	for {
		last, err := r.next(func(op byte, key, value []byte) error {
			batch = append(batch, operation{op, string(key), string(value)})
			return nil
		})
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if last {
			all, batch = append(all, batch), []operation{}
		}
	}
}

// FuzzBatchReader: a damaged file is an error, never a panic or a frame without an end.
func FuzzBatchReader(f *testing.F) {
	f.Add([]byte{8, 0, 0, 0, 1, opSet, 1, 'k', 3, 'a', 'b', 'c'})
	f.Add([]byte{0, 0, 0, 0, 1})
	f.Add([]byte{255, 255, 255, 255, 1, opSet})
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "batches")
		must(t, os.WriteFile(path, data, 0o600))
		r, err := openBatches(path)
		must(t, err)
		defer r.close()
		for frames := 0; err == nil; frames++ {
			if frames*frameHeader > len(data) {
				t.Fatalf("%d frames in %d bytes", frames, len(data))
			}
			_, err = r.next(func(_ byte, key, value []byte) error {
				if len(key)+len(value) > len(data) {
					t.Fatalf("%d bytes of a key and a value in %d", len(key)+len(value), len(data))
				}
				return nil
			})
		}
	})
}
