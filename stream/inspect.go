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
