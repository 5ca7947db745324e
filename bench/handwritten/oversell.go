package handwritten

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/inventory"
)

// look holds the channels that are oversold at d's location, and releases those that no longer are: below
// zero it begins, at one it ends, in between it stays as it is.
func (p *partition) look(r *record, d *inventory.Delta) (commands []inventory.Command) {
	atp := r.atp()
	r.Oversold = edge(r.Oversold, atp)
	for i := range r.Channels {
		c := &r.Channels[i]
		share := r.share(c.Name)
		if !r.Oversold {
			c.Oversold = edge(c.Oversold, share)
		}
		hold := r.Oversold || c.Oversold
		if hold == c.Held {
			continue
		}
		c.Held = hold
		c.Revision++
		p.meta.Ordinal++
		command := inventory.Command{
			ID:     fmt.Sprintf("%d-%d", p.number, p.meta.Ordinal),
			Action: inventory.Hold, Channel: c.Name, SKU: d.SKU, Location: d.Location,
			Revision: c.Revision, Class: inventory.Oversell, Confidence: 1, Autonomy: inventory.Auto,
			Reason:    fmt.Sprintf("%d can be promised at %s, %d of it by %s", atp, d.Location, share, c.Name),
			Evidence:  map[string]any{"atp": atp, "channel_atp": share},
			EventTime: p.meta.Watermark,
		}
		if !hold {
			command.Action, command.Sellable = inventory.Unhold, max(0, share)
		}
		commands = append(commands, command)
	}
	return commands
}

func edge(oversold bool, atp int64) bool { return atp < 0 || oversold && atp < 1 }
