package oracle

import "github.com/holdfast-atp/holdfast/inventory"

// Series is what a window counts.
type Series uint8

// The series, with the kinds that each counts.
const (
	Demand       Series = iota // sale, reserve
	Sales                      // sale
	Cancels                    // release
	Returns                    // return
	Adjustments                // adjust, signed
	PickFailures               // pick_failed
)

// AllSeries returns every series there is.
func AllSeries() []Series {
	return []Series{Demand, Sales, Cancels, Returns, Adjustments, PickFailures}
}

// Total is how many deltas there were, and Σ of their quantities.
type Total struct{ Count, Sum int64 }

// PanesKept returns how many panes of each size are kept, the one of the
// watermark included.
func PanesKept() map[inventory.Millis]inventory.Millis {
	return map[inventory.Millis]inventory.Millis{
		inventory.Second: 60,
		inventory.Minute: 60,
		inventory.Hour:   48,
		inventory.Day:    35,
	}
}

// Window returns the panes of one series that are not empty, by ⌊time / size⌋.
// The size is one of [PanesKept]'s.
func (m *Model) Window(sku, location string, s Series, size inventory.Millis) map[inventory.Millis]Total {
	panes := map[inventory.Millis]Total{}
	for _, e := range m.log[inventory.Key{SKU: sku, Location: location}] {
		switch {
		case !counts(s, e.Kind):
		case e.Time < e.watermark-m.config.WindowLateness: // too late for windows when it came
		case e.Time/size <= m.watermark/size-PanesKept()[size]: // evicted
		default:
			p := panes[e.Time/size]
			panes[e.Time/size] = Total{p.Count + 1, p.Sum + e.Quantity}
		}
	}
	return panes
}

func counts(s Series, k inventory.Kind) bool {
	switch s {
	case Demand:
		return k == inventory.Sale || k == inventory.Reserve
	case Sales:
		return k == inventory.Sale
	case Cancels:
		return k == inventory.Release
	case Returns:
		return k == inventory.Return
	case Adjustments:
		return k == inventory.Adjust
	case PickFailures:
		return k == inventory.PickFailed
	}
	return false
}
