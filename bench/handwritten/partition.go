package handwritten

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/holdfast-atp/holdfast/inventory"
)

// partition takes the deltas of one partition. It is for one goroutine.
type partition struct {
	*store
	say func(*inventory.Command)
}

func openPartition(db *pebble.DB, number int, say func(*inventory.Command)) *partition {
	return &partition{newStore(db, number), say}
}

// outcome is what became of a delta.
type outcome uint8

const (
	applied outcome = iota
	duplicate
	rejected
)

// idEpoch is what ids are forgotten by: a quarter of the lateness in which they came, together.
const idEpoch = lateness / 4

// take applies a delta: everything that it changes is one batch. The partition's err says whether it did.
func (p *partition) take(d *delta) (outcome, *inventory.Invalid) {
	if bad := d.invalid(); bad != nil {
		return rejected, bad
	}
	id := d.Source + "\x00" + d.ID
	if p.get(p.named(keyID, id), nil) {
		return duplicate, nil
	}
	before := p.meta.Watermark
	if d.Time < before-lateness {
		return rejected, &inventory.Invalid{Reason: inventory.Late, Field: "time", Detail: "older than a day"}
	}
	if d.Time >= p.meta.NextLapse {
		p.lapse(d.Time)
	}
	p.meta.Watermark = max(before, d.Time)
	p.put(p.named(keyID, id), (p.meta.Watermark/idEpoch+1)*idEpoch-1, nil)
	if d.Kind == inventory.Tick {
		p.commit()
	} else {
		name := d.SKU + "\x00" + d.Location
		r := p.record(name)
		p.change(r, name, &d.Delta)
		p.finish(r, name, &d.Delta)
	}
	if before/idEpoch != p.meta.Watermark/idEpoch {
		p.sweep()
	}
	return applied, nil
}

func (p *partition) record(name string) *record {
	r := &record{}
	p.get(p.named(keyRecord, name), r)
	return r
}

// finish writes the record with all else that the batch holds, then says what follows.
func (p *partition) finish(r *record, name string, d *inventory.Delta) {
	commands := p.look(r, d)
	p.put(p.named(keyRecord, name), forever, r)
	p.commit()
	for i := range commands {
		p.say(&commands[i])
	}
}

// change applies d to its record.
func (p *partition) change(r *record, name string, d *inventory.Delta) {
	q := d.Quantity
	switch d.Kind {
	case inventory.Sale:
		r.demand(d.Time, q)
		p.move(r, name, d.Time, movement{OnHand: -q, Channel: d.Channel, Consumed: q})
	case inventory.Reserve:
		r.demand(d.Time, q)
		p.reserve(r, name, d)
	case inventory.Release:
		took, channel := p.settle(&r.Reserved, name, reservation, d)
		p.move(r, name, d.Time, movement{Channel: channel, Consumed: -took})
	case inventory.Ship:
		p.settle(&r.Reserved, name, reservation, d)
		p.move(r, name, d.Time, movement{OnHand: -q})
	case inventory.ASN:
		ref, f := p.open(&r.Inbound, name, inbound, d)
		p.keep(ref, &f)
	case inventory.Receipt:
		p.settle(&r.Inbound, name, inbound, d)
		p.move(r, name, d.Time, movement{OnHand: q})
	case inventory.TransferOut:
		there := d.SKU + "\x00" + d.Counterparty
		to := p.record(there)
		ref, f := p.open(&to.InTransit, there, inTransit, d)
		p.keep(ref, &f)
		p.put(p.named(keyRecord, there), forever, to)
		p.move(r, name, d.Time, movement{OnHand: -q})
	case inventory.TransferIn:
		p.settle(&r.InTransit, name, inTransit, d)
		p.move(r, name, d.Time, movement{OnHand: q})
	case inventory.Return:
		if d.Reason != "sellable" {
			r.Unavailable += q
		}
		p.move(r, name, d.Time, movement{OnHand: q})
	case inventory.Adjust:
		p.move(r, name, d.Time, movement{OnHand: q})
	case inventory.Block:
		r.Unavailable += q
	case inventory.Unblock:
		r.Unavailable -= q
	case inventory.Count: // as of its time: what moved since is on top
		if r.Counted.take(d) {
			r.OnHand = q
			p.movements(name, d.Time, func(m movement) { r.OnHand += m.OnHand })
		}
	case inventory.Allocate: // as of its time: what the channel consumed since is off
		if c := r.channel(d.Channel); c.FencedBy.take(d) {
			c.Fence, c.Consumed = q, 0
			p.movements(name, d.Time, func(m movement) {
				if m.Channel == d.Channel {
					c.Consumed += m.Consumed
				}
			})
		}
	case inventory.Listing:
		if c := r.channel(d.Channel); c.ListedBy.take(d) {
			c.Listed = &q
		}
	case inventory.Safety:
		if r.Kept.take(d) {
			r.Safety = q
		}
	}
}

// move applies a movement where it was not before the count or the allocation, and keeps it for one that
// comes later and is from before.
func (p *partition) move(r *record, name string, at inventory.Millis, m movement) {
	if m.OnHand == 0 && m.Consumed == 0 {
		return
	}
	if at >= r.Counted.Time {
		r.OnHand += m.OnHand
	}
	if m.Consumed != 0 {
		if c := r.channel(m.Channel); at >= c.FencedBy.Time {
			c.Consumed += m.Consumed
		}
	}
	p.meta.Ordinal++
	p.put(p.named(keyMovement, name+"\x00"+number8(uint64(at))+number8(p.meta.Ordinal)), at, &m)
}

// movements calls yield for each movement of a record since a time.
func (p *partition) movements(name string, since inventory.Millis, yield func(movement)) {
	lower := p.named(keyMovement, name+"\x00"+number8(uint64(since)))
	p.scan(lower, len(lower)-8, func(_, value []byte) bool {
		var m movement
		p.decode(value, &m)
		yield(m)
		return p.err == nil
	})
}
