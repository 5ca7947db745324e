package stream

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"slices"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// SetMaster puts master data into the logs, SKUs into that of their partition and locations into every one, and returns once all of
// them have applied it. Where it fails a part may be known already: to send all of it again does no harm.
func (p *Processor) SetMaster(ctx context.Context, by string, m *inventory.Master) error {
	parts := make([]inventory.Master, len(p.slots))
	for i := range m.SKUs {
		part := &parts[codec.Partition(m.SKUs[i].SKU, len(parts))]
		part.SKUs = append(part.SKUs, m.SKUs[i])
	}
	sequences := make([]uint64, len(parts))
	for i := range parts {
		parts[i].Locations = m.Locations
		for part := range pieces(&parts[i]) {
			text, err := control.Encode(&control.Message{ID: rand.Text(), By: by, Master: &part})
			if err != nil {
				return err
			}
			ack, err := p.js.Publish(ctx, p.config.Topology.ControlSubject(i), text)
			if err != nil {
				return fmt.Errorf("store master data in the log of partition %d: %w", i, err)
			}
			sequences[i] = ack.Sequence
		}
	}
	for i, sequence := range sequences {
		if sequence == 0 {
			continue
		}
		if err := p.WaitPosition(ctx, i, sequence); err != nil {
			return fmt.Errorf("partition %d: %w", i, err)
		}
	}
	return nil
}

// masterPiece is how many entries go in one message: of the longest names, each character escaped, that is less than a message may have.
const masterPiece = 256

// pieces cuts master data into what one message holds.
func pieces(m *inventory.Master) iter.Seq[inventory.Master] {
	return func(yield func(inventory.Master) bool) {
		for part := range slices.Chunk(m.SKUs, masterPiece) {
			if !yield(inventory.Master{SKUs: part}) {
				return
			}
		}
		for part := range slices.Chunk(m.Locations, masterPiece) {
			if !yield(inventory.Master{Locations: part}) {
				return
			}
		}
	}
}

// Item returns what master data say of a SKU as of the last commit. ErrNotFound where they say nothing.
func (p *Processor) Item(sku string) (item inventory.Item, err error) {
	p.freshen()
	err = p.read(codec.Partition(sku, len(p.slots)), func(s *state.Snapshot, _ inventory.Position) (known bool, err error) {
		item, known, err = engine.ReadItem(s, sku)
		return known, err
	})
	return item, err
}
