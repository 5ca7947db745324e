package engine

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/internal/wire"
)

// refsMax bounds the tags of one record, to 4 KiB.
const refsMax = 1024

// refs is which timelines a record has, so that a reference that is new, as most are, is not looked for
// in the store: a lookup of what is not there costs as much as all the rest of a delta.
// Each timeline has a tag of 32 bits; two may have the same. Beyond refsMax timelines the tags are
// given up, and every one is looked for, until the record has none again.
//
// Invariant: tags has one tag for each timeline of the record, or is given up.
type refs struct {
	tags    []uint32
	live    int
	givenUp bool
}

// refTag returns the tag of a reference.
func refTag(class ledger.Class, ref string) uint32 {
	return uint32(xxh3.HashString(ref)) + uint32(class)
}

// may reports whether the record may have a timeline of that tag.
func (r *refs) may(tag uint32) bool {
	return r.givenUp || slices.Contains(r.tags, tag)
}

func (r *refs) add(tag uint32) {
	r.live++
	switch {
	case r.givenUp:
	case len(r.tags) == refsMax:
		r.tags, r.givenUp = nil, true
	default:
		r.tags = append(r.tags, tag)
	}
}

func (r *refs) remove(tag uint32) {
	r.live--
	if r.givenUp {
		r.givenUp = r.live > 0
		return
	}
	if i := slices.Index(r.tags, tag); i >= 0 {
		last := len(r.tags) - 1
		r.tags[i] = r.tags[last]
		r.tags = r.tags[:last]
	}
}

func (r *refs) append(dst []byte) []byte {
	if r.givenUp {
		dst = wire.AppendUint(dst, 1) // the lowest bit says so
		return wire.AppendUint(dst, uint64(r.live))
	}
	dst = wire.AppendUint(dst, uint64(len(r.tags))<<1)
	for _, tag := range r.tags {
		dst = binary.LittleEndian.AppendUint32(dst, tag)
	}
	return dst
}

func (r *refs) read(in *wire.Reader) {
	n := in.Uint()
	if n&1 == 1 {
		*r = refs{givenUp: true, live: int(in.Uint())}
		return
	}
	*r = refs{live: int(n >> 1)}
	if n>>1 > refsMax {
		in.Fail(fmt.Errorf("%d tags of references, %d at most", n>>1, refsMax))
		return
	}
	coded := in.Take(4 * r.live)
	if len(coded) == 0 {
		return
	}
	r.tags = make([]uint32, r.live)
	for i := range r.tags {
		r.tags[i] = binary.LittleEndian.Uint32(coded[4*i:])
	}
}
