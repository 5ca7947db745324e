package stream

import (
	"bytes"
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/holdfast-atp/holdfast/engine"
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
	for !p.Full(OpenDeltasMax) {
		if sequence++; sequence > most {
			t.Fatalf("%d rejected payloads of %d bytes wait, and it is not full", sequence, len(junk))
		}
		f := &Fetch{}
		f.Add(sequence, int64(sequence), junk)
		must(t, p.Apply(t.Context(), f))
	}
	must(t, p.Commit())
	if p.Full(OpenDeltasMax) {
		t.Error("it is full after a commit")
	}
	must(t, p.Close())
	must(t, db.Close())
	must(t, folder.Close())
}
