package oracle

import "github.com/holdfast-atp/holdfast/inventory"

// mismatches is the rule of stock_mismatch: by subject, a source's snapshot that the ledger does not agree with.
type mismatches map[subject]*disagreement

type disagreement struct {
	snapshot inventory.Delta
	raised   bool
	at       inventory.Millis // when it is judged, or when it ends by itself
}

func (m mismatches) accepted(w *Watch, d *inventory.Delta) {
	if d.Kind == inventory.Snapshot {
		m.said(w, d)
	}
	for _, s := range sorted(m) {
		g := m[s]
		if s.key != d.Key() {
			continue
		}
		bears := d.Kind == inventory.Snapshot && d.Source == s.of
		switch d.Kind {
		case inventory.Sale, inventory.Ship, inventory.Return, inventory.Receipt, inventory.TransferOut, inventory.TransferIn,
			inventory.Adjust, inventory.Count:
			bears = d.Time <= g.snapshot.Time+15*inventory.Minute
		}
		m.consider(w, s, bears)
	}
}

// said takes in a snapshot.
func (m mismatches) said(w *Watch, d *inventory.Delta) {
	s := subject{key: d.Key(), of: d.Source}
	g := m[s]
	switch {
	case g == nil && !agrees(w, s, d):
		m[s] = &disagreement{snapshot: *d, at: d.Time + 15*inventory.Minute}
	case g != nil && d.Time >= g.snapshot.Time:
		g.snapshot = *d
		g.at = d.Time + 15*inventory.Minute
		if g.raised {
			g.at = w.watermark + 7*inventory.Day
		}
	}
}

// consider ends or raises what is to be, given that the snapshot may agree by now.
func (m mismatches) consider(w *Watch, s subject, may bool) {
	g := m[s]
	_, counted := onHand(w.log[s.key])
	if g.raised && w.watermark >= g.at || counted > g.snapshot.Time || may && agrees(w, s, &g.snapshot) {
		delete(m, s)
		w.edge(s, false)
		return
	}
	if !g.raised && w.watermark >= g.at {
		g.raised, g.at = true, w.watermark+7*inventory.Day
		w.edge(s, true)
	}
}

// agrees reports whether a snapshot is between the least and the most that somebody could believe who had heard of any of what moved
// within a quarter of an hour of its time, or half a percent off.
func agrees(w *Watch, s subject, d *inventory.Delta) bool {
	log := w.log[s.key]
	now, counted := onHand(log)
	if d.Quantity == now || counted > d.Time {
		return true
	}
	from := max(d.Time-15*inventory.Minute, w.watermark-w.config.Lateness, counted)
	to := d.Time + 15*inventory.Minute
	after := now
	net := map[inventory.Millis]int64{}
	for _, e := range log {
		units := int64(0)
		switch e.Kind {
		case inventory.Sale, inventory.Ship:
			units = -e.Quantity
		case inventory.TransferOut:
			if !e.arriving {
				units = -e.Quantity
			}
		case inventory.Return, inventory.Receipt, inventory.TransferIn, inventory.Adjust:
			units = e.Quantity
		}
		switch {
		case e.Time < from:
		case e.Time > to:
			after -= units
		default:
			net[e.Time] += units
		}
	}
	low, high := after, after
	for _, units := range net {
		high -= min(units, 0)
		low -= max(units, 0)
	}
	off := max(low, high, -low, d.Quantity) / 200
	return d.Quantity >= low-off && d.Quantity <= high+off
}

func (m mismatches) look(w *Watch) {
	for _, s := range sorted(m) {
		m.consider(w, s, w.watermark >= m[s].at)
	}
}

func (m mismatches) next(w *Watch) (at inventory.Millis) {
	for _, g := range m {
		at = first(w.watermark, at, g.at)
	}
	return at
}
