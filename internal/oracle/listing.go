package oracle

import "github.com/holdfast-atp/holdfast/inventory"

// listings is the rule of stale_listing: until when a channel that shows a quarter more than it may sell has time to mend that.
type listings map[subject]inventory.Millis

func (l listings) accepted(w *Watch, d *inventory.Delta) { l.after(w, d) }

func (l listings) look(w *Watch) { l.after(w, nil) }

// after looks at all that is listed, after d or, where that is nil, after time has passed.
func (l listings) after(w *Watch, d *inventory.Delta) {
	for key := range w.log {
		consumed := consumption(w.log[key], w.timelines(key))
		for _, c := range w.Availability(key.SKU, key.Location).Channels {
			s := subject{key: key, channel: c.Channel}
			shown := int64(0)
			if last := latest(w.log[key], inventory.Listing, c.Channel); last != nil {
				shown = max(last.Quantity-max(consumedSince(consumed, c.Channel, last.Time), 0), 0)
			}
			excess := shown - max(c.ATP, 0)
			if _, open := w.open[s]; excess <= 0 || !open && excess*4 < max(c.ATP, 0) {
				delete(l, s)
				w.edge(s, false)
				continue
			}
			at := w.watermark + 4*inventory.Hour
			if d != nil && d.Kind == inventory.Listing && d.Channel == c.Channel && d.SKU == key.SKU && d.Location == key.Location {
				at = w.watermark + 15*inventory.Minute
			}
			if until, known := l[s]; !known || at < until && excess*4 >= max(c.ATP, 0) {
				l[s] = at
			}
			if w.watermark >= l[s] {
				w.edge(s, true)
			}
		}
	}
}

func (l listings) next(w *Watch) (at inventory.Millis) {
	for _, until := range l {
		at = first(w.watermark, at, until)
	}
	return at
}
