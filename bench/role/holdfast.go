package role

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// Holdfast is the processor: what `holdfast run` runs, without HTTP and with a broker elsewhere.
// Event time is moved by deltas alone, for those of a load bear the load's own times.
const Holdfast = "holdfast"

// The questions that [Holdfast] answers.
const (
	CatchUp = "catch-up" // with a CaughtUp, once all that the logs hold now is committed
	Status  = "status"   // with a HoldfastStatus
)

// HoldfastConfig configures a [Holdfast].
type HoldfastConfig struct {
	URL        string // of the broker
	Topology   stream.Topology
	Dir        string // of the state
	CacheBytes int64
	Lateness   inventory.Millis // 0: the default
	SayEvery   time.Duration    // a HoldfastStatus as progress; 0: never
	Profile    string           // file for a CPU profile; "": none
}

// HoldfastReady is what a [Holdfast] says once all partitions are open.
type HoldfastReady struct {
	Opened time.Duration // since the process was configured
}

// CaughtUp says how long it took.
type CaughtUp struct {
	Took time.Duration // since the process was configured
	HoldfastStatus
}

// HoldfastStatus is how far a [Holdfast] is.
type HoldfastStatus struct {
	After      time.Duration // since the process was configured
	Applied    uint64        // deltas, since the process started, as everything here
	Duplicates uint64
	Rejected   uint64
	Exceptions uint64 // opened
	Commands   uint64
}

func playHoldfast(ctx context.Context, h *process.Host) (err error) {
	start := time.Now()
	var c HoldfastConfig
	if err := h.Config(&c); err != nil {
		return err
	}
	stopProfile, err := startProfile(c.Profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopProfile()) }()
	p, err := stream.Start(ctx, stream.Config{
		Topology:   c.Topology,
		Connect:    func(name string) (*nats.Conn, error) { return nats.Connect(c.URL, nats.Name(name)) },
		DataDir:    c.Dir,
		CacheBytes: c.CacheBytes,
		Lateness:   c.Lateness,
		TickEvery:  -1,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for partition, err := range p.Failed() {
		return fmt.Errorf("partition %d: %w", partition, err)
	}
	if err := h.Ready(HoldfastReady{time.Since(start)}); err != nil {
		return err
	}
	status := func() HoldfastStatus { return newHoldfastStatus(p, start) }
	saying, stopSaying := context.WithCancel(ctx)
	var said sync.WaitGroup
	if c.SayEvery > 0 {
		said.Go(func() { every(saying, c.SayEvery, func() error { return h.Progress(status()) }) })
	}
	defer said.Wait()
	defer stopSaying()
	return h.Serve(ctx, map[string]process.Handler{
		CatchUp: func(ctx context.Context) (any, error) {
			err := p.CatchUp(ctx)
			took := time.Since(start)
			return CaughtUp{took, status()}, err
		},
		Status: func(context.Context) (any, error) { return status(), nil },
	})
}

func newHoldfastStatus(p *stream.Processor, start time.Time) HoldfastStatus {
	tally := p.Tally()
	s := HoldfastStatus{
		After:      time.Since(start),
		Applied:    tally.AppliedTotal(),
		Duplicates: tally.Duplicates,
		Rejected:   tally.RejectedTotal(),
	}
	for kind, n := range tally.Decisions {
		if kind.Decision == "open" {
			s.Exceptions += n
		}
	}
	for _, n := range tally.Commands {
		s.Commands += n
	}
	return s
}

// every calls fn now and then until ctx ends or fn fails.
func every(ctx context.Context, d time.Duration, fn func() error) {
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if fn() != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
