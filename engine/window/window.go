package window

import (
	"slices"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Series is what a window counts.
type Series uint8

// The series. Their order is stored: append, never reorder.
const (
	Demand       Series = iota // units asked for: sales and reservations
	Sales                      // units sold
	Cancels                    // units of cancelled reservations
	Returns                    // units that came back
	Adjustments                // signed units of corrections
	PickFailures               // units that a pick came short

	seriesCount
)

// Tier is a size of pane and how many of them are kept.
type Tier uint8

// The tiers: the last minute by seconds, hour by minutes, two days by hours, five weeks by days.
const (
	Seconds Tier = iota
	Minutes
	Hours
	Days

	tierCount
)

var tiers = [tierCount]struct {
	size  inventory.Millis
	panes int64
}{
	Seconds: {inventory.Second, 60},
	Minutes: {inventory.Minute, 60},
	Hours:   {inventory.Hour, 48},
	Days:    {inventory.Day, 35},
}

// Size returns the length of one pane of t.
func (t Tier) Size() inventory.Millis { return tiers[t].size }

// Panes returns how many panes of t are kept.
func (t Tier) Panes() int64 { return tiers[t].panes }

// Total is how many events there were and how many units they had.
type Total struct{ Count, Sum int64 }

func (t *Total) add(o Total)      { t.Count += o.Count; t.Sum += o.Sum }
func (t *Total) subtract(o Total) { t.Count -= o.Count; t.Sum -= o.Sum }

type pane struct {
	index int64 // floor(time / size)
	by    [seriesCount]Total
}

// tier is the panes of one size, ascending by index, and their sum.
type tier struct {
	panes []pane
	total [seriesCount]Total
}

// Windows are all windows of one key. The zero Windows is empty.
type Windows struct{ tiers [tierCount]tier }

// Add counts an event of units at time, for each series of which the bit is set
// in mask, given the partition's watermark (≥ time). Panes that fell out of their tier
// by then are evicted.
func (w *Windows) Add(time, watermark inventory.Millis, mask uint8, units int64) {
	for t := range w.tiers {
		size, most := tiers[t].size, tiers[t].panes
		tr := &w.tiers[t]
		oldest := int64(watermark/size) - most + 1
		tr.evict(oldest)
		index := int64(time / size)
		if index < oldest {
			continue
		}
		p := tr.pane(index)
		for s := range p.by {
			if mask&(1<<s) != 0 {
				p.by[s].add(Total{1, units})
				tr.total[s].add(Total{1, units})
			}
		}
	}
}

// Bit returns the mask of s, to be or-ed for [Windows.Add].
func (s Series) Bit() uint8 { return 1 << s }

// Sum returns the total of s over the newest panes of t (at most t.Panes) as of
// the watermark, the pane that holds the watermark included.
func (w *Windows) Sum(t Tier, s Series, panes int64, watermark inventory.Millis) Total {
	newest := int64(watermark / tiers[t].size)
	tr := &w.tiers[t]
	if panes >= tiers[t].panes && (len(tr.panes) == 0 || tr.panes[0].index > newest-tiers[t].panes) {
		return tr.total[s]
	}
	var sum Total
	oldest := newest - min(panes, tiers[t].panes) + 1
	for i := len(tr.panes) - 1; i >= 0 && tr.panes[i].index >= oldest; i-- {
		sum.add(tr.panes[i].by[s])
	}
	return sum
}

// evict drops the panes before oldest and takes them off the totals.
func (tr *tier) evict(oldest int64) {
	n := 0
	for n < len(tr.panes) && tr.panes[n].index < oldest {
		for s := range tr.total {
			tr.total[s].subtract(tr.panes[n].by[s])
		}
		n++
	}
	if n > 0 {
		tr.panes = slices.Delete(tr.panes, 0, n)
	}
}

// pane returns the pane of that index, made where there is none yet. In order of
// time it is the last one or a new last one.
func (tr *tier) pane(index int64) *pane {
	i := len(tr.panes)
	for i > 0 && tr.panes[i-1].index >= index {
		if tr.panes[i-1].index == index {
			return &tr.panes[i-1]
		}
		i--
	}
	tr.panes = slices.Insert(tr.panes, i, pane{index: index})
	return &tr.panes[i]
}

// Append appends the windows' bytes: for each tier its panes, each as the distance
// of its index from the one before, a mask of its series, and their counts and sums.
func (w *Windows) Append(dst []byte) []byte {
	for t := range w.tiers {
		panes := w.tiers[t].panes
		dst = wire.AppendUint(dst, uint64(len(panes)))
		before := int64(0)
		for i := range panes {
			p := &panes[i]
			dst = wire.AppendInt(dst, p.index-before)
			before = p.index
			mask := uint64(0)
			for s := range p.by {
				if p.by[s].Count != 0 {
					mask |= 1 << s
				}
			}
			dst = wire.AppendUint(dst, mask)
			for s := range p.by {
				if p.by[s].Count != 0 {
					dst = wire.AppendInt(dst, p.by[s].Count)
					dst = wire.AppendInt(dst, p.by[s].Sum)
				}
			}
		}
	}
	return dst
}

// Read reads what Append wrote. Errors stay in r.
func (w *Windows) Read(r *wire.Reader) {
	*w = Windows{}
	for t := range w.tiers {
		tr := &w.tiers[t]
		n := r.Count()
		if n == 0 {
			continue
		}
		tr.panes = make([]pane, n)
		index := int64(0)
		for i := range tr.panes {
			p := &tr.panes[i]
			index += r.Int()
			p.index = index
			mask := r.Uint()
			for s := range p.by {
				if mask&(1<<s) != 0 {
					p.by[s] = Total{r.Int(), r.Int()}
					tr.total[s].add(p.by[s])
				}
			}
		}
	}
}
