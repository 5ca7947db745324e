package dedupe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

const (
	pageIDs = 256 // ids a page
	idBytes = 16  // of an id in a page or block: Hi, Lo; in a page the last byte is its age

	formatRun = 1

	linesMost = 1 << 26 // of a filter, 4 GiB
)

// run is a sorted list of ids in the store, forgotten as a whole when its newest epoch is.
//
// It is in the store under three kinds of keys, numbers big-endian so that keys sort as they do:
//
//	'b' run(8) 0(4)        → what is known of it; nothing while it is being written
//	'b' run(8) chunk+1(4)  → lines of its filter
//	'D' run(8) last id(16) → page
//
// and beside it 'd' epoch(8) flush(8) → block: ids that are in no run yet.
type run struct {
	number uint64
	level  int   // how many times its ids were merged
	ids    int   //
	base   int64 // epoch of age 0
	newest int64 // epoch
	bloom  bloom
}

const (
	aboutPrefix = 'b'
	pagePrefix  = 'D'
	blockPrefix = 'd'
)

func aboutKey(dst []byte, run uint64, chunk uint32) []byte {
	dst = append(dst, aboutPrefix)
	dst = binary.BigEndian.AppendUint64(dst, run)
	return binary.BigEndian.AppendUint32(dst, chunk)
}

// readAboutKey is the inverse of aboutKey.
func readAboutKey(key []byte) (run uint64, chunk uint32) {
	return binary.BigEndian.Uint64(key[1:]), binary.BigEndian.Uint32(key[9:])
}

func pageKey(dst []byte, run uint64, last ID) []byte {
	dst = append(dst, pagePrefix)
	dst = binary.BigEndian.AppendUint64(dst, run)
	return appendID(dst, last)
}

func blockKey(dst []byte, epoch int64, flush uint64) []byte {
	dst = append(dst, blockPrefix)
	dst = binary.BigEndian.AppendUint64(dst, uint64(epoch))
	return binary.BigEndian.AppendUint64(dst, flush)
}

func appendID(dst []byte, id ID) []byte {
	dst = binary.BigEndian.AppendUint64(dst, id.Hi)
	return binary.BigEndian.AppendUint64(dst, id.Lo)
}

