package role

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/bench/process"
)

// Subscriber is a channel's adapter with a durable consumer on the commands, which takes some and
// then hangs: it acknowledges nothing more, and never returns from the command that it has.
const Subscriber = "subscriber"

// SubscriberConfig configures a [Subscriber].
type SubscriberConfig struct {
	URL       string
	Stream    string // of commands
	HangAfter int64  // commands
}

// SubscriberStatus answers [Status].
type SubscriberStatus struct {
	Taken int64 // commands that it acknowledged
	Hangs bool
}

const (
	subscriberAckWait    = 5 * time.Second // then the broker sends the same again
	subscriberPendingMax = 1000            // JetStream's default
)

func playSubscriber(ctx context.Context, h *process.Host) error {
	var c SubscriberConfig
	if err := h.Config(&c); err != nil {
		return err
	}
	nc, err := nats.Connect(c.URL, nats.Name("bench subscriber"))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	consumer, err := js.CreateConsumer(ctx, c.Stream, jetstream.ConsumerConfig{
		Durable:       "bench-subscriber",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       subscriberAckWait,
		MaxAckPending: subscriberPendingMax,
		DeliverPolicy: jetstream.DeliverNewPolicy,
	})
	if err != nil {
		return err
	}
	var taken atomic.Int64
	var hangs atomic.Bool
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		if taken.Load() >= c.HangAfter {
			hangs.Store(true)
			<-ctx.Done()
			return
		}
		if msg.Ack() == nil {
			taken.Add(1)
		}
	})
	if err != nil {
		return err
	}
	defer consuming.Stop()
	if err := h.Ready(nil); err != nil {
		return err
	}
	return h.Serve(ctx, map[string]process.Handler{
		Status: func(context.Context) (any, error) { return SubscriberStatus{taken.Load(), hangs.Load()}, nil },
	})
}
