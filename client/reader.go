package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// prefetchMessages bounds what a reader holds that its caller has not seen; commands
	// are about 1 KiB.
	prefetchMessages = 256

	// heartbeat is how often an idle server must say that it is there; two missing
	// make the reader ask anew, so a restart or a change of leader costs 2 s.
	heartbeat = time.Second

	// consumerIdle is after how long the server forgets a reader that is gone.
	consumerIdle = time.Minute

	// readBackoffMin and Max bound the pause before a failed read is tried again.
	readBackoffMin = 50 * time.Millisecond
	readBackoffMax = 5 * time.Second

	// tidyTimeout bounds the wait for the server to forget it at once.
	tidyTimeout = 2 * time.Second
)

// reader reads a stream in order from one place on, whatever happens to the
// connection: it is jetstream's ordered consumer, but one whose waiting ends with
// its context. It belongs to one goroutine.
type reader struct {
	js       jetstream.JetStream
	stream   string
	subjects []string
	policy   jetstream.DeliverPolicy // until the first message; then by sequence
	next     uint64                  // sequence to ask for; 0 before the first message under another policy

	consumer  string // its name on the server; "" while there is none
	messages  jetstream.MessagesContext
	delivered uint64 // the consumer's own count: a gap in it is a loss on the way
}

// read returns the next message. It fails when ctx ends, and where trying on is no use.
func (r *reader) read(ctx context.Context) (jetstream.Msg, *jetstream.MsgMetadata, error) {
	pause := readBackoffMin
	for {
		msg, meta, err := r.attempt(ctx)
		if err == nil {
			r.next = meta.Sequence.Stream + 1
			return msg, meta, nil
		}
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("client: reading %s: %w", r.stream, context.Cause(ctx))
		}
		if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, jetstream.ErrConnectionClosed) || errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, nil, fmt.Errorf("client: reading %s: %w", r.stream, err)
		}
		r.close(ctx)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, readBackoffMax)
	}
}

func (r *reader) attempt(ctx context.Context) (jetstream.Msg, *jetstream.MsgMetadata, error) {
	if r.messages == nil {
		if err := r.open(ctx); err != nil {
			return nil, nil, err
		}
	}
	msg, err := r.messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		return nil, nil, err
	}
	meta, err := msg.Metadata()
	if err != nil {
		return nil, nil, err
	}
	r.delivered++
	if meta.Sequence.Consumer != r.delivered {
		return nil, nil, fmt.Errorf("message %d came, %d was expected", meta.Sequence.Consumer, r.delivered)
	}
	return msg, meta, nil
}

func (r *reader) open(ctx context.Context) error {
	cfg := jetstream.ConsumerConfig{
		DeliverPolicy:     r.policy,
		AckPolicy:         jetstream.AckNonePolicy,
		FilterSubjects:    r.subjects,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: consumerIdle,
	}
	if r.next > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.next
	}
	c, err := r.js.CreateConsumer(ctx, r.stream, cfg)
	if err != nil {
		return err
	}
	r.consumer, r.delivered = c.CachedInfo().Name, 0
	r.messages, err = c.Messages(
		jetstream.PullMaxMessages(prefetchMessages),
		jetstream.PullHeartbeat(heartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(true),
	)
	return err
}

// close stops reading and has the server forget the reader; read opens it again.
func (r *reader) close(ctx context.Context) {
	if r.messages != nil {
		r.messages.Stop()
		r.messages = nil
	}
	if r.consumer == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	// Where that fails, the server forgets it by itself after consumerIdle.
	_ = r.js.DeleteConsumer(ctx, r.stream, r.consumer)
	r.consumer = ""
}
