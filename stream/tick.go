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
// the wall; the past that a replay applies is left alone. Where exceptions wait to be told of, a tick of the watermark's own
// time lets the log's clock go by for them, and nothing else.
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
			waiting := status.Standing.Untold
			to := now
			if !p.live(status.Watermark, now) {
				to = status.Watermark
			}
			if err != nil || !idle || to == status.Watermark && waiting == 0 {
				continue
			}
			if err := p.sendTick(ctx, i, to, 1+min(waiting/engine.ToldPerDelta, ticksMax)); err != nil && ctx.Err() == nil {
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

// ticksMax bounds the ticks of a message, each of which lets some exceptions be told of.
const ticksMax = 15

// sendTick sends a message of n ticks, all of one time.
func (p *Processor) sendTick(ctx context.Context, partition int, to inventory.Millis, n int64) error {
	var payload []byte
	for i := range n {
		payload = codec.AppendDelta(payload, &inventory.Delta{
			ID:     fmt.Sprintf("tick-%d-%d-%d", partition, time.Now().UnixMilli(), i),
			Source: tickSource,
			Kind:   inventory.Tick,
			Time:   to,
		})
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.TickEvery)
	defer cancel()
	_, err := p.js.Publish(ctx, p.config.Topology.DeltaSubject(partition), payload)
	return err
}
