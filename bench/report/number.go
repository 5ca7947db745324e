package report

import (
	"math"
	"strconv"
	"strings"
)

// scale is how numbers of one magnitude and unit are shown: three significant digits, a prefix, the unit.
type scale struct {
	factor float64 // of the prefix
	prec   int     // digits after the point
	prefix string  // close behind the digits
	unit   string  // after a space
}

type step struct {
	factor float64
	name   string
}

var (
	decimalSteps = []step{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}}
	binarySteps  = []step{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}}
	timeSteps    = []step{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}}
)

// scaleOf returns the scale for values of a unit, of which the first that is not 0 sets the magnitude.
func scaleOf(unit string, values ...float64) scale {
	lead, whole := 0.0, true
	for _, v := range values {
		if lead == 0 {
			lead = math.Abs(v)
		}
		whole = whole && v == math.Trunc(v)
	}
	s := scale{factor: 1, unit: unit}
	switch per, isBytes := strings.CutPrefix(unit, Bytes); {
	case unit == Nanoseconds:
		s.factor, s.unit = stepOf(timeSteps, lead)
	case isBytes && (per == "" || per[0] == '/'):
		s.factor, s.unit = stepOf(binarySteps, lead)
		s.unit += per
	case unit == Ratio:
		s.prefix, s.unit = "×", ""
		whole = false
	default:
		s.factor, s.prefix = stepOf(decimalSteps, lead)
		if unit == Count {
			s.unit = ""
		}
	}
	shown := lead / s.factor
	switch {
	case whole && s.factor == 1, shown >= 99.95:
		s.prec = 0
	case shown >= 9.995:
		s.prec = 1
	case shown >= 0.9995 || lead == 0:
		s.prec = 2
	default:
		s.prec = min(2-int(math.Floor(math.Log10(shown))), 9)
	}
	return s
}

// stepOf returns the largest step that rounding would not show as less than 1.
func stepOf(steps []step, lead float64) (factor float64, name string) {
	for _, s := range steps {
		if lead >= 0.9995*s.factor {
			return s.factor, s.name
		}
	}
	last := steps[len(steps)-1]
	return last.factor, last.name
}

// number shows a value without its unit.
func (s scale) number(v float64) string {
	return strconv.FormatFloat(v/s.factor, 'f', s.prec, 64) + s.prefix
}

// full shows a value with its unit.
func (s scale) full(v float64) string {
	return strings.TrimSuffix(s.number(v)+" "+s.unit, " ")
}

// short shows a value that people chose, such as a target or a tick, without the zeros at its end.
func short(unit string, v float64) string {
	s := scaleOf(unit, v)
	text := strconv.FormatFloat(v/s.factor, 'f', s.prec, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return strings.TrimSuffix(text+s.prefix+" "+s.unit, " ")
}

// percent shows a share with two digits: 0.0834 is 8.3 %.
func percent(share float64) string {
	p := 100 * share
	prec := 0
	if math.Abs(p) < 9.95 {
		prec = 1
	}
	return strconv.FormatFloat(p, 'f', prec, 64) + " %"
}
