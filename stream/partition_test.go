package stream

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// emptyLog is a log in which nothing is yet.
type emptyLog struct{}

func (emptyLog) Ends(context.Context) (first, last uint64, err error) { return 1, 0, nil }

func (emptyLog) Message(context.Context, uint64) ([]byte, int64, bool, error) {
	return nil, 0, false, nil
}

// mute takes outputs and never hears that they are stored.
type mute struct{}

func (mute) Publish(context.Context, Output) error { return nil }
func (mute) Acked() uint64                         { return 0 }
func (mute) RejectedSeen() uint64                  { return 0 }
func (mute) Said() []Said                          { return nil }

// TestWhatWaitsToBeCommittedIsBounded floods a partition with payloads that are no deltas, each of which is said to
// be rejected, whole.
func TestWhatWaitsToBeCommittedIsBounded(t *testing.T) {
	t.Parallel()
	folder, err := state.OpenFolder("state", state.Options{Partitions: 1, Prefix: "holdfast", FS: vfs.NewMem()})
	must(t, err)
	db, err := folder.OpenPartition(0)
	must(t, err)
	p, err := OpenPartition(t.Context(), PartitionConfig{
		Topology: Topology{Prefix: "holdfast", Partitions: 1},
		Engine:   engine.Config{CacheBytes: 1 << 30},
		Log:      emptyLog{},
		Speak:    func(context.Context, From) (Speaker, error) { return mute{}, nil },
	}, db)
	must(t, err)
	junk := bytes.Repeat([]byte("?"), PayloadBytesMax/4)
	const most = 2 * pendingBytesMax / (PayloadBytesMax / 4)
	sequence := uint64(0)
	for !p.Full() {
		if sequence++; sequence > most {
			t.Fatalf("%d rejected payloads of %d bytes wait, and it is not full", sequence, len(junk))
		}
		f := &Fetch{}
		f.Add(sequence, int64(sequence), junk)
		must(t, p.Apply(t.Context(), f))
	}
	must(t, p.Commit())
	if p.Full() {
		t.Error("it is full after a commit")
	}
	must(t, p.Close())
	must(t, db.Close())
	must(t, folder.Close())
}

// watcher is a speaker whose stream stores all at once; it looks at what the partition holds meanwhile.
type watcher struct {
	mute
	partition *Partition

	commands       int
	outputs, bytes int   // most that waited at once
	cache          int64 // most that was held
	lastOrdinal    uint64
}

func (w *watcher) Publish(_ context.Context, o Output) error {
	if o.Ordinal != w.lastOrdinal+1 {
		return fmt.Errorf("output %d comes after %d", o.Ordinal, w.lastOrdinal)
	}
	w.lastOrdinal = o.Ordinal
	if o.Kind == Command {
		w.commands++
	}
	w.outputs = max(w.outputs, len(w.partition.engine.Outputs()))
	w.bytes = max(w.bytes, w.partition.pendingBytes)
	w.cache = max(w.cache, w.partition.engine.CacheBytes())
	return nil
}
func (w *watcher) Acked() uint64 { return w.lastOrdinal }

// counting is a store that counts commits, and keeps what the position was in the last of them that was within a message.
type counting struct {
	*state.DB
	commits int
	within  state.Position
}

func (c *counting) Commit(b *state.Batch) error {
	c.commits++
	err := c.DB.Commit(b)
	if at, _, _ := c.Position(); at.Within {
		c.within = at
	}
	return err
}

// TestATickThatLetsMuchHappenTakesNoMoreMemory: sixty thousand holds come to an end with one tick, as the reservations behind
// them lapse in the same millisecond. What is said is handed over as it goes, and the partition commits within the tick.
func TestATickThatLetsMuchHappenTakesNoMoreMemory(t *testing.T) {
	t.Parallel()
	holds, memory := 60_000, 8<<20
	if raceDetector { // which is slow
		holds, memory = 6_000, 1<<20
	}
	folder, err := state.OpenFolder("state", state.Options{Partitions: 1, Prefix: "holdfast", FS: vfs.NewMem()})
	must(t, err)
	db, err := folder.OpenPartition(0)
	must(t, err)
	store := &counting{DB: db}
	w := &watcher{}
	w.partition, err = OpenPartition(t.Context(), PartitionConfig{
		Topology: Topology{Prefix: "holdfast", Partitions: 1},
		Engine:   engine.Config{CacheBytes: int64(memory)},
		Log:      emptyLog{},
		Speak:    func(context.Context, From) (Speaker, error) { return w, nil },
	}, store)
	must(t, err)

	due := inventory.Millis(1_764_000_000_000)
	sequence := uint64(0)
	publish := func(payload []byte) {
		sequence++
		f := &Fetch{}
		f.Add(sequence, due.Time().Add(time.Hour).UnixNano(), payload)
		must(t, w.partition.Apply(t.Context(), f))
		if w.partition.Full() || w.partition.Crowded() {
			must(t, w.partition.Commit())
		}
	}
	for n := 0; n < holds; {
		var payload []byte
		for range 1000 {
			d := inventory.Delta{
				ID: fmt.Sprint("o", n), Source: "web", SKU: fmt.Sprintf("tea-%d", n), Location: "leeds", Kind: inventory.Reserve, Channel: "web",
				Ref: "o", Quantity: 2, Time: due - inventory.Hour, Due: due,
			}
			payload = codec.AppendDelta(payload, &d)
			d.ID, d.Kind, d.Quantity, d.Reason = fmt.Sprint("a", n), inventory.Adjust, 1, "found"
			payload = codec.AppendDelta(payload, &d)
			n++
		}
		publish(payload)
	}
	must(t, w.partition.Commit())
	if w.commands != holds {
		t.Fatalf("%d commands, want a hold each of %d", w.commands, holds)
	}
	before := store.commits
	*w = watcher{partition: w.partition, lastOrdinal: w.lastOrdinal}

	publish(codec.AppendDelta(nil, &inventory.Delta{ID: "t", Source: "web", Kind: inventory.Tick, Time: due}))
	if w.commands != holds {
		t.Errorf("%d commands, want a release each of %d", w.commands, holds)
	}
	const slice = 3 * engine.DefaultSliceTimers // an exception, a release and a decision each
	if w.outputs > slice {
		t.Errorf("%d outputs were held by the engine at once, want %d at most", w.outputs, slice)
	}
	if most := pendingBytesMax + slice*2<<10; w.bytes > most {
		t.Errorf("%d bytes of outputs waited for a commit, want %d at most", w.bytes, most)
	}
	if most := int64(memory*3/2 + engine.DefaultSliceTimers*8<<10); w.cache > most {
		t.Errorf("%d bytes were held by key, want %d at most", w.cache, most)
	}
	if store.within.Sequence != sequence {
		t.Errorf("in %d commits it never committed within the tick", store.commits-before)
	}
	if at := w.partition.Position(); at.Within || at.Sequence != sequence {
		t.Errorf("after the tick, message %d, the position is %+v", sequence, at)
	}
	t.Logf("%d commits within a tick; %d outputs, %d bytes of them and %d bytes by key at most", store.commits-before, w.outputs, w.bytes, w.cache)
	must(t, w.partition.Close())
	must(t, db.Close())
	must(t, folder.Close())
}
