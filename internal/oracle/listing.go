package oracle

import "github.com/holdfast-atp/holdfast/inventory"

// listings is the rule of stale_listing: since when a channel has shown more than it may sell.
type listings map[subject]inventory.Millis

func (l listings) accepted(w *Watch, _ *inventory.Delta) { l.look(w) }

func (l listings) look(w *Watch) {
	for key := range w.log {
		consumed := consumption(w.log[key], w.timelines(key))
		for _, c := range w.Availability(key.SKU, key.Location).Channels {
			s := subject{key: key, channel: c.Channel}
			shown := int64(0)
			if d := latest(w.log[key], inventory.Listing, c.Channel); d != nil {
				shown = max(d.Quantity-max(consumedSince(consumed, c.Channel, d.Time), 0), 0)
			}
			if shown <= max(c.ATP, 0) {
				delete(l, s)
				w.edge(s, false)
				continue
			}
			if _, known := l[s]; !known {
				l[s] = w.watermark
			}
			if w.watermark >= l[s]+15*inventory.Minute {
				w.edge(s, true)
			}
		}
	}
}

func (l listings) next(w *Watch) (at inventory.Millis) {
	for _, since := range l {
		at = first(w.watermark, at, since+15*inventory.Minute)
	}
	return at
}
