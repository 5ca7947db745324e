package reference

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

const consumerInactiveMax = time.Minute

// RawRead reads so many messages, all that the partitions' streams hold, and throws them away: what
// the broker and its client can do. It reads as stream.Reader does, a consumer a partition that
// acknowledges nothing.
func RawRead(ctx context.Context, nc *nats.Conn, t stream.Topology, messages uint64) (took time.Duration, err error) {
	if messages == 0 {
		return 0, errors.New("raw read: there are no messages to read")
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return 0, err
	}
	var seen atomic.Uint64
	done := make(chan struct{})
	handle := func(jetstream.Msg) {
		if seen.Add(1) == messages {
			close(done)
		}
	}
	start := time.Now()
	for p := range t.Partitions {
		stop, err := consume(ctx, js, t.DeltaStream(p), handle)
		if err != nil {
			return 0, fmt.Errorf("raw read of partition %d: %w", p, err)
		}
		defer stop()
	}
	select {
	case <-done:
		return time.Since(start), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("raw read: %d of %d messages came: %w", seen.Load(), messages, ctx.Err())
	}
}

// consume reads a stream from its start, until stop is called, which waits for the last handle and
// removes the consumer.
func consume(ctx context.Context, js jetstream.JetStream, name string, handle jetstream.MessageHandler) (stop func(), err error) {
	consumer, err := js.CreateConsumer(ctx, name, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       1,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: consumerInactiveMax,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return nil, err
	}
	consuming, err := consumer.Consume(handle, jetstream.PullMaxMessagesWithBytesLimit(stream.PullMessagesDefault, stream.PullBytesDefault))
	if err != nil {
		return nil, err
	}
	return func() {
		consuming.Stop()
		<-consuming.Closed()
		// One that can't be removed goes by itself once nobody pulls from it.
		_ = js.DeleteConsumer(context.WithoutCancel(ctx), name, consumer.CachedInfo().Name)
	}, nil
}

// RawDecode reads so many messages, all that the partitions' streams hold, decodes them and throws the
// deltas away: the limit of everything that stands behind a [stream.Reader], which is what it uses.
func RawDecode(ctx context.Context, nc *nats.Conn, t stream.Topology, messages uint64) (took time.Duration, err error) {
	if messages == 0 {
		return 0, errors.New("raw decode: there are no messages to read")
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	readers := make([]*stream.Reader, t.Partitions)
	defer func() {
		for _, r := range readers {
			if r != nil {
				err = errors.Join(err, r.Close())
			}
		}
	}()
	for p := range readers {
		if readers[p], err = stream.Open(ctx, js, t, p, state.Position{}, stream.Bounds{}); err != nil {
			return 0, err
		}
	}
	var seen atomic.Uint64
	errs := make([]error, len(readers))
	var reading sync.WaitGroup
	for p, r := range readers {
		reading.Go(func() {
			errs[p] = eachFetch(ctx, r, func(f *stream.Fetch) error {
				seen.Add(uint64(len(f.Messages)))
				return nil
			})
		})
	}
	reading.Wait()
	took = time.Since(start)
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	if n := seen.Load(); n != messages {
		return 0, fmt.Errorf("raw decode: the streams hold %d messages, not %d", n, messages)
	}
	return took, nil
}

// eachFetch calls yield for each fetch of what the reader's stream held when it was opened.
func eachFetch(ctx context.Context, r *stream.Reader, yield func(*stream.Fetch) error) error {
	for at := uint64(0); at < r.LastAtOpen(); {
		f, err := r.Next(ctx)
		if err != nil {
			return err
		}
		at = f.Messages[len(f.Messages)-1].Sequence
		err = yield(f)
		r.Recycle(f)
		if err != nil {
			return err
		}
	}
	return nil
}
