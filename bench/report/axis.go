package report

import (
	"math"
	"strconv"
	"strings"
)

// axis maps values from low to high onto pixels. An axis of values runs bottom up: its first
// pixel is the greater one.
type axis struct {
	low, high   float64
	log         bool // both ends are above 0, and equal factors are equally long
	first, last float64
}

// at returns the pixel of a value; ok is false where a logarithmic axis has no place for it.
func (a axis) at(v float64) (pixel float64, ok bool) {
	low, high := a.low, a.high
	if a.log {
		if v <= 0 {
			return 0, false
		}
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	return a.first + (v-low)/(high-low)*(a.last-a.first), true
}

// mark is a place on an axis with its label.
type mark struct {
	Pixel float64
	Label string
}

// ticksMost is how many labels an axis has room for.
const ticksMost = 6

// logFactor is how far apart times must lie for a logarithmic axis.
const logFactor = 30

// valueAxis returns the upright axis for values of a unit. It begins at 0, but for times that
// lie so far apart that only a logarithmic axis shows them all.
func valueAxis(unit string, values []float64) axis {
	low, high, positive := 0.0, 0.0, math.Inf(1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
		if v > 0 {
			positive = min(positive, v)
		}
	}
	a := axis{first: plotBottom, last: plotTop}
	if unit == Nanoseconds && low == 0 && high >= logFactor*positive {
		a.low, a.high, a.log = positive/1.1, high*1.1, true
		return a
	}
	if high == low {
		high = low + 1
	}
	step := stepFor(unit, (high-low)/(ticksMost-1))
	a.low, a.high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	return a
}

// marks returns the ticks of an axis of values.
func (a axis) marks(unit string) []mark {
	if a.log {
		return a.logMarks(unit)
	}
	var marks []mark
	step := stepFor(unit, (a.high-a.low)/(ticksMost-1))
	for i := range int(math.Round((a.high-a.low)/step)) + 1 { // valueAxis begins and ends on a step
		v := a.low + float64(i)*step
		pixel, _ := a.at(v)
		marks = append(marks, mark{pixel, tickLabel(unit, v)})
	}
	return marks
}

// logMarks has the powers of ten, with 2 and 5 between them where there is room.
func (a axis) logMarks(unit string) []mark {
	digits := []float64{1, 2, 5}
	decades := math.Log10(a.high) - math.Log10(a.low) // their quotient may be beyond a float
	every := 1.0
	if decades > 2.5 {
		digits = digits[:1]
		every = math.Ceil(decades / ticksMost)
	}
	var marks []mark
	for e := math.Floor(math.Log10(a.low)); e <= math.Log10(a.high); e += every {
		for _, d := range digits {
			v := d * math.Pow(10, e)
			if v < a.low || v > a.high {
				continue
			}
			pixel, _ := a.at(v)
			marks = append(marks, mark{pixel, tickLabel(unit, v)})
		}
	}
	return marks
}

// stepFor rounds a distance up to one that people count in: 1, 2 or 5 times a power of
// ten, or of bytes a power of two.
func stepFor(unit string, atLeast float64) float64 {
	if unit == Bytes || strings.HasPrefix(unit, Bytes+"/s") {
		return math.Pow(2, math.Ceil(math.Log2(atLeast)))
	}
	power := math.Pow(10, math.Floor(math.Log10(atLeast)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= atLeast*(1-1e-9) {
			return digit * power
		}
	}
	return 10 * power
}

// tickLabel leaves the unit to the caption, where it isn't scaled with the number.
func tickLabel(unit string, v float64) string {
	if !scalesUnit(unit) {
		text, _, _ := strings.Cut(short(unit, v), " ")
		return text
	}
	if v == 0 {
		return "0"
	}
	return short(unit, v)
}

// scalesUnit reports whether numbers of a unit are shown in multiples of it that have a name.
func scalesUnit(unit string) bool {
	return unit == Nanoseconds || unit == Bytes || unit == Ratio || strings.HasPrefix(unit, Bytes+"/")
}

// timeAxis returns the level axis for the seconds of a run.
func timeAxis(end float64) axis {
	if end == 0 {
		end = 1
	}
	return axis{high: end, first: plotLeft, last: plotRight}
}

// timeMarks returns its ticks, and what they count.
func timeMarks(a axis) (marks []mark, of string) {
	per, of := 1.0, "seconds"
	switch {
	case a.high > 3*3600:
		per, of = 3600, "hours"
	case a.high > 600:
		per, of = 60, "minutes"
	}
	step := stepFor(Count, a.high/per/ticksMost) * per
	for i := 0.0; i*step <= a.high; i++ {
		pixel, _ := a.at(i * step)
		marks = append(marks, mark{pixel, short(Count, i*step/per)})
	}
	return marks, of
}

// percentileAxis returns the level axis on which each further nine is equally long; see nines.
func percentileAxis(most float64) axis {
	return axis{high: max(most, 1), first: plotLeft, last: plotRight}
}

func percentileMarks(a axis) []mark {
	half, _ := a.at(nines(50, 0))
	marks := []mark{{half, "50 %"}}
	for n := 1; float64(n) <= a.high; n++ {
		pixel, _ := a.at(float64(n))
		label := "90 %"
		if n > 1 {
			label = "99 %"
		}
		if n > 2 {
			label = "99." + strings.Repeat("9", n-2) + " %"
		}
		marks = append(marks, mark{pixel, label})
	}
	return marks
}

// nines counts the nines of a percentile: 1 for 90, 2 for 99, 3 for 99.9, and log₁₀ 2 for 50. Of count
// values none is further out than log₁₀ count; a count of 0 sets no limit.
func nines(percentile float64, count int64) float64 {
	n := -math.Log10(1 - percentile/100)
	if count > 0 {
		n = min(n, math.Log10(float64(count)))
	}
	return max(n, 0)
}

func pixels(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
