package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// Latency is from the moment at which a delta was due to be published until a
// subscriber had the command that it caused.
type Latency struct {
	SyncAlways bool          `json:"sync_always"` // the broker syncs before it acknowledges, else every two minutes
	Rate       int           `json:"deltas_per_second"`
	Reached    float64       `json:"published_per_second"` // below Rate: the driver was the limit
	Seconds    float64       `json:"seconds"`
	Commands   int64         `json:"commands"`
	P50        time.Duration `json:"p50_ns"`
	P99        time.Duration `json:"p99_ns"`
	P999       time.Duration `json:"p999_ns"`
	Max        time.Duration `json:"max_ns"`
}

const (
	probeEvery  = 100 // one delta in so many makes a command
	probePrefix = "probe-"

	latencyMax    = time.Minute
	latencyDigits = 3
	drainMax      = 30 * time.Second
)

// latency runs a processor on streams of its own under a steady rate.
func (b *bench) latency(ctx context.Context) (result Latency, err error) {
	topology := stream.Topology{Prefix: "benchlive", Partitions: b.options.Partitions, Replicas: 1}
	dir := filepath.Join(b.dir, "state-live")
	p, err := stream.Start(ctx, stream.Config{Topology: topology, Connect: b.connect, DataDir: dir, TickEvery: -1})
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, p.Close(), os.RemoveAll(dir)) }()
	nc, err := b.connect("bench driver")
	if err != nil {
		return result, err
	}
	defer nc.Close()
	producer, err := client.NewProducer(nc, client.Prefix(topology.Prefix), client.Partitions(topology.Partitions))
	if err != nil {
		return result, err
	}
	load := newLoad(b.options.Seed, b.options.Keys)
	for range load.keys() {
		d := load.next()
		if err := producer.Publish(ctx, &d); err != nil {
			return result, err
		}
	}
	if err := producer.Flush(ctx); err != nil {
		return result, err
	}
	if err := p.CatchUp(ctx); err != nil {
		return result, err
	}
	receiver, err := newReceiver(b, topology)
	if err != nil {
		return result, err
	}
	defer receiver.close()

	b.say("%d deltas/s for %v, one in %d makes a command", b.options.Rate, b.options.Duration, probeEvery)
	total := int(float64(b.options.Rate) * b.options.Duration.Seconds())
	start := time.Now()
	receiver.begin(start, total/probeEvery, time.Second/time.Duration(b.options.Rate)*probeEvery)
	for i := range total {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(b.options.Rate))
		if wait := time.Until(due); wait > 0 {
			if err := pause(ctx, wait); err != nil {
				return result, err
			}
		}
		d := load.next()
		if i%probeEvery == probeEvery-1 {
			d.SKU = probePrefix + strconv.Itoa(i/probeEvery)
			d.Kind, d.Channel, d.Quantity = inventory.Sale, "web", 1
		}
		if err := producer.Publish(ctx, &d); err != nil {
			return result, err
		}
	}
	published := time.Since(start)
	if err := producer.Close(ctx); err != nil {
		return result, err
	}
	if err := receiver.wait(ctx); err != nil {
		return result, err
	}
	h := receiver.histogram
	return Latency{
		Rate:     b.options.Rate,
		Reached:  float64(total) / published.Seconds(),
		Seconds:  published.Seconds(),
		Commands: h.TotalCount(),
		P50:      time.Duration(h.ValueAtQuantile(50)),
		P99:      time.Duration(h.ValueAtQuantile(99)),
		P999:     time.Duration(h.ValueAtQuantile(99.9)),
		Max:      time.Duration(h.Max()),
	}, nil
}

// pause waits; short waits are cut short rather than long, as a late driver would count
// against holdfast.
func pause(ctx context.Context, d time.Duration) error {
	if d < 100*time.Microsecond {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receiver is the subscriber whose clock counts. The nth probe is due at start + (n+1)·step.
type receiver struct {
	nc        *nats.Conn
	messages  chan *nats.Msg
	sub       *nats.Subscription
	histogram *hdrhistogram.Histogram
	done      chan error
}

func newReceiver(b *bench, t stream.Topology) (*receiver, error) {
	nc, err := b.connect("bench receiver")
	if err != nil {
		return nil, err
	}
	r := &receiver{
		nc:        nc,
		messages:  make(chan *nats.Msg, 1<<16),
		histogram: hdrhistogram.New(1, int64(latencyMax), latencyDigits),
		done:      make(chan error, 1),
	}
	// A plain subscription hears what is published to the stream's subjects, as soon as it is.
	r.sub, err = nc.ChanSubscribe(t.Prefix+".command.>", r.messages)
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return r, nil
}

// begin counts the commands of so many probes.
func (r *receiver) begin(start time.Time, probes int, step time.Duration) {
	go func() {
		for range probes {
			msg, ok := <-r.messages
			if !ok {
				r.done <- errors.New("the receiver was closed")
				return
			}
			now := time.Now()
			command, err := codec.DecodeCommand(msg.Data)
			if err != nil {
				r.done <- err
				return
			}
			n, isProbe := strings.CutPrefix(command.SKU, probePrefix)
			number, err := strconv.Atoi(n)
			if !isProbe || err != nil {
				r.done <- fmt.Errorf("command %s for %q is of no probe", command.ID, command.SKU)
				return
			}
			latency := now.Sub(start.Add(time.Duration(number+1) * step))
			if err := r.histogram.RecordValue(max(int64(latency), 1)); err != nil {
				r.done <- err
				return
			}
		}
		r.done <- nil
	}()
}

func (r *receiver) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainMax)
	defer cancel()
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%d commands came, not all: %w", r.histogram.TotalCount(), ctx.Err())
	}
}

func (r *receiver) close() {
	_ = r.sub.Unsubscribe()
	r.nc.Close()
	close(r.messages)
}
