package stream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/state"
)

// HeaderCause is the header of every output that names the message it is about: "<sequence>-<fingerprint>", of that
// message in the partition's log. Where the log has another one there now, the log lost what was said, and
// what follows from the other has the same ordinals: without a look at this header it would be taken for said.
const HeaderCause = "Holdfast-Cause"

// causeOf is the value of HeaderCause for a message.
func causeOf(m *Message) string {
	return strconv.FormatUint(m.Sequence, 10) + "-" + strconv.FormatUint(m.Fingerprint(), 16)
}

// parseCause is the inverse of causeOf; nil where there is no cause, as in what earlier versions said.
func parseCause(cause string) *state.Position {
	first, second, _ := strings.Cut(cause, "-")
	sequence, err := strconv.ParseUint(first, 10, 64)
	if err != nil || sequence == 0 {
		return nil
	}
	fingerprint, err := strconv.ParseUint(second, 16, 64)
	if err != nil {
		return nil
	}
	return &state.Position{Sequence: sequence, Fingerprint: fingerprint}
}

// causeName returns the output's own.
func (o *Output) causeName() string {
	for _, h := range o.Headers {
		if h.Name == HeaderCause {
			return h.Value
		}
	}
	return ""
}

// Said is the last thing that a partition said in one stream.
type Said struct {
	Stream  string
	Ordinal uint64 // 0: nothing
	Cause   string // the value of its HeaderCause
}

// wayOutSaid is what can be done about outputs of messages that are no more.
const wayOutSaid = "restore the stream of deltas; or stop holdfast and let holdfast doctor --repair take back what was said about them, and publish again what was lost"

// CheckSaid compares what partition p has said last with its log. It fails with an error that wraps [ErrLogDiffers] where that
// is about a message that the log has no more: the log lost its tail, or was rewritten, before the partition had stored
// that it applied it.
func CheckSaid(ctx context.Context, log LogView, t Topology, p int, said []Said) error {
	for _, s := range said {
		gone, err := goneFromLog(ctx, log, parseCause(s.Cause))
		if err != nil {
			return err
		}
		if gone != "" {
			return fmt.Errorf("partition %d: stream %s %s, and output %d of %s is about it: %w: %s",
				p, t.DeltaStream(p), gone, s.Ordinal, s.Stream, ErrLogDiffers, wayOutSaid)
		}
	}
	return nil
}

// goneFromLog says in what way a log has a message no more, "" where it has, or where retention may have taken it.
func goneFromLog(ctx context.Context, log LogView, at *state.Position) (string, error) {
	if at == nil {
		return "", nil
	}
	first, last, err := log.Ends(ctx)
	switch {
	case err != nil:
		return "", err
	case at.Sequence > last:
		return fmt.Sprintf("ends at %d and lost message %d", last, at.Sequence), nil
	case at.Sequence < first:
		return "", nil
	}
	data, unixNanos, ok, err := log.Message(ctx, at.Sequence)
	if err != nil || !ok || Fingerprint(data, unixNanos) == at.Fingerprint {
		return "", err
	}
	return fmt.Sprintf("holds another message at %d than it did", at.Sequence), nil
}

// CheckSaidBy is [CheckSaid] for the log as its leader has it.
func CheckSaidBy(ctx context.Context, js jetstream.JetStream, t Topology, p int, said []Said) error {
	return CheckSaid(ctx, leaderLog{js, t.DeltaStream(p)}, t, p, said)
}

// TakeBack deletes from the streams of outputs what partition p said about messages that its log has no more, the
// last first, and tells say how much that is before it does. What follows from the log as it is will be said in their
// place. Nothing may run.
func TakeBack(ctx context.Context, js jetstream.JetStream, t Topology, p int, say func(string)) error {
	log := leaderLog{js, t.DeltaStream(p)}
	known := map[string]string{} // by cause: in what way it is gone
	gone := func(cause string) (_ string, err error) {
		if _, ok := known[cause]; !ok {
			known[cause], err = goneFromLog(ctx, log, parseCause(cause))
		}
		return known[cause], err
	}
	for kind := range Kind(kinds) {
		all, err := saidInOrder(ctx, js, t, kind, p)
		if err != nil {
			return err
		}
		stream, err := js.Stream(ctx, t.OutputStream(kind))
		if err != nil {
			return err
		}
		first, reason := len(all), ""
		for ; first > 0; first-- {
			why, err := gone(all[first-1].Cause)
			if err != nil {
				return err
			}
			if why == "" {
				break
			}
			reason = why
		}
		if first == len(all) {
			continue
		}
		say(fmt.Sprintf("partition %d: taking back %d outputs of %s, from %s on: its log %s", p, len(all)-first, t.OutputStream(kind), all[first].Output, reason))
		for i := len(all) - 1; i >= first; i-- {
			if err := stream.DeleteMsg(ctx, all[i].Sequence); err != nil {
				return fmt.Errorf("take back %s of %s: %w", all[i].Output, t.OutputStream(kind), err)
			}
		}
	}
	return nil
}

// saidInOrder lists what a stream has of a partition.
func saidInOrder(ctx context.Context, js jetstream.JetStream, t Topology, kind Kind, p int) (all []StoredOutput, err error) {
	log := &leaderOutputs{js: js, stream: t.OutputStream(kind), partition: p}
	filter := t.partitionFilter(kind, p)
	if filter == "" {
		filter = t.outputFilter(kind)
	}
	last, found, err := log.Last(ctx, filter)
	if err != nil || !found {
		return nil, err
	}
	err = log.Scan(ctx, filter, 0, time.Time{}, last.Sequence, func(m StoredOutput) {
		if partition, _, ok := parseOutputName(m.Output); ok && partition == p {
			all = append(all, m)
		}
	})
	return all, err
}

// errSaidOtherwise marks that a stream has another output under an ordinal than the one that follows from the log.
var errSaidOtherwise = errors.New("what was said under that ordinal is about another message")

func saidOtherwise(p int, stream string, ordinal uint64, was, is string) error {
	return fmt.Errorf("partition %d: output %d of %s is about message %s, and about %s by the log: %w: %w: %s", p, ordinal, stream, was, is, errSaidOtherwise, ErrLogDiffers, wayOutSaid)
}
