package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
)

// tickSource is who says the ticks below. They vouch for no feed: that holdfast is
// awake says nothing about a till.
const tickSource = "holdfast"

// tick moves event time on in partitions that are live and got nothing for a while, so
// that what is due falls due. It goes through the log like everything else.
//
// A partition is live while its watermark is within the allowed lateness of the clock on
// the wall; the past that a replay applies is left alone.
func (p *Processor) tick(ctx context.Context) {
	ticker := time.NewTicker(p.config.TickEvery)
	defer ticker.Stop()
	seen := make([]uint64, len(p.slots))
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := inventory.MillisOf(time.Now())
		for i := range p.slots {
			status, _, err := p.slots[i].progress.get()
			applied := p.slots[i].progress.applied.Load()
			idle := applied == seen[i]
			seen[i] = applied
			if err != nil || !idle || !p.live(status.Watermark, now) {
				continue
			}
			if err := p.sendTick(ctx, i, now); err != nil && ctx.Err() == nil {
				p.config.Log.Warn("event time was not moved on", "partition", i, "error", err)
			}
			seen[i]++ // its own tick is no sign of life
		}
	}
}

func (p *Processor) live(watermark, now inventory.Millis) bool {
	lateness := p.config.Lateness
	if lateness == 0 {
		lateness = engine.DefaultLateness
	}
	return watermark < now && watermark > now-lateness
}

func (p *Processor) sendTick(ctx context.Context, partition int, now inventory.Millis) error {
	d := inventory.Delta{
		ID:     fmt.Sprintf("tick-%d-%d", partition, now),
		Source: tickSource,
		Kind:   inventory.Tick,
		Time:   now,
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.TickEvery)
	defer cancel()
	_, err := p.js.Publish(ctx, p.config.Topology.DeltaSubject(partition), codec.AppendDelta(nil, &d))
	return err
}
