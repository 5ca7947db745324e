package score

import (
	"cmp"
	"math"
	"slices"
)

// Judged is a score and whether what it speaks for was so.
type Judged struct {
	Score float64
	True  bool
}

// Point is where a threshold lands.
type Point struct {
	Threshold, Precision, Recall float64
}

// Curve returns precision and recall at every distinct score as a threshold, from the highest down; it sorts judged.
// None where nothing was true.
func Curve(judged []Judged) []Point {
	slices.SortFunc(judged, func(a, b Judged) int { return cmp.Compare(b.Score, a.Score) })
	all := 0
	for _, j := range judged {
		if j.True {
			all++
		}
	}
	if all == 0 {
		return nil
	}
	var curve []Point
	right := 0
	for i, j := range judged {
		if j.True {
			right++
		}
		if i+1 == len(judged) || judged[i+1].Score != j.Score {
			curve = append(curve, Point{j.Score, float64(right) / float64(i+1), float64(right) / float64(all)})
		}
	}
	return curve
}

// AveragePrecision returns the area under a curve by steps, 0–1: the precision at each threshold, weighted by what
// recall it adds. Ties count once, so that a score that says nothing gets the share of what is true.
func AveragePrecision(curve []Point) (area float64) {
	recall := 0.0
	for _, p := range curve {
		area += (p.Recall - recall) * p.Precision
		recall = p.Recall
	}
	return area
}

// Thin returns at most so many points of a curve, evenly by recall.
func Thin(curve []Point, most int) []Point {
	if len(curve) <= most {
		return curve
	}
	var thin []Point
	for _, p := range curve {
		if len(thin) == 0 || p.Recall >= float64(len(thin))/float64(most) {
			thin = append(thin, p)
		}
	}
	return thin
}

// Bin is what was said with about one confidence, and how often it was so.
type Bin struct {
	Said, Was float64 // means, 0–1
	Count     int
}

// Calibration groups probabilities into bins of equal width.
func Calibration(judged []Judged, bins int) []Bin {
	all := make([]Bin, bins)
	for _, j := range judged {
		b := &all[min(int(j.Score*float64(bins)), bins-1)]
		b.Said += j.Score
		if j.True {
			b.Was++
		}
		b.Count++
	}
	var filled []Bin
	for _, b := range all {
		if b.Count > 0 {
			b.Said /= float64(b.Count)
			b.Was /= float64(b.Count)
			filled = append(filled, b)
		}
	}
	return filled
}

// CalibrationError returns the expected calibration error, 0–1: by how much what was said misses how often it was so,
// weighted by how often it was said.
func CalibrationError(bins []Bin) (ece float64) {
	n := 0
	for _, b := range bins {
		n += b.Count
		ece += float64(b.Count) * math.Abs(b.Said-b.Was)
	}
	return ece / float64(max(n, 1))
}

// Quantile returns the q-quantile of values, which it sorts; NaN where there is none. An infinite value is one that
// never came.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}