// readSlot reads an id with what is in its last byte.
func readSlot(b []byte) slot {
	return slot{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func compareSlots(a, b slot) int {
	switch {
	case a.hi < b.hi, a.hi == b.hi && a.lo < b.lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// checkIDs returns an error where a value is no list of ids.
func checkIDs(key, value []byte) error {
	if len(value)%idBytes != 0 {
		return fmt.Errorf("dedupe: %q holds %d bytes, not a multiple of %d", key, len(value), idBytes)
	}
	return nil
}

// find looks for id in the run. It allocates: ask the filter first.
func (r *run) find(store Store, id ID) (epoch int64, found bool, err error) {
	var bad error
	err = store.Scan(pageKey(nil, r.number, id), pageKey(nil, r.number+1, ID{}), func(key, page []byte) bool {
		if bad = checkIDs(key, page); bad != nil {
			return false
		}
		n := len(page) / idBytes
		i := sort.Search(n, func(i int) bool {
			return compareSlots(readSlot(page[i*idBytes:]), slot{id.Hi, id.Lo}) >= 0
		})
		if i < n {
			if s := readSlot(page[i*idBytes:]); s.id() == id {
				epoch, found = r.base+s.age(), true
			}
		}
		return false
	})
	if err == nil {
		err = bad
	}
	return epoch, found, err
}

// remove takes all keys of a run out of the store.
func (r *run) remove(w Writer) error {
	if err := w.DeleteRange(pageKey(nil, r.number, ID{}), pageKey(nil, r.number+1, ID{})); err != nil {
		return err
	}
	return w.DeleteRange(aboutKey(nil, r.number, 0), aboutKey(nil, r.number+1, 0))
}

// about returns what is known of the run, but for the lines of its filter.
func (r *run) about() []byte {
	about := wire.AppendUint(nil, formatRun)
	about = wire.AppendInt(about, r.level)
	about = wire.AppendInt(about, r.ids)
	about = wire.AppendInt(about, r.base)
	about = wire.AppendInt(about, r.newest)
	return wire.AppendInt(about, len(r.bloom.lines))
}

// readAbout is the inverse of about; the lines of the filter, of which it returns the number, are added as they are
// read, so that a broken number takes no memory.
func readAbout(number uint64, about []byte) (r run, lines int, err error) {
	in := wire.NewReader(about)
	in.Version(formatRun)
	r = run{number: number, level: int(in.Int()), ids: int(in.Int()), base: in.Int(), newest: in.Int()}
	n := in.Int()
	if err := in.Done(); err != nil {
		return r, 0, err
	}
	if n <= 0 || n > linesMost {
		return r, 0, fmt.Errorf("a filter of %d lines", n)
	}
	if r.ids < 0 || int64(r.ids) > n*(512/bloomBitsAnID) {
		return r, 0, fmt.Errorf("%d ids in a filter of %d lines", r.ids, n)
	}
	return r, int(n), nil
}

// writer writes a run, whose ids it is given in order, over any number of batches.
type writer struct {
	run
	page       []byte
	last       ID
	chunks     int // of the filter that are written
	key, value []byte
}

// begin makes the run known as unfinished, so that what is written of it is not taken for one, nor its number given away.
func (o *writer) begin(w Writer) error {
	o.key = aboutKey(o.key[:0], o.number, 0)
	return w.Set(o.key, nil)
}

func (o *writer) add(id ID, epoch int64, w Writer) error {
	for line := o.bloom.line(id); line >= (o.chunks+1)*chunkLines; {
		if err := o.writeChunk(w); err != nil {
			return err
		}
	}
	o.bloom.add(id)
	o.page = appendID(o.page, ID{id.Hi, id.Lo | uint64(epoch-o.base)})
	o.last = id
	o.ids++
	o.newest = max(o.newest, epoch)
	if len(o.page) < pageIDs*idBytes {
		return nil
	}
	return o.writePage(w)
}

func (o *writer) writePage(w Writer) error {
	o.key = pageKey(o.key[:0], o.number, o.last)
	err := w.Set(o.key, o.page)
	o.page = o.page[:0]
	return err
}

func (o *writer) writeChunk(w Writer) error {
	o.value = o.bloom.appendChunk(o.value[:0], o.chunks)
	o.chunks++
	o.key = aboutKey(o.key[:0], o.number, uint32(o.chunks))
	return w.Set(o.key, o.value)
}

// end writes what is left. The run is one from then on.
func (o *writer) end(w Writer) error {
	if len(o.page) > 0 {
		if err := o.writePage(w); err != nil {
			return err
		}
	}
	for o.chunks*chunkLines < len(o.bloom.lines) {
		if err := o.writeChunk(w); err != nil {
			return err
		}
	}
	o.key = aboutKey(o.key[:0], o.number, 0)
	return w.Set(o.key, o.about())
}

// reader reads the ids of a run in order, a few pages at a time.
type reader struct {
	run
	head slot // the next id, unless done
	done bool
	from []byte // key from which to read on
	read []byte // ids
	at   int    // of head in read
}

// pagesAtOnce bounds what a reader holds: 16 KiB.
const pagesAtOnce = 4

// open brings the first id to the head.
func (r *reader) open(store Store) error {
	r.from = pageKey(nil, r.number, ID{})
	return r.fill(store)
}

// next takes the head off.
func (r *reader) next(store Store) error {
	r.at += idBytes
	if r.at >= len(r.read) {
		return r.fill(store)
	}
	r.head = readSlot(r.read[r.at:])
	return nil
}

func (r *reader) fill(store Store) error {
	r.read, r.at = r.read[:0], 0
	var bad error
	pages := 0
	err := store.Scan(bytes.Clone(r.from), pageKey(nil, r.number+1, ID{}), func(key, page []byte) bool {
		if bad = checkIDs(key, page); bad != nil {
			return false
		}
		r.from = append(append(r.from[:0], key...), 0)
		r.read = append(r.read, page...)
		pages++
		return pages < pagesAtOnce
	})
	if err == nil {
		err = bad
	}
	if r.done = len(r.read) == 0; !r.done {
		r.head = readSlot(r.read)
	}
	return err
}
