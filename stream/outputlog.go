package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// OutputLog is the stream of one kind of output, as a publisher needs it: JetStream's, or a simulator's.
type OutputLog interface {
	// Name of the stream.
	Name() string

	// Last returns the last message that matches filter, as the leader of the stream has it; false where there is none.
	Last(ctx context.Context, filter string) (StoredOutput, bool, error)

	// Scan calls visit for each message that matches filter behind the sequence after and, where that is 0, not before
	// since, up to the one at end, which is there.
	Scan(ctx context.Context, filter string, after uint64, since time.Time, end uint64, visit func(StoredOutput)) error

	// Send stores a group in its order, and answers as the stream answers the last message. The first one says in its
	// headers what it has to follow. After an error nobody knows how much of the group is stored.
	Send(ctx context.Context, group []*nats.Msg) (*jetstream.PubAck, error)
}

// StoredOutput is what a publisher wants to know of a message.
type StoredOutput struct {
	Sequence uint64
	Time     time.Time
	Output   string // its HeaderOutput; "" where it has none
	Cause    string // its HeaderCause; "" where it has none
}

// leaderOutputs is a stream of outputs as its leader has it.
type leaderOutputs struct {
	js        jetstream.JetStream
	stream    string
	partition int          // for which it is read
	commits   *groupCommit // by which it is written
}

func (l *leaderOutputs) Name() string { return l.stream }

func (l *leaderOutputs) Last(ctx context.Context, filter string) (StoredOutput, bool, error) {
	last, err := leaderGet(ctx, l.js, l.stream, map[string]any{"last_by_subj": filter})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return StoredOutput{}, false, nil
	}
	if err != nil {
		return StoredOutput{}, false, err
	}
	return StoredOutput{last.Sequence, last.Time, last.header.Get(HeaderOutput), last.header.Get(HeaderCause)}, true, nil
}

func (l *leaderOutputs) Scan(ctx context.Context, filter string, after uint64, since time.Time, end uint64, visit func(StoredOutput)) error {
	from := jetstream.ConsumerConfig{
		FilterSubject: filter,
		HeadersOnly:   true,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		Description:   fmt.Sprintf("holdfast looks for the last output of partition %d", l.partition),
	}
	switch {
	case after > 0:
		from.DeliverPolicy, from.OptStartSeq = jetstream.DeliverByStartSequencePolicy, after+1
	case !since.IsZero():
		from.DeliverPolicy, from.OptStartTime = jetstream.DeliverByStartTimePolicy, &since
	}
	return scan(ctx, l.js, l.stream, from, end, func(sequence uint64, msg jetstream.Msg) (bool, error) {
		visit(StoredOutput{Sequence: sequence, Output: msg.Headers().Get(HeaderOutput), Cause: msg.Headers().Get(HeaderCause)})
		return true, nil
	})
}

func (l *leaderOutputs) Send(ctx context.Context, group []*nats.Msg) (ack *jetstream.PubAck, err error) {
	return l.commits.send(ctx, group)
}
