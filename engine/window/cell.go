package window

import (
	"encoding/binary"
	"math"
)

// A cell is the total of one group of events in one pane. Its bytes end with a header, two of them,
// little-endian, and are read from there, because cells stand in order of time and the newest are wanted most:
//
//	bits 10–15  index of the pane, modulo panesMax
//	bits  7–9   group
//	bits  3–6   count, from 1 to 15; 0: in front
//	bits  0–2   sum − count, from 0 to 7; or, where the count is in front, its width
//
// In front of a header stand, where its count says so, count and sum − count, either as 1, 2, 4 or 8
// bytes, little-endian: the width is the power of two. Nearly all cells of a key that sells now and then take
// two bytes; those of an hour's or a day's pane take four or six.
//
// The cells of a tier ascend by pane, and within a pane by group. Each of them has the smallest width that holds
// it. So the same totals are the same bytes.
type header uint16

// group is a set of series that count an event together: sales are demand too.
// Below seriesCount it is the series of that number alone. Groups are stored.
type group uint8

const (
	sale group = group(seriesCount) // Demand and Sales

	groupCount = sale + 1
	groupBits  = 3
)

// series returns the mask of the series of g.
func (g group) series() uint8 {
	if g == sale {
		return 1<<Demand | 1<<Sales
	}
	return 1 << g
}

// rank orders the cells of a tier from the newest on: age in panes, then group from the highest on.
type rank uint16

const (
	headerBytes = 2
	cellBytes   = 2*8 + headerBytes // at most

	countMax  = 15 // in a header
	excessMax = 7
	widthMax  = 3

	paneShift, groupShift, countShift = 10, 7, 3
)

func newHeader(index int64, g group, low header) header {
	return header(uint64(index)%panesMax)<<paneShift | header(g)<<groupShift | low
}

func (h header) group() group { return group(h >> groupShift & (1<<groupBits - 1)) }

// rank returns where the cell stands, given the index of its tier's newest pane.
func (h header) rank(newest int64) rank {
	return rank((header(uint64(newest)%panesMax)<<groupBits|(1<<groupBits-1))-h>>groupShift) % (panesMax << groupBits)
}

// age returns how many panes there are between the cell's and the newest.
func (r rank) age() int64 { return int64(r >> groupBits) }

func rankOf(age int64, g group) rank { return rank(age)<<groupBits | (1<<groupBits - 1) - rank(g) }

// inFront reports whether the count is not in the header.
func (h header) inFront() bool { return h>>countShift&countMax == 0 }

func (h header) width() uint { return uint(h & excessMax) }

// size returns how many bytes the cell takes.
func (h header) size() int {
	if h.inFront() {
		return headerBytes + 2<<h.width()
	}
	return headerBytes
}

// header returns that of the cell that ends at a place.
func (w *Windows) header(at int) header {
	return header(binary.LittleEndian.Uint16(w.cells[at-headerBytes : at]))
}

// cell returns what the cell that ends at a place holds.
func (w *Windows) cell(at int) (header, Total) {
	h := w.header(at)
	if !h.inFront() {
		count := int64(h >> countShift & countMax)
		return h, Total{count, count + int64(h&excessMax)}
	}
	from := w.cells[at-h.size():]
	var count, excess int64
	switch h.width() {
	case 0:
		count, excess = int64(from[0]), int64(int8(from[1]))
	case 1:
		count, excess = int64(binary.LittleEndian.Uint16(from)), int64(int16(binary.LittleEndian.Uint16(from[2:])))
	case 2:
		count, excess = int64(binary.LittleEndian.Uint32(from)), int64(int32(binary.LittleEndian.Uint32(from[4:])))
	default:
		count, excess = int64(binary.LittleEndian.Uint64(from)), int64(binary.LittleEndian.Uint64(from[8:]))
	}
	return h, Total{count, count + excess}
}

