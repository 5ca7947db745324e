package bench

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestSearchFindsTheLimit holds a search against a limit that it doesn't know.
func TestSearchFindsTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Float64Range(1, 1e6).Draw(t, "limit")
		const least, most, precision = 100, 200_000, 1.05
		trials := 0
		best, err := search(least, most, precision, func(rate float64) (bool, error) {
			trials++
			if rate < least || rate > most {
				t.Errorf("tried %v", rate)
			}
			return rate <= limit, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case limit < least:
			if best != 0 {
				t.Errorf("found %v, and nothing was good", best)
			}
		case limit >= most:
			if best != most {
				t.Errorf("found %v, and all was good", best)
			}
		case best > limit || best*precision < limit:
			t.Errorf("found %v, the limit is %v", best, limit)
		}
		if bound := int(math.Log2(most/least)) + 8; trials > bound {
			t.Errorf("%d trials", trials)
		}
	})
}

func TestSearchEndsWithAnError(t *testing.T) {
	wrong := errors.New("no broker")
	for at := range 8 {
		trials := 0
		_, err := search(1, 1000, 1.01, func(rate float64) (bool, error) {
			if trials++; trials > at {
				return false, wrong
			}
			return rate < 20, nil
		})
		if !errors.Is(err, wrong) || trials != at+1 {
			t.Errorf("after %d trials: %v", trials, err)
		}
	}
}
