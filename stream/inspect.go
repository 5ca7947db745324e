package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// StreamReport is what a deployment's stream is like.
type StreamReport struct {
	Name        string
	First, Last uint64 // sequences; in an empty stream First is Last + 1
	Messages    uint64
	Bytes       uint64
	Err         error // it is not there, or not as it has to be
}

// Inspect looks at every stream of the deployment and changes nothing: those of deltas by partition, then those of
// outputs. ahead is how far the broker's clock is ahead of this machine's, give or take how long an answer takes. An error says
// that the broker does not answer, or that there are streams of another number of partitions.
func (t Topology) Inspect(ctx context.Context, js jetstream.JetStream) (streams []StreamReport, ahead time.Duration, err error) {
	if err := t.Validate(); err != nil {
		return nil, 0, err
	}
	if err := t.refuseForeignPartitions(ctx, js); err != nil {
		return nil, 0, err
	}
	for _, want := range t.configs() {
		began := time.Now()
		s, err := js.Stream(ctx, want.Name)
		report := StreamReport{Name: want.Name}
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			report.Err = fmt.Errorf("stream %s is not there: it was deleted, or this is another server", want.Name)
		case err != nil:
			return nil, 0, fmt.Errorf("look at stream %s: %w", want.Name, err)
		default:
			info := s.CachedInfo()
			report.First, report.Last, report.Messages, report.Bytes = info.State.FirstSeq, info.State.LastSeq, info.State.Msgs, info.State.Bytes
			report.Err = compareStream(want, info.Config)
			asked := began.Add(time.Since(began) / 2)
			ahead = info.TimeStamp.Sub(asked)
		}
		streams = append(streams, report)
	}
	return streams, ahead, nil
}

// ReadStream reads a stream of the deployment from a sequence on to its end. Its error names the first message that the broker
// can't read or, in a log, that is not there: of other streams messages may have been deleted.
func (t Topology) ReadStream(ctx context.Context, js jetstream.JetStream, stream string, from uint64, log bool) error {
	return t.readStream(ctx, js, stream, from, log, func(jetstream.Msg) error { return nil })
}

// ReadOutputs is [Topology.ReadStream] of a stream of outputs, and calls each for every output: of which partition, under
// which ordinal, and when the stream took it in.
func (t Topology) ReadOutputs(ctx context.Context, js jetstream.JetStream, stream string, from uint64, each func(partition int, ordinal uint64, stored time.Time)) error {
	return t.readStream(ctx, js, stream, from, false, func(msg jetstream.Msg) error {
		at, err := msg.Metadata()
		if err != nil {
			return err
		}
		if partition, ordinal, ok := parseOutputName(msg.Headers().Get(HeaderOutput)); ok {
			each(partition, ordinal, at.Timestamp)
		}
		return nil
	})
}

func (t Topology) readStream(ctx context.Context, js jetstream.JetStream, stream string, from uint64, log bool, each func(jetstream.Msg) error) error {
	state, err := streamState(ctx, js, stream)
	if err != nil || state.LastSeq < from || state.Msgs == 0 && !log || state.LastSeq < state.FirstSeq {
		return err
	}
	next, end := max(from, state.FirstSeq), state.LastSeq
	if !log {
		last, err := leaderGet(ctx, js, stream, map[string]any{"last_by_subj": t.subjectsOf(stream)})
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return err
		}
		if err == nil {
			end = last.Sequence
		}
	}
	begin := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: next}
	err = scan(ctx, js, stream, begin, end, func(sequence uint64, msg jetstream.Msg) (bool, error) {
		if log && sequence != next {
			return false, errGap
		}
		next = sequence + 1
		return true, each(msg)
	})
	if err == nil || ctx.Err() != nil || next > end {
		return err
	}
	if _, missing := leaderGet(ctx, js, stream, map[string]any{"seq": next}); errors.Is(missing, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("message %d of %d to %d in stream %s can't be had: it was deleted, or the broker can't read it from its disk: %w", next, state.FirstSeq, state.LastSeq, stream, ErrLogDiffers)
	}
	return err
}

// subjectsOf returns what all subjects match that a stream of outputs has.
func (t Topology) subjectsOf(stream string) string {
	for kind := range Kind(kinds) {
		if t.OutputStream(kind) == stream {
			return t.outputFilter(kind)
		}
	}
	return ">"
}

// LastSaid returns what each stream of outputs has last of partition p, where it said something after from.
func LastSaid(ctx context.Context, js jetstream.JetStream, t Topology, p int, from From) (said []Said, err error) {
	for kind := range Kind(kinds) {
		w := lastWord{
			log:       &leaderOutputs{js: js, stream: t.OutputStream(kind), partition: p},
			filter:    t.partitionFilter(kind, p),
			all:       t.outputFilter(kind),
			partition: p,
		}
		if !from.Time.IsZero() {
			w.since = from.Time.Add(-clockDifferenceMax)
		}
		if kind == Rejected {
			w.sequence = from.Rejected
		}
		ordinal, err := w.find(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the last output of partition %d in %s: %w", p, t.OutputStream(kind), err)
		}
		said = append(said, Said{t.OutputStream(kind), ordinal, w.cause})
	}
	return said, nil
}
