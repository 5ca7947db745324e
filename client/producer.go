package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// ErrClosed is what a producer's calls return once it is being closed.
var ErrClosed = errors.New("client: the producer is closed")

// A Producer publishes deltas to the partitions of their SKUs. Its methods may be
// called from any number of goroutines; the deltas of one SKU are stored in the
// order in which the calls that carried them returned, or, within one call, in the
// order of the slice.
type Producer struct {
	cfg   producerConfig
	js    jetstream.JetStream
	lanes []*lane // by partition
	stop  context.CancelCauseFunc
	wait  sync.WaitGroup // one for each lane's goroutine

	deltas, messages, bytes, retries atomic.Uint64
}

// Stats counts what a producer has done. All but Retries count what JetStream has
// acknowledged.
type Stats struct {
	Deltas   uint64 // a tick for all partitions counts once for each
	Messages uint64
	Bytes    uint64 // of payload
	Retries  uint64 // attempts beyond the first of their message
}

// An Ack says up to where one partition's stream holds what a call published.
type Ack struct {
	Partition int
	Sequence  uint64 // of the stream; every delta of the call is at or below it
}

// NewProducer starts a producer on nc, which stays the caller's to close, after
// [Producer.Close]. Unless [Partitions] tells, it asks JetStream how many partitions there are.
func NewProducer(nc *nats.Conn, opts ...ProducerOption) (*Producer, error) {
	cfg := defaultProducerConfig()
	for _, o := range opts {
		o.applyToProducer(&cfg)
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if limit := nc.MaxPayload(); limit > 0 && limit < int64(cfg.messageBytes) {
		return nil, fmt.Errorf("client: messages of up to %d bytes, but the server takes %d: raise its max_payload or lower MessageBytes", cfg.messageBytes, limit)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if cfg.partitions == 0 {
		if cfg.partitions, err = discoverPartitions(js, &cfg); err != nil {
			return nil, err
		}
	}
	ctx, stop := context.WithCancelCause(context.Background())
	p := &Producer{cfg: cfg, js: js, stop: stop, lanes: make([]*lane, cfg.partitions)}
	for i := range p.lanes {
		p.lanes[i] = newLane(p, i)
		p.wait.Go(func() { p.lanes[i].run(ctx) })
	}
	return p, nil
}

// discoverPartitions reads the number of partitions from the first delta stream,
// which every deployment has.
func discoverPartitions(js jetstream.JetStream, cfg *producerConfig) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cfg.discoverTimeout)
	defer cancel()
	name := deltaStream(cfg.prefix, 0)
	s, err := js.Stream(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("client: how many partitions: stream %s: %w; is holdfast running there, with that prefix?", name, err)
	}
	said := s.CachedInfo().Config.Metadata[partitionsKey]
	n, err := strconv.Atoi(said)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("client: stream %s says %s %q, which is no number of partitions; tell it with client.Partitions", name, partitionsKey, said)
	}
	return n, nil
}

// NumPartitions returns how many partitions p publishes to.
func (p *Producer) NumPartitions() int { return len(p.lanes) }

// Publish takes d in, to be sent at once, and keeps nothing of it. It returns an
// *inventory.Invalid for a delta that its kind does not allow, blocks while the lane's
// buffer is full, and returns a lane's error after it has given up. A tick without
// a SKU goes to every partition. After an error other than Invalid the delta may still be
// sent; publishing it again with the same id is safe.
func (p *Producer) Publish(ctx context.Context, d *inventory.Delta) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if !forAll(d) {
		_, err := p.lane(d).add(ctx, d)
		return err
	}
	for _, l := range p.lanes {
		if _, err := l.add(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// PublishAll publishes the deltas in order and returns once JetStream has
// acknowledged them all, with one Ack for each partition concerned, by partition. One
// delta that is not valid refuses the whole call before anything is sent. After any
// other error part of the deltas may be stored, or be on their way; publishing them
// again with the same ids is safe.
func (p *Producer) PublishAll(ctx context.Context, deltas []inventory.Delta) ([]Ack, error) {
	for i := range deltas {
		if err := deltas[i].Validate(); err != nil {
			return nil, fmt.Errorf("delta %d: %w", i, err)
		}
	}
	upto := make([]uint64, len(p.lanes)) // each lane's ordinal of our last delta
	add := func(l *lane, d *inventory.Delta) (err error) {
		upto[l.partition], err = l.add(ctx, d)
		return err
	}
	for i := range deltas {
		d := &deltas[i]
		if !forAll(d) {
			if err := add(p.lane(d), d); err != nil {
				return nil, err
			}
			continue
		}
		for _, l := range p.lanes {
			if err := add(l, d); err != nil {
				return nil, err
			}
		}
	}
	return p.await(ctx, upto)
}

// Flush waits until JetStream has acknowledged all that was taken in before the call.
func (p *Producer) Flush(ctx context.Context) error {
	upto := make([]uint64, len(p.lanes))
	for i, l := range p.lanes {
		upto[i] = l.taken()
	}
	_, err := p.await(ctx, upto)
	return err
}

// await waits until each lane has acknowledged its ordinal; 0 waits for nothing.
func (p *Producer) await(ctx context.Context, upto []uint64) ([]Ack, error) {
	var acks []Ack
	for i, l := range p.lanes {
		if upto[i] == 0 {
			continue
		}
		seq, err := l.await(ctx, upto[i])
		if err != nil {
			return nil, err
		}
		acks = append(acks, Ack{Partition: i, Sequence: seq})
	}
	return acks, nil
}

// Close takes no more deltas, waits until all that was taken in is acknowledged or
// ctx ends, and stops the lanes. A producer that could not deliver says how many
// deltas it leaves behind. Closing it again returns the same.
func (p *Producer) Close(ctx context.Context) error {
	for _, l := range p.lanes {
		l.close()
	}
	err := p.Flush(ctx)
	p.stop(ErrClosed)
	p.wait.Wait()
	var left uint64
	for _, l := range p.lanes {
		left += l.unacknowledged()
	}
	if left == 0 {
		return nil
	}
	return fmt.Errorf("client: closed with %d deltas not acknowledged (publish them again with the same ids): %w", left, err)
}

// Stats returns the counters.
func (p *Producer) Stats() Stats {
	return Stats{
		Deltas:   p.deltas.Load(),
		Messages: p.messages.Load(),
		Bytes:    p.bytes.Load(),
		Retries:  p.retries.Load(),
	}
}

func (p *Producer) lane(d *inventory.Delta) *lane {
	return p.lanes[codec.Partition(d.SKU, len(p.lanes))]
}

// forAll reports whether d concerns every partition: a tick for no SKU.
func forAll(d *inventory.Delta) bool { return d.Kind == inventory.Tick && d.SKU == "" }
