package window

import (
	"errors"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

var errBroken = errors.New("windows are broken")

// Append appends the windows' bytes: how many bytes of cells there are, as of when in seconds, how many of the
// bytes are each finer tier's, and the cells as they are held. Where there are none, the first is all.
func (w *Windows) Append(dst []byte) []byte {
	dst = wire.AppendUint(dst, uint64(len(w.cells)))
	if len(w.cells) == 0 {
		return dst
	}
	dst = wire.AppendUint(dst, uint64(w.asOf))
	for t := range Days {
		dst = wire.AppendUint(dst, uint64(w.endOf(t)-w.begin(t)))
	}
	return append(dst, w.cells...)
}

// spareBytes is room for what the first event adds to windows that were read: a pane of each tier.
const spareBytes = 4 * headerBytes

// Read reads what Append wrote. Errors stay in r.
func (w *Windows) Read(r *wire.Reader) {
	*w = Windows{}
	n := r.Count()
	if n == 0 {
		return
	}
	asOf := r.Uint()
	end := uint64(n)
	var ends [tierCount + 1]uint32
	for t := range Days {
		ends[t] = uint32(end)
		size := r.Uint()
		if size > end {
			r.Fail(errBroken)
			return
		}
		end -= size
	}
	ends[Days] = uint32(end)
	cells := r.Take(n)
	if r.Failed() {
		return
	}
	read := Windows{cells: cells, end: ends, asOf: int64(asOf)}
	if asOf > uint64(inventory.MillisMax/inventory.Second) || !read.ordered() {
		r.Fail(errBroken)
		return
	}
	read.cells = append(make([]byte, 0, n+spareBytes), cells...)
	*w = read
}

// ordered reports whether each tier is whole cells in their order, of panes that it keeps, and notes
// of each what is not stored.
func (w *Windows) ordered() bool {
	for t := range tierCount {
		newest := t.index(w.asOf)
		next := rank(0)
		at := w.endOf(t)
		for at >= w.begin(t)+headerBytes {
			h := w.header(at)
			r := h.rank(newest)
			if r < next || r.age() >= tiers[t].panes || h.group() >= groupCount || h.inFront() && h.width() > widthMax {
				return false
			}
			next = r + 1
			w.oldest[t] = uint8(uint64(newest-r.age()) % panesMax)
			w.wide[t] = w.wide[t] || h.inFront()
			at -= h.size()
		}
		if at != w.begin(t) {
			return false
		}
	}
	return true
}
