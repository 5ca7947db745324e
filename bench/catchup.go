package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/stream"
)

// CatchUp is one catch-up and the raw read of the same streams.
type CatchUp struct {
	Packing   int     `json:"deltas_per_message"`
	Deltas    int     `json:"deltas"`
	Messages  uint64  `json:"messages"`
	Bytes     uint64  `json:"bytes"`
	Raw       float64 `json:"raw_deltas_per_second"`       // read, not decoded
	Processed float64 `json:"processed_deltas_per_second"` // applied and committed
	Ratio     float64 `json:"ratio"`                       // of the two
}

// catchUp fills streams of its own with deltas, packing of them to a message, and measures.
func (b *bench) catchUp(ctx context.Context, packing, deltas int) (result CatchUp, err error) {
	prefix := fmt.Sprintf("bench%d", packing)
	topology := stream.Topology{Prefix: prefix, Partitions: b.options.Partitions, Replicas: 1}
	nc, err := b.connect("bench")
	if err != nil {
		return result, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return result, err
	}
	if err := topology.Ensure(ctx, js); err != nil {
		return result, err
	}
	b.say("filling %d streams with %d deltas, %d a message", topology.Partitions, deltas, packing)
	result = CatchUp{Packing: packing, Deltas: deltas}
	if err := b.fill(ctx, nc, js, topology, packing, deltas, &result); err != nil {
		return result, err
	}
	b.say("reading them raw")
	took, err := rawRead(ctx, nc, topology, result.Messages)
	if err != nil {
		return result, err
	}
	result.Raw = float64(deltas) / took.Seconds()
	b.say("applying them")
	if took, err = b.process(ctx, topology, uint64(deltas)); err != nil {
		return result, err
	}
	result.Processed = float64(deltas) / took.Seconds()
	result.Ratio = result.Processed / result.Raw
	return result, nil
}

// fill publishes the deltas. What it takes is not measured.
func (b *bench) fill(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, t stream.Topology, packing, deltas int, result *CatchUp) error {
	l := newLoad(b.options.Seed, b.options.Keys)
	if packing > 1 {
		p, err := client.NewProducer(nc, client.Prefix(t.Prefix), client.MessageDeltas(packing))
		if err != nil {
			return err
		}
		for range deltas {
			d := l.next()
			if err := p.Publish(ctx, &d); err != nil {
				return err
			}
		}
		err = p.Close(ctx)
		stats := p.Stats()
		result.Messages, result.Bytes = stats.Messages, stats.Bytes
		return err
	}
	var payload []byte
	for range deltas {
		d := l.next()
		payload = codec.AppendDelta(nil, &d)
		result.Messages++
		result.Bytes += uint64(len(payload))
		if _, err := js.PublishAsync(t.DeltaSubject(codec.Partition(d.SKU, t.Partitions)), payload, jetstream.WithStallWait(time.Minute)); err != nil {
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rawRead reads all messages of all partitions and throws them away: what the broker
// and its client can do. It asks for messages as stream.Reader does.
func rawRead(ctx context.Context, nc *nats.Conn, t stream.Topology, messages uint64) (time.Duration, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return 0, err
	}
	var seen atomic.Uint64
	done := make(chan struct{})
	start := time.Now()
	for p := range t.Partitions {
		consumer, err := js.CreateConsumer(ctx, t.DeltaStream(p), jetstream.ConsumerConfig{
			AckPolicy:         jetstream.AckNonePolicy,
			DeliverPolicy:     jetstream.DeliverAllPolicy,
			MemoryStorage:     true,
			InactiveThreshold: time.Minute,
		})
		if err != nil {
			return 0, err
		}
		consuming, err := consumer.Consume(func(jetstream.Msg) {
			if seen.Add(1) == messages {
				close(done)
			}
		}, jetstream.PullMaxMessagesWithBytesLimit(5000, 4<<20))
		if err != nil {
			return 0, err
		}
		defer consuming.Stop()
	}
	select {
	case <-done:
		return time.Since(start), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// process runs a processor on the streams from nothing until it has committed them all.
func (b *bench) process(ctx context.Context, t stream.Topology, deltas uint64) (took time.Duration, err error) {
	dir := filepath.Join(b.dir, "state-"+t.Prefix)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	start := time.Now()
	p, err := stream.Start(ctx, stream.Config{Topology: t, Connect: b.connect, DataDir: dir, TickEvery: -1})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := p.CatchUp(ctx); err != nil {
		return 0, err
	}
	took = time.Since(start)
	tally := p.Tally()
	if tally.AppliedTotal() != deltas {
		return 0, fmt.Errorf("%d of %d deltas were applied, %d duplicates, %d rejected: the figure would mean nothing", tally.AppliedTotal(), deltas, tally.Duplicates, tally.RejectedTotal())
	}
	return took, nil
}
