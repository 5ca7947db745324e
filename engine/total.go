package engine

import (
	"fmt"
	"math"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// total is a sum of quantities or of money that an int64 need not hold: ATP is up to 2^55 on either side, so that
// 256 locations of a SKU would make it go round. It is exact, whatever comes and goes, and shown as the int64 nearest to it.
//
// Its value is high·2^32 + low, where low is an int32's.
type total struct{ high, low int64 }

// add adds v.
func (t *total) add(v int64) {
	t.high += v >> 32
	t.low += v & (1<<32 - 1)
	low := int64(int32(t.low))
	t.high += (t.low - low) >> 32
	t.low = low
}

// shown returns the value, or ±math.MaxInt64 where it is beyond.
func (t total) shown() int64 {
	const edge = 1 << 31
	switch {
	case t.high > edge, t.high == edge && t.low >= 0:
		return math.MaxInt64
	case t.high == edge:
		return math.MaxInt64 + (t.low + 1)
	case t.high < -edge, t.high == -edge && t.low <= 0:
		return -math.MaxInt64
	}
	return t.high<<32 + t.low
}

func (t total) append(dst []byte) []byte { return wire.AppendInt(wire.AppendInt(dst, t.high), t.low) }

func readTotal(r *wire.Reader) total {
	t := total{r.Int(), r.Int()}
	if t.low != int64(int32(t.low)) {
		r.Fail(fmt.Errorf("a total of %d and %d", t.high, t.low))
	}
	return t
}
