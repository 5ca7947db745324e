package window

import (
	"math/bits"

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

// Bit returns the mask of s, to be or-ed for [Windows.Add].
func (s Series) Bit() uint8 { return 1 << s }

// Tier is a size of pane and how many of them are kept.
type Tier uint8

// The tiers: the last minute by seconds, hour by minutes, two days by hours, five weeks by days.
//
// Invariant: each one's size is a multiple of the one's before, and it reaches back further than the one
// before by at least a pane: what leaves a tier is still in the next.
const (
	Seconds Tier = iota
	Minutes
	Hours
	Days

	tierCount
)

// panesMax is more than any tier has: a pane's index modulo panesMax tells it from all others that are kept.
const panesMax = 64

var tiers = [tierCount]struct {
	size  inventory.Millis
	panes int64 // below panesMax
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

// index returns the index of the pane of t that holds a second. Dividing by constants is multiplying.
func (t Tier) index(second int64) int64 {
	switch t {
	case Seconds:
		return second
	case Minutes:
		return second / int64(inventory.Minute/inventory.Second)
	case Hours:
		return second / int64(inventory.Hour/inventory.Second)
	}
	return second / int64(inventory.Day/inventory.Second)
}

// second returns the first second of a pane of t.
func (t Tier) second(index int64) int64 { return index * int64(tiers[t].size/inventory.Second) }

// Total is how many events there were and how many units they had.
type Total struct{ Count, Sum int64 }

func (t *Total) add(o Total)      { t.Count += o.Count; t.Sum += o.Sum }
func (t *Total) subtract(o Total) { t.Count -= o.Count; t.Sum -= o.Sum }

// Windows are all windows of one key. The zero Windows is empty.
//
// Invariants: the cells of tier t are cells[end[t+1]:end[t]], coarse tiers first, and each is of one
// of the newest panes of t as of asOf; no two are of the same pane and group. end[tierCount] is 0.
type Windows struct {
	cells  []byte
	asOf   int64 // the watermark when something was last added, in seconds
	end    [tierCount + 1]uint32
	oldest [tierCount]uint8 // index of the oldest pane, modulo panesMax; meaningless where there is none
	wide   [tierCount]bool  // some cell may be more than a header
	sums   *sections        // of all cells, once they were asked for and while there are many; not stored
}

// sections are the totals of what is in each tier's own cells, by series.
type sections [tierCount][seriesCount]Total

// Add counts an event of units at time, for each series of which the bit is set
// in mask, given the partition's watermark (≥ time, and never less than before). Panes that fell out of their
// tier by then are poured on.
func (w *Windows) Add(time, watermark inventory.Millis, mask uint8, units int64) {
	if now := int64(watermark / inventory.Second); now > w.asOf {
		w.advance(now)
	}
	t, index := w.keeper(Seconds, int64(time/inventory.Second))
	if t == tierCount {
		return
	}
	one := Total{1, units}
	if mask&sale.series() == sale.series() {
		w.put(t, index, sale, one)
		mask &^= sale.series()
	}
	for mask &= 1<<seriesCount - 1; mask != 0; mask &= mask - 1 {
		w.put(t, index, group(bits.TrailingZeros8(mask)), one)
	}
}

// advance pours on what falls out of its tier as the watermark comes to now, a second.
func (w *Windows) advance(now int64) {
	before := w.asOf
	w.asOf = now
	moved := Seconds // this tier and the finer ones have a new newest pane
	for moved < Days && (moved+1).index(now) > (moved+1).index(before) {
		moved++
	}
	for t := moved + 1; t > Seconds; { // coarse ones first: into a tier is only poured what it keeps
		t--
		was := t.index(before)
		kept := tiers[t].panes - (t.index(now) - was)
		if oldest := int64(uint64(was-int64(w.oldest[t])) % panesMax); oldest >= kept && w.begin(t) < w.endOf(t) {
			w.pour(t, was, kept)
		}
	}
}

// pour empties the panes of t that were at least so many panes old when the newest was newest into the finest tier
// that still keeps what is in them.
func (w *Windows) pour(t Tier, newest, age int64) {
	at := w.expired(t, newest, age)
	end := at
	for at > w.begin(t) {
		h, total := w.cell(at)
		at -= h.size()
		if w.sums != nil {
			w.sums.subtract(t, h.group(), total)
		}
		second := t.second(newest - h.rank(newest).age())
		if u, index := w.keeper(t+1, second); u < tierCount {
			grown := w.put(u, index, h.group(), total)
			at += grown
			end += grown
		}
	}
	w.replace(t, at, end, nil)
}

// keeper returns the finest tier, from t on, that keeps the pane of a second, and the pane's index; tierCount
// where none does.
func (w *Windows) keeper(t Tier, second int64) (Tier, int64) {
	for ; t < tierCount; t++ {
		index := t.index(second)
		if age := t.index(w.asOf) - index; age >= 0 && age < tiers[t].panes {
			return t, index
		}
	}
	return tierCount, 0
}

// sumsFrom is how many bytes of cells are worth keeping their sums: fewer are added up faster than
// the sums, which take 400 bytes, come from memory.
const sumsFrom = 64

// Sum returns the total of s over the newest panes of t (at most t.Panes) as of
// the watermark, the pane that holds the watermark included.
func (w *Windows) Sum(t Tier, s Series, panes int64, watermark inventory.Millis) Total {
	newest := t.index(int64(watermark / inventory.Second))
	if panes >= tiers[t].panes && newest == t.index(w.asOf) && len(w.cells) >= sumsFrom {
		return w.all(t, s)
	}
	first := t.second(newest - min(panes, tiers[t].panes) + 1)
	var sum Total
	for u := Seconds; u <= t && w.asOf >= first; u++ {
		last := u.index(w.asOf)
		kept := min(last-u.index(first)+1, tiers[u].panes)
		for at := w.endOf(u); at > w.begin(u); {
			h := w.header(at)
			if h.rank(last).age() >= kept {
				return sum // all that follows is older
			}
			if h.group().series()&s.Bit() != 0 {
				_, total := w.cell(at)
				sum.add(total)
			}
			at -= h.size()
		}
	}
	return sum
}

// all returns the total of s in all panes of t as of asOf.
func (w *Windows) all(t Tier, s Series) Total {
	if w.sums == nil {
		w.sums = &sections{}
		for u := range tierCount {
			for at := w.endOf(u); at > w.begin(u); {
				h, total := w.cell(at)
				w.sums.add(u, h.group(), total)
				at -= h.size()
			}
		}
	}
	var sum Total
	for u := Seconds; u <= t; u++ {
		sum.add(w.sums[u][s])
	}
	return sum
}

func (x *sections) add(t Tier, g group, o Total) {
	for mask := g.series(); mask != 0; mask &= mask - 1 {
		x[t][bits.TrailingZeros8(mask)].add(o)
	}
}

func (x *sections) subtract(t Tier, g group, o Total) {
	for mask := g.series(); mask != 0; mask &= mask - 1 {
		x[t][bits.TrailingZeros8(mask)].subtract(o)
	}
}
