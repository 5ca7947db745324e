package dedupe

import (
	"encoding/binary"
	"math/bits"
)

const (
	// bloomBitsAnID lets one id in a thousand through that a run does not have. Each of those costs a
	// search of Pebble, as much as ten deltas, so that fewer bits would cost more than they save.
	bloomBitsAnID = 16
	bloomProbes   = 7 // of 9 bits each

	chunkLines = 256 // of a filter in one value
	lineBytes  = 64
)

// bloom is a blocked Bloom filter over IDs, which are hashes already: all bits of an id
// are in one cache line of 512 (Putze, Sanders and Singler 2007). Hi names the line, so that lines are in the order of ids.
type bloom struct{ lines []bloomLine }

type bloomLine [8]uint64

func newBloom(ids int) bloom { return bloom{make([]bloomLine, ids*bloomBitsAnID/512+1)} }

func (b bloom) line(id ID) int {
	n, _ := bits.Mul64(id.Hi, uint64(len(b.lines)))
	return int(n)
}

// bits returns those from which the probes are taken.
func (id ID) bits() uint64 { return id.Lo>>ageBits | id.Hi<<(64-ageBits) }

func (b bloom) add(id ID) {
	line, of := &b.lines[b.line(id)], id.bits()
	for i := range bloomProbes {
		bit := of >> (9 * i) & 511
		line[bit/64] |= 1 << (bit % 64)
	}
}

func (b bloom) may(id ID) bool {
	line, of := &b.lines[b.line(id)], id.bits()
	for i := range bloomProbes {
		if bit := of >> (9 * i) & 511; line[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// appendChunk appends the bytes of lines from a chunk on, chunkLines of them or what is left.
func (b bloom) appendChunk(dst []byte, chunk int) []byte {
	for _, line := range b.lines[chunk*chunkLines : min((chunk+1)*chunkLines, len(b.lines))] {
		for _, word := range line {
			dst = binary.LittleEndian.AppendUint64(dst, word)
		}
	}
	return dst
}

// readChunk is the inverse of appendChunk for a filter of so many lines, which has those of the chunks before; false where
// coded is not the next chunk.
func (b *bloom) readChunk(coded []byte, chunk, lines int) bool {
	from := len(b.lines)
	if chunk*chunkLines != from || len(coded) != lineBytes*min(chunkLines, lines-from) || from >= lines {
		return false
	}
	for ; len(coded) > 0; coded = coded[lineBytes:] {
		var line bloomLine
		for j := range line {
			line[j] = binary.LittleEndian.Uint64(coded[8*j:])
		}
		b.lines = append(b.lines, line)
	}
	return true
}
