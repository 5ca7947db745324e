package drive

import (
	"context"
	"time"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/inventory"
)

// fillInFlight is how many messages a partition are under way at once: enough that the broker is never idle, and far
// below the 10,000 that it lets wait before it refuses more.
func fillInFlight(packing int) int {
	if packing > 1 {
		return 8
	}
	return 512
}

// Fill stores the plan's deltas, as fast as the broker takes them, and returns once it has acknowledged
// them all. One that it refuses ends it.
func Fill(ctx context.Context, plan FillPlan) (Filled, error) {
	plan.setDefaults()
	if err := plan.check(); err != nil {
		return Filled{}, err
	}
	l, err := load.New(plan.Mix)
	if err != nil {
		return Filled{}, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	start := time.Now()
	var sum message // of all messages; the subscription's until they have landed
	messages := uint64(0)
	stored := func(m message) {
		messages++
		sum.bytes += m.bytes
		sum.deltas += m.deltas
	}
	p, err := newPublisher(plan.URL, plan.Prefix, plan.Partitions, plan.Packing, fillInFlight(plan.Packing), stored, fail)
	if err != nil {
		return Filled{}, err
	}
	defer p.nc.Close()
	if err := fill(ctx, p, l, &plan); err != nil {
		return Filled{}, err
	}
	return Filled{
		Messages: messages, Bytes: uint64(sum.bytes), Deltas: uint64(sum.deltas),
		Counts: l.Counts(), Latest: l.Latest().Time(), Elapsed: time.Since(start),
	}, nil
}

// fill sends what l makes, and returns when it has landed.
func fill(ctx context.Context, p *publisher, l *load.Load, plan *FillPlan) error {
	add := func(d *inventory.Delta) error { return p.push(ctx, p.add(d, 0, 1), false) }
	if plan.Shelves {
		for d := range l.Fill {
			if err := add(d); err != nil {
				return err
			}
		}
	}
	var d inventory.Delta
	for range plan.Deltas {
		l.Next(&d)
		if err := add(&d); err != nil {
			return err
		}
	}
	for i := range p.lanes {
		if err := p.push(ctx, &p.lanes[i], true); err != nil {
			return err
		}
	}
	return p.land(ctx)
}
