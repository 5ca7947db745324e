package engine

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// TestATotalIsExact, also after it was beyond what is shown, and after it was written and read.
func TestATotalIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got total
		want := new(big.Int)
		const most = 1 << 56
		step := rapid.OneOf(rapid.Int64Range(-most, most), rapid.SampledFrom([]int64{most, -most, 1, -1, 1 << 31, -1 << 31, 1<<32 - 1}))
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			v := step.Draw(t, "v")
			for range rapid.SampledFrom([]int{1, 1, 127, 128, 129, 300}).Draw(t, "times") {
				got.add(v)
				want.Add(want, big.NewInt(v))
			}
			shown := int64(math.MaxInt64)
			switch {
			case want.IsInt64():
				shown = max(want.Int64(), -math.MaxInt64)
			case want.Sign() < 0:
				shown = -math.MaxInt64
			}
			if got.shown() != shown {
				t.Fatalf("%v is shown as %d, want %d", want, got.shown(), shown)
			}
		}
		r := wire.NewReader(got.append(nil))
		if again := readTotal(r); again != got || r.Done() != nil {
			t.Fatalf("%+v is read as %+v, %v", got, again, r.Done())
		}
	})
}

// TestATotalAtItsEdges is what no int64 may be taken for.
func TestATotalAtItsEdges(t *testing.T) {
	for _, c := range []struct {
		steps []int64
		want  int64
	}{
		{[]int64{math.MaxInt64}, math.MaxInt64},
		{[]int64{math.MaxInt64, 1}, math.MaxInt64},
		{[]int64{math.MaxInt64, 1, -1}, math.MaxInt64},
		{[]int64{math.MaxInt64, 1, -2}, math.MaxInt64 - 1},
		{[]int64{-math.MaxInt64}, -math.MaxInt64},
		{[]int64{-math.MaxInt64, -1}, -math.MaxInt64},
		{[]int64{-math.MaxInt64, -1, 2}, -math.MaxInt64 + 1},
	} {
		var got total
		for _, v := range c.steps {
			got.add(v)
		}
		if got.shown() != c.want {
			t.Errorf("%v come to %d, want %d", c.steps, got.shown(), c.want)
		}
	}
}
