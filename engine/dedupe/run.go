package dedupe

import (
	"encoding/binary"
	"fmt"
)

const (
	pageIDs    = 256 // ids a page
	pageEntry  = 24  // bytes an id in a page: Hi, Lo, epoch
	blockEntry = 16  // bytes an id in a block: Hi, Lo
)

// run is a sorted list of ids in the store, forgotten as a whole when its newest epoch is.
type run struct {
	number uint64
	ids    int
	newest int64 // epoch
	bloom  bloom
}

// Keys: 'D' run(8) last id of the page(16) → page. 'd' epoch(8) sequence(8) → block.
// Numbers are big-endian, so that keys sort as they do.
const (
	runPrefix   = 'D'
	blockPrefix = 'd'
)

func pageKey(dst []byte, run uint64, last ID) []byte {
	dst = append(dst, runPrefix)
	dst = binary.BigEndian.AppendUint64(dst, run)
	return appendID(dst, last)
}

func runBounds(number uint64) (lower, upper []byte) {
	return pageKey(nil, number, ID{}), pageKey(nil, number+1, ID{})
}

func blockKey(dst []byte, epoch int64, sequence uint64) []byte {
	dst = append(dst, blockPrefix)
	dst = binary.BigEndian.AppendUint64(dst, uint64(epoch))
	return binary.BigEndian.AppendUint64(dst, sequence)
}

func appendID(dst []byte, id ID) []byte {
	dst = binary.BigEndian.AppendUint64(dst, id.Hi)
	return binary.BigEndian.AppendUint64(dst, id.Lo)
}

func readID(b []byte) ID {
	return ID{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func appendEntry(dst []byte, e entry) []byte {
	return binary.BigEndian.AppendUint64(appendID(dst, e.id), uint64(e.epoch))
}

func readEntry(b []byte) entry {
	return entry{readID(b), int64(binary.BigEndian.Uint64(b[16:]))}
}

func compareEntries(a, b entry) int {
	switch {
	case a.id.Hi != b.id.Hi:
		if a.id.Hi < b.id.Hi {
			return -1
		}
		return 1
	case a.id.Lo < b.id.Lo:
		return -1
	case a.id.Lo > b.id.Lo:
		return 1
	}
	return 0
}

// find looks for id in the run.
func (r *run) find(store Store, id ID) (epoch int64, found bool, err error) {
	if !r.bloom.may(id) {
		return 0, false, nil
	}
	_, upper := runBounds(r.number)
	var bad error
	err = store.Scan(pageKey(nil, r.number, id), upper, func(key, page []byte) bool {
		if bad = checkLength(key, page, pageEntry); bad != nil {
			return false
		}
		low, high := 0, len(page)/pageEntry
		for low < high {
			mid := (low + high) / 2
			e := readEntry(page[mid*pageEntry:])
			switch compareEntries(e, entry{id: id}) {
			case 0:
				epoch, found = e.epoch, true
				return false
			case -1:
				low = mid + 1
			default:
				high = mid
			}
		}
		return false
	})
	if err == nil {
		err = bad
	}
	return epoch, found, err
}

// checkLength returns an error where a value is no list of entries.
func checkLength(key, value []byte, entry int) error {
	if len(value)%entry != 0 {
		return fmt.Errorf("dedupe: %q holds %d bytes, not a multiple of %d", key, len(value), entry)
	}
	return nil
}

// write writes entries, sorted by id, as the run's pages.
func (r *run) write(entries []entry, w Writer) error {
	var key, page []byte
	for len(entries) > 0 {
		n := min(pageIDs, len(entries))
		page = page[:0]
		for _, e := range entries[:n] {
			page = appendEntry(page, e)
		}
		key = pageKey(key[:0], r.number, entries[n-1].id)
		if err := w.Set(key, page); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// scan calls yield for each id of the run, in order.
func (r *run) scan(store Store, yield func(entry)) error {
	lower, upper := runBounds(r.number)
	return store.Scan(lower, upper, func(_, page []byte) bool {
		for ; len(page) >= pageEntry; page = page[pageEntry:] {
			yield(readEntry(page))
		}
		return true
	})
}
