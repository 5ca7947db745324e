package report

import (
	"slices"
	"sort"

	"github.com/aclements/go-moremath/stats"
)

// ratioInterval returns the factors by which b may be a that a two-sided Mann-Whitney test does not
// refute at 95 %: of all ratios of a value of b and one of a, the k-th from below to the k-th from
// above (Moses' interval, on logarithms). nil: the runs are too few, or a value is not above 0.
func ratioInterval(a, b []float64) *Interval {
	k := criticalRank(len(a), len(b))
	if k == 0 || slices.Min(a) <= 0 || slices.Min(b) <= 0 {
		return nil
	}
	ratios := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			ratios = append(ratios, y/x)
		}
	}
	slices.Sort(ratios)
	return &Interval{Low: ratios[k-1], High: ratios[len(ratios)-k]}
}

// criticalRank returns the greatest k for which U is under k with at most 2.5 %, U being how many of
// the n·m pairs are in the one order; 0: there is none.
func criticalRank(n, m int) int {
	const tail = (1 - level) / 2
	u := stats.UDist{N1: n, N2: m}
	return sort.Search(n*m/2, func(k int) bool { return u.CDF(float64(k)) > tail })
}

// canDiffer reports whether any difference between so many runs can be told from noise.
func canDiffer(n, m int) bool { return criticalRank(n, m) > 0 }
