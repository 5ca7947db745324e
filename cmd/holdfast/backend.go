package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// backend answers the console's questions from the rooms that know.
type backend struct {
	*node
	js       jetstream.JetStream
	topology stream.Topology
	recent   *recentIDs
}

func newBackend(n *node, t stream.Topology) (*backend, error) {
	js, err := jetstream.New(n.nc)
	if err != nil {
		return nil, err
	}
	return &backend{node: n, js: js, topology: t, recent: newRecentIDs()}, nil
}

// Ingest stores the deltas. Those that came by HTTP not long ago are told as duplicates,
// and stored all the same: the engine alone decides, for it remembers as long as it has to.
func (b *backend) Ingest(ctx context.Context, deltas []inventory.Delta) (int, error) {
	if _, err := b.producer.PublishAll(ctx, deltas); err != nil {
		return 0, err
	}
	return b.recent.add(deltas), nil
}

func (b *backend) SKU(_ context.Context, sku string) (inventory.SKUAvailability, error) {
	a, err := b.processor.SKU(sku)
	return a, translate(err)
}

func (b *backend) Location(_ context.Context, sku, location string) (inventory.LocationAvailability, error) {
	a, err := b.processor.Location(sku, location)
	return a, translate(err)
}

func (b *backend) WaitPosition(ctx context.Context, partition int, sequence uint64) error {
	err := b.processor.WaitPosition(ctx, partition, sequence)
	if err == nil || ctx.Err() != nil || errors.Is(err, stream.ErrNotFound) {
		return translate(err)
	}
	return fmt.Errorf("partition %d stands still: %w", partition, errors.Join(console.ErrUnavailable, err))
}

// Directives reads the bucket in the order in which commands came; a cursor is the
// sequence of the last one read.
func (b *backend) Directives(ctx context.Context, filter console.DirectiveFilter, page console.Page) ([]inventory.Command, string, error) {
	var after uint64
	if page.Cursor != "" {
		var err error
		if after, err = strconv.ParseUint(page.Cursor, 10, 64); err != nil {
			return nil, "", console.ErrBadCursor
		}
	}
	var commands []inventory.Command
	more := false
	read := func(sequence uint64, c inventory.Command) bool {
		if !filter.Match(&c) || !b.inForce(&c, filter.Action) {
			return true
		}
		if more = len(commands) == page.Limit; more {
			return false
		}
		commands, after = append(commands, c), sequence
		return true
	}
	err := stream.ReadDirectives(ctx, b.js, b.topology, after, filter.Channel, filter.SKU, filter.Location, read)
	if err != nil {
		return nil, "", err
	}
	if !more {
		return commands, "", nil
	}
	return commands, strconv.FormatUint(after, 10), nil
}

// inForce reports whether c binds. A release binds nobody, and is listed only where it
// is asked for; what lapsed by the event time of its partition binds no longer.
func (b *backend) inForce(c *inventory.Command, asked inventory.Action) bool {
	if c.Action == inventory.Unhold {
		return asked == inventory.Unhold
	}
	if c.ExpiresAt == 0 {
		return true
	}
	return c.ExpiresAt > b.processor.Watermark(codec.Partition(c.SKU, b.topology.Partitions))
}

func (b *backend) Exceptions(_ context.Context, filter console.ExceptionFilter, page console.Page) ([]inventory.Exception, string, error) {
	exceptions, next, err := b.processor.Exceptions(page.Cursor, page.Limit, filter.Match)
	return exceptions, next, translate(err)
}

func (b *backend) Exception(_ context.Context, id string) (inventory.Exception, error) {
	x, err := b.processor.Exception(id)
	return x, translate(err)
}

func (b *backend) SetMaster(ctx context.Context, by string, m *inventory.Master) error {
	return translate(b.processor.SetMaster(ctx, by, m))
}

func (b *backend) Item(_ context.Context, sku string) (inventory.Item, error) {
	item, err := b.processor.Item(sku)
	return item, translate(err)
}

func (b *backend) Risks(ctx context.Context, window inventory.Millis, yield func(*inventory.Risk)) (inventory.Millis, error) {
	used, err := b.processor.Risks(ctx, window, yield)
	return used, translate(err)
}

func (b *backend) Policy(context.Context) (console.PolicyInForce, error) {
	var all console.PolicyInForce
	policies, err := b.processor.Policies()
	for i, p := range policies {
		if p == nil {
			continue // it could not be opened; its status says so
		}
		if all.Version == "" {
			all.Version, all.Text = p.Version, p.Text
		}
		all.Partitions = append(all.Partitions, console.PartitionPolicy{Partition: i, Version: p.Version})
	}
	return all, err
}

func (b *backend) Explain(ctx context.Context, id string) (inventory.Explanation, error) {
	e, err := b.processor.Explain(ctx, id)
	return e, translate(err)
}

func (b *backend) Decide(ctx context.Context, by string, d control.Decision) (inventory.Exception, bool, error) {
	m := control.Message{ID: rand.Text(), By: by, Time: inventory.MillisOf(time.Now()), Decision: d}
	x, done, err := b.processor.Decide(ctx, &m)
	if err == nil || ctx.Err() != nil || errors.Is(err, stream.ErrNotFound) {
		return x, done, translate(err)
	}
	return x, done, fmt.Errorf("the decision may not be stored: %w", errors.Join(console.ErrUnavailable, err))
}

func (b *backend) LastCommand(ctx context.Context) (uint64, error) {
	return stream.LastCommand(ctx, b.js, b.topology)
}

func (b *backend) Commands(ctx context.Context, after uint64) (console.CommandStream, error) {
	return stream.Follow(ctx, b.js, b.topology, after)
}

func (b *backend) Overview(ctx context.Context) (console.Overview, error) {
	partitions, err := b.processor.Status(ctx)
	if err != nil {
		return console.Overview{}, err
	}
	var o console.Overview
	for i := range partitions {
		s := &partitions[i]
		one := console.PartitionOverview{
			Position:   inventory.Position{Partition: i, Sequence: s.Sequence, EventTime: s.Watermark},
			Lag:        s.Lag,
			CaughtUp:   s.CaughtUp,
			Applied:    s.Tally.AppliedTotal(),
			Duplicates: s.Tally.Duplicates,
			Rejected:   s.Tally.RejectedTotal(),
		}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		o.Partitions = append(o.Partitions, one)
		o.OpenExceptions += int(s.Standing.Exceptions)
		o.UntoldExceptions += int(s.Standing.Untold)
		if o.Exposure += s.Standing.Exposure; o.Exposure < 0 {
			o.Exposure = math.MaxInt64 // more than can be told
		}
		o.Directives += int(s.Standing.Held + s.Standing.Throttled)
		o.Guarded += int(s.Standing.Guarded)
	}
	return o, nil
}

// translate gives an error the name by which the console knows it.
func translate(err error) error {
	switch {
	case errors.Is(err, stream.ErrNotFound):
		return console.ErrNotFound
	case errors.Is(err, stream.ErrBadCursor):
		return console.ErrBadCursor
	}
	return err
}
