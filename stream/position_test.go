package stream

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// positionAt is what a partition stores that has applied the log up to sequence.
func (w *world) positionAt(partition int, sequence uint64) *state.Position {
	w.t.Helper()
	msg, err := leaderGet(testContext(w.t), w.js, w.topology.DeltaStream(partition), map[string]any{"seq": sequence})
	must(w.t, err)
	return &state.Position{
		Sequence:    sequence,
		Fingerprint: Fingerprint(msg.Data, msg.Time.UnixNano()),
		LogTime:     inventory.MillisOf(msg.Time),
	}
}

func TestFingerprintIsOfBytesAndTime(t *testing.T) {
	a := Fingerprint([]byte("a"), 1)
	if a != Fingerprint([]byte("a"), 1) {
		t.Error("the same message has two fingerprints")
	}
	if a == Fingerprint([]byte("b"), 1) || a == Fingerprint([]byte("a"), 2) || a == Fingerprint(nil, 1) {
		t.Error("other messages have the same fingerprint")
	}
}

func TestCheckPosition(t *testing.T) {
	t.Parallel()
	const last = 5
	// rewrite makes the log anew with other messages.
	rewrite := func(w *world, messages int) {
		must(w.t, w.js.DeleteStream(testContext(w.t), w.topology.DeltaStream(0)))
		must(w.t, w.topology.Ensure(testContext(w.t), w.js))
		for range messages {
			w.publish(w.topology.DeltaSubject(0), []byte("another"))
		}
	}
	purge := func(below uint64) func(*world) {
		return func(w *world) {
			s, err := w.js.Stream(testContext(w.t), w.topology.DeltaStream(0))
			must(w.t, err)
			must(w.t, s.Purge(testContext(w.t), jetstream.WithPurgeSequence(below)))
		}
	}
	for _, c := range []struct {
		name    string
		at      uint64 // the stored position; 0 for none
		happens func(w *world)
		says    []string // nil: all is well
	}{
		{"nothing applied yet", 0, nil, nil},
		{"in the middle", 3, nil, nil},
		{"at the end", last, nil, nil},
		{"nothing applied, and the beginning is gone", 0, purge(3), []string{"begins at 3", "messages 1 to 2 are gone"}},
		{"the tail is lost", last, func(w *world) { rewrite(w, 2) }, []string{"ends at 2", "applied up to 5", "lost its tail"}},
		{"the tail is lost and grew again", last, func(w *world) { rewrite(w, last+1) }, []string{"another message at 5", "rewritten"}},
		{"retention took what was applied", 3, purge(3), nil},
		{"retention took the one at the position too", 3, purge(4), nil},
		{"retention took what was not applied", 3, purge(5), []string{"begins at 5", "messages 4 to 4 were removed"}},
		{"all was purged after it was applied", last, purge(last + 1), nil},
		{"the one at the position was deleted", 3, func(w *world) {
			s, err := w.js.Stream(testContext(w.t), w.topology.DeltaStream(0))
			must(w.t, err)
			must(w.t, s.DeleteMsg(testContext(w.t), 3))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			for range last {
				w.publish(w.topology.DeltaSubject(0), []byte("a delta"))
			}
			var at *state.Position
			if c.at > 0 {
				at = w.positionAt(0, c.at)
			}
			if c.happens != nil {
				c.happens(w)
			}
			err := CheckPosition(testContext(t), w.js, w.topology, 0, at)
			if c.says == nil {
				must(t, err)
				return
			}
			wantError(t, c.name, err, append(c.says, "partition 0", "HOLDFAST_DELTA_0000", "restore the stream")...)
			if !errors.Is(err, ErrLogDiffers) {
				t.Errorf("%v is not marked as ErrLogDiffers", err)
			}
		})
	}
}

func TestCheckPositionWithoutAStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	must(t, w.js.DeleteStream(testContext(t), w.topology.DeltaStream(0)))
	err := CheckPosition(testContext(t), w.js, w.topology, 0, nil)
	wantError(t, "no stream", err, "HOLDFAST_DELTA_0000", "is not there")
	if errors.Is(err, ErrLogDiffers) {
		t.Error("a stream that is not there is no other log")
	}
}
