package dedupe

import "math/bits"

const (
	// bloomBitsAnID lets one id in a thousand through that a run does not have. Each of those costs a
	// search of Pebble, as much as ten deltas, so that fewer bits would cost more than they save.
	bloomBitsAnID = 16
	bloomProbes   = 7 // of 9 bits of Lo each
)

// bloom is a blocked Bloom filter over IDs, which are hashes already: all bits of an id
// are in one cache line of 512 (Putze, Sanders and Singler 2007). Hi names the line, Lo the bits.
type bloom struct{ lines []bloomLine }

type bloomLine [8]uint64

func newBloom(ids int) bloom { return bloom{make([]bloomLine, ids*bloomBitsAnID/512+1)} }

func (b bloom) line(id ID) *bloomLine {
	n, _ := bits.Mul64(id.Hi, uint64(len(b.lines)))
	return &b.lines[n]
}

func (b bloom) add(id ID) {
	line := b.line(id)
	for i := range bloomProbes {
		bit := id.Lo >> (9 * i) & 511
		line[bit/64] |= 1 << (bit % 64)
	}
}

func (b bloom) may(id ID) bool {
	line := b.line(id)
	for i := range bloomProbes {
		if bit := id.Lo >> (9 * i) & 511; line[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}
