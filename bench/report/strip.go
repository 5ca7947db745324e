package report

import "slices"

// The size of a strip in pixels, and what it keeps free at both ends.
const (
	stripWidth  = 150
	stripMargin = 4.0
)

// strip is a small drawing of a metric's runs: a bar from 0 to the median, a dot for each run, the
// interval, and the target across. All but Width are places in it, in pixels.
type strip struct {
	Width                   int
	Zero, Median, Low, High float64
	Runs                    []float64
	HasTarget               bool
	Target                  float64
}

// stripOf returns nil where there is nothing to show against 0.
func stripOf(m Summary) *strip {
	least, most := slices.Min(m.Values), slices.Max(m.Values)
	if m.Target != nil {
		least, most = min(least, m.Target.Value), max(most, m.Target.Value)
	}
	if least < 0 || most == 0 {
		return nil
	}
	a := axis{high: most, first: stripMargin, last: stripWidth - stripMargin}
	at := func(v float64) float64 { pixel, _ := a.at(v); return pixel }
	s := strip{Width: stripWidth, Zero: at(0), Median: at(m.Median), Low: at(m.Low), High: at(m.High)}
	if m.Target != nil {
		s.HasTarget, s.Target = true, at(m.Target.Value)
	}
	for _, v := range m.Values {
		s.Runs = append(s.Runs, at(v))
	}
	return &s
}
