package report

import (
	"fmt"
	"strings"
)

// The rectangle that the lines have, in pixels.
const (
	plotLeft   = 62.0
	plotRight  = 548.0
	plotTop    = 10.0
	plotBottom = 214.0
)

// frame is a chart's size and its rectangle, for the template.
type frame struct{ Width, Height, Left, Right, Bottom int }

// Frame returns what all charts have in common.
func (chart) Frame() frame {
	return frame{Width: 560, Height: 250, Left: plotLeft, Right: plotRight, Bottom: plotBottom}
}

// palette is how many colors the style sheet has; further lines have them again, dashed.
const palette = 6

// The most points that a line keeps: about what can be told apart in its width, and less for the
// runs that only stand behind.
const (
	pointsMost      = 600
	pointsMostFaint = 200
)

// point is a value over time or over percentiles, in the units of its axes.
type point struct{ x, y float64 }

// line is one quantity, as each run saw it.
type line struct {
	name string
	runs [][]point // empty where a run doesn't have it
}

// chart is a drawing that the page's template has only to write down.
type chart struct {
	Title  string
	Note   string // what the axes are
	Across string // what the level axis counts
	X, Y   []mark
	Lines  []drawn
	Legend []entry
}

// drawn is a line's path and its classes in the style sheet.
type drawn struct{ Path, Class, Name string }

// entry names a line's color.
type entry struct{ Class, Name string }

// draw adds lines to a chart. The typical run is drawn strongly and above the others.
func (c *chart) draw(lines []line, typical int, x, y axis) {
	for _, faint := range []bool{true, false} {
		for i, l := range lines {
			for r, points := range l.runs {
				if faint == (r == typical) || len(points) == 0 {
					continue
				}
				class, most := colorOf(i), pointsMost
				if faint {
					class, most = class+" faint", pointsMostFaint
				}
				c.Lines = append(c.Lines, drawn{path(thin(points, most), x, y), class, l.name})
			}
		}
	}
	for i, l := range lines {
		c.Legend = append(c.Legend, entry{colorOf(i), l.name})
	}
}

func colorOf(i int) string {
	class := fmt.Sprintf("c%d", i%palette)
	if i >= palette {
		class += " dashed"
	}
	return class
}

// path writes the points down as SVG does. It begins anew behind each value that a logarithmic axis has
// no place for: nothing was measured there.
func path(points []point, x, y axis) string {
	var b strings.Builder
	pen := "M"
	for _, p := range points {
		px, _ := x.at(p.x)
		py, ok := y.at(p.y)
		if !ok {
			pen = "M"
			continue
		}
		b.WriteString(pen)
		b.WriteString(pixels(px))
		b.WriteByte(' ')
		b.WriteString(pixels(py))
		pen = "L"
	}
	return b.String()
}

// thin keeps at most so many points, the least and the greatest of each stretch, so that no
// stall and no peak is lost. most is even.
func thin(points []point, most int) []point {
	if len(points) <= most {
		return points
	}
	kept := make([]point, 0, most)
	stretches := most / 2
	for s := range stretches {
		part := points[s*len(points)/stretches : (s+1)*len(points)/stretches]
		low, high := 0, 0
		for i, p := range part {
			if p.y < part[low].y {
				low = i
			}
			if p.y > part[high].y {
				high = i
			}
		}
		kept = append(kept, part[min(low, high)])
		if low != high {
			kept = append(kept, part[max(low, high)])
		}
	}
	return kept
}
