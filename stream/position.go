package stream

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/state"
)

// Fingerprint tells one message of a log from another: a hash of its bytes and of
// the moment at which the stream took it in, in Unix nanoseconds. A stream that lost
// its tail and went on gives the same sequence to another message, and this differs.
func Fingerprint(data []byte, unixNanos int64) uint64 {
	var stamp [8]byte
	binary.LittleEndian.PutUint64(stamp[:], uint64(unixNanos))
	var d xxhash.Digest
	d.Reset()
	d.Write(stamp[:]) // never fails
	d.Write(data)
	return d.Sum64()
}

// ErrLogDiffers marks errors that say that a partition's log is not the one that its
// state was made from, or no longer holds what comes next. Nobody retries them; a
// person decides.
var ErrLogDiffers = errors.New("the log and the state do not belong together")

// wayOut is what can be done about it.
const wayOut = "restore the stream, or move this partition's folder away (holdfast doctor --repair) and let the log that is left be applied from its start"

// LogView is the log of one partition, as its leader has it.
type LogView interface {
	// Ends returns the sequences of the first and the last message. In an empty log first is last + 1.
	Ends(ctx context.Context) (first, last uint64, err error)

	// Message returns one message and when the log took it in, in Unix nanoseconds; ok is false where there is none.
	Message(ctx context.Context, sequence uint64) (data []byte, unixNanos int64, ok bool, err error)
}

// leaderLog is a stream as its leader has it.
type leaderLog struct {
	js     jetstream.JetStream
	stream string
}

func (l leaderLog) Ends(ctx context.Context) (first, last uint64, err error) {
	s, err := streamState(ctx, l.js, l.stream)
	return s.FirstSeq, s.LastSeq, err
}

func (l leaderLog) Message(ctx context.Context, sequence uint64) (data []byte, unixNanos int64, ok bool, err error) {
	msg, err := leaderGet(ctx, l.js, l.stream, map[string]any{"seq": sequence})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, false, nil
	}
	if err != nil {
		return nil, 0, false, err
	}
	return msg.Data, msg.Time.UnixNano(), true, nil
}

// CheckPosition compares what partition p has applied with its log, as the leader has
// it: pos is the stored position, or nil where there is none yet. It fails with an
// error that wraps [ErrLogDiffers] where the log lost its tail or was rewritten, or
// where it no longer holds the message after pos.
//
// Where retention has taken the message at pos but not the next, there is nothing to
// compare with, and nothing missing either.
func CheckPosition(ctx context.Context, js jetstream.JetStream, t Topology, p int, pos *state.Position) error {
	return CheckLog(ctx, leaderLog{js, t.DeltaStream(p)}, t, p, pos)
}

// CheckLog is [CheckPosition] for any log.
func CheckLog(ctx context.Context, log LogView, t Topology, p int, pos *state.Position) error {
	first, last, err := log.Ends(ctx)
	if err != nil {
		return err
	}
	stream := t.DeltaStream(p)
	differs := func(format string, args ...any) error {
		return fmt.Errorf("partition %d: stream %s %s: %w: %s", p, stream, fmt.Sprintf(format, args...), ErrLogDiffers, wayOut)
	}
	if pos == nil {
		if first > 1 {
			return differs("begins at %d and this partition has no state: messages 1 to %d are gone, and with them what they said about stock", first, first-1)
		}
		return nil
	}
	switch {
	case last < pos.Sequence:
		return differs("ends at %d, this partition has applied up to %d: the log lost its tail", last, pos.Sequence)
	case first > pos.Whole()+1:
		return differs("begins at %d, this partition has applied up to %d: messages %d to %d were removed before they were applied", first, pos.Whole(), pos.Whole()+1, first-1)
	case first == pos.Sequence+1:
		return nil
	}
	data, unixNanos, ok, err := log.Message(ctx, pos.Sequence)
	if err != nil {
		return err
	}
	if !ok {
		return nil // removed by retention since we looked, or deleted by itself after it was applied
	}
	if got := Fingerprint(data, unixNanos); got != pos.Fingerprint {
		return differs("holds another message at %d than the one that this partition has applied (stored %s, fingerprint %016x, not %016x): the log was rewritten",
			pos.Sequence, time.Unix(0, unixNanos).UTC().Format(time.RFC3339Nano), got, pos.Fingerprint)
	}
	return nil
}
