package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// scanStallMax is for how long a scan waits for a message that has to be there.
const scanStallMax = 5 * time.Second

// scan reads what a stream has of filter, in order, up to the message at sequence end,
// which matches and is there. config says where to begin. It stops early where visit
// returns false or fails.
func scan(ctx context.Context, js jetstream.JetStream, stream string, config jetstream.ConsumerConfig, end uint64, visit func(sequence uint64, msg jetstream.Msg) (bool, error)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read stream %s: %w", stream, err)
		}
	}()
	config.AckPolicy = jetstream.AckNonePolicy
	config.InactiveThreshold = consumerInactiveMax
	config.MemoryStorage, config.Replicas = true, 1
	created, cancel := withTimeout(ctx, js.Options().DefaultTimeout)
	consumer, err := js.CreateConsumer(created, stream, config)
	cancel()
	if err != nil {
		return err
	}
	defer deleteConsumer(ctx, js, stream, consumer)
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(PullMessagesDefault, PullBytesDefault))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for delivered := uint64(1); ; delivered++ {
		msg, err := nextWithin(ctx, messages, scanStallMax)
		if err != nil {
			return err
		}
		at, err := msg.Metadata()
		if err != nil {
			return err
		}
		if at.Sequence.Consumer != delivered {
			return errLost
		}
		more, err := visit(at.Sequence.Stream, msg)
		if err != nil || !more || at.Sequence.Stream >= end {
			return err
		}
	}
}

func nextWithin(ctx context.Context, messages jetstream.MessagesContext, most time.Duration) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return messages.Next(jetstream.NextContext(ctx))
}

// deleteConsumer removes a consumer. Not being able to is no error: it costs the server
// some memory until it is inactive for long enough.
func deleteConsumer(ctx context.Context, js jetstream.JetStream, stream string, consumer jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = js.DeleteConsumer(ctx, stream, consumer.CachedInfo().Name)
}