// appendCell appends the bytes of a cell.
func appendCell(dst []byte, index int64, g group, o Total) []byte {
	excess := o.Sum - o.Count
	low := header(0)
	switch {
	case o.Count >= 1 && o.Count <= countMax && excess >= 0 && excess <= excessMax:
		low = header(o.Count)<<countShift | header(excess)
	case uint64(o.Count) <= math.MaxUint8 && excess == int64(int8(excess)):
		dst = append(dst, byte(o.Count), byte(excess))
	case uint64(o.Count) <= math.MaxUint16 && excess == int64(int16(excess)):
		low = 1
		dst = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(dst, uint16(o.Count)), uint16(excess))
	case uint64(o.Count) <= math.MaxUint32 && excess == int64(int32(excess)):
		low = 2
		dst = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(dst, uint32(o.Count)), uint32(excess))
	default:
		low = widthMax
		dst = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, uint64(o.Count)), uint64(excess))
	}
	return binary.LittleEndian.AppendUint16(dst, uint16(newHeader(index, g, low)))
}

// begin and endOf return where the cells of t begin and end.
func (w *Windows) begin(t Tier) int { return int(w.end[t+1]) }
func (w *Windows) endOf(t Tier) int { return int(w.end[t]) }

// seek returns where the newest cell of t ends that does not come before a rank.
func (w *Windows) seek(t Tier, newest int64, want rank) (at int) {
	begin := w.begin(t)
	for at = w.endOf(t); at > begin; {
		h := w.header(at)
		if h.rank(newest) >= want {
			break
		}
		at -= h.size()
	}
	return at
}

// expired returns where the panes of t end that are at least so many panes older than the newest, and notes which
// is the oldest of the others. Where all cells are headers it need not read from the end.
func (w *Windows) expired(t Tier, newest, age int64) (at int) {
	if !w.wide[t] {
		for at = w.begin(t); at < w.endOf(t); at += headerBytes {
			if old := w.header(at + headerBytes).rank(newest).age(); old < age {
				w.oldest[t] = uint8(uint64(newest-old) % panesMax)
				break
			}
		}
		return at
	}
	oldest, wide := int64(0), false
	for at = w.endOf(t); at > w.begin(t); {
		h := w.header(at)
		old := h.rank(newest).age()
		if old >= age {
			break
		}
		oldest, wide = old, wide || h.inFront()
		at -= h.size()
	}
	w.oldest[t], w.wide[t] = uint8(uint64(newest-oldest)%panesMax), wide
	return at
}

// put adds a total to a cell of t, made where there is none; it returns by how many bytes the cells grew.
func (w *Windows) put(t Tier, index int64, g group, o Total) int {
	if w.sums != nil {
		w.sums.add(t, g, o)
	}
	newest := t.index(w.asOf)
	want := rankOf(newest-index, g)
	to := w.seek(t, newest, want)
	from := to
	if from > w.begin(t) {
		if h, there := w.cell(to); h.rank(newest) == want {
			from -= h.size()
			o.add(there)
		}
	} else {
		w.oldest[t] = uint8(uint64(index) % panesMax)
	}
	var buf [cellBytes]byte
	cell := appendCell(buf[:0], index, g, o)
	w.wide[t] = w.wide[t] || len(cell) > headerBytes
	return w.replace(t, from, to, cell)
}

// replace puts other bytes in the place of some of t's; it returns by how many the cells grew.
func (w *Windows) replace(t Tier, from, to int, with []byte) int {
	grown := len(with) - (to - from)
	if grown != 0 {
		rest := w.cells[to:]
		if size := len(w.cells) + grown; size <= cap(w.cells) {
			w.cells = w.cells[:size]
		} else {
			w.cells = append(w.cells, with[:grown]...)
		}
		if len(rest) > 0 {
			copy(w.cells[to+grown:], rest)
		}
		for u := range t + 1 {
			w.end[u] += uint32(grown)
		}
	}
	copy(w.cells[from:], with)
	return grown
}
