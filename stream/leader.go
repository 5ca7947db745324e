package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// leaderMsg is a message as the leader of a stream has it.
type leaderMsg struct {
	Subject  string      `json:"subject"`
	Sequence uint64      `json:"seq"`
	Header   []byte      `json:"hdrs"`
	Data     []byte      `json:"data"`
	Time     time.Time   `json:"time"`
	header   nats.Header // of Header, parsed
}

// leaderGet asks the leader of a stream for one message: {"seq": n} or
// {"last_by_subj": filter}. It gives jetstream.ErrMsgNotFound where there is none.
//
// The client library reads from any replica where the stream allows it, and a replica
// may lag behind. What a position or an ordinal is compared with must not.
func leaderGet(ctx context.Context, js jetstream.JetStream, stream string, request map[string]any) (*leaderMsg, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	options := js.Options()
	prefix := options.APIPrefix
	if options.Domain != "" {
		prefix = "$JS." + options.Domain + ".API."
	}
	if prefix == "" {
		prefix = jetstream.DefaultAPIPrefix
	}
	ctx, cancel := withTimeout(ctx, options.DefaultTimeout)
	defer cancel()
	reply, err := js.Conn().RequestWithContext(ctx, prefix+"STREAM.MSG.GET."+stream, body)
	if err != nil {
		return nil, fmt.Errorf("read from stream %s: %w", stream, err)
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message *leaderMsg          `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return nil, fmt.Errorf("read from stream %s: %w", stream, err)
	}
	switch {
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, jetstream.ErrMsgNotFound
	case answer.Error != nil:
		return nil, fmt.Errorf("read from stream %s: %w", stream, answer.Error)
	case answer.Message == nil:
		return nil, fmt.Errorf("read from stream %s: %w", stream, jetstream.ErrInvalidJetStreamResponse)
	}
	if len(answer.Message.Header) > 0 {
		answer.Message.header, err = nats.DecodeHeadersMsg(answer.Message.Header)
		if err != nil {
			return nil, fmt.Errorf("headers of message %d of stream %s: %w", answer.Message.Sequence, stream, err)
		}
	}
	return answer.Message, nil
}

// streamState asks the leader what a stream holds.
func streamState(ctx context.Context, js jetstream.JetStream, stream string) (jetstream.StreamState, error) {
	ctx, cancel := withTimeout(ctx, js.Options().DefaultTimeout)
	defer cancel()
	s, err := js.Stream(ctx, stream)
	if err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return jetstream.StreamState{}, fmt.Errorf("stream %s is not there: it was deleted, or this is another server; create the streams by starting holdfast with the right settings", stream)
		}
		return jetstream.StreamState{}, fmt.Errorf("look at stream %s: %w", stream, err)
	}
	return s.CachedInfo().State, nil
}

// withTimeout bounds ctx where it has no deadline of its own.
func withTimeout(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	if most <= 0 {
		most = 5 * time.Second
	}
	return context.WithTimeout(ctx, most)
}
