package sim

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/holdfast-atp/holdfast/inventory"
)

// censusFrom is from when on the state of the network is taken down each day: what the opening left has settled.
const censusFrom = 7 * inventory.Day

// census is the state of the stores' shelves, added up over the days.
type census struct {
	keys, wrong, high, promised, phantom int
	stock, off                           int64 // units there; and by which records miss them
}

// takeCensus adds what is so now.
func (s *Sim) takeCensus() {
	c := &s.census
	for _, sh := range s.shelves {
		if sh.place.centre {
			continue
		}
		c.keys++
		c.stock += sh.there
		if off := sh.recorded - sh.there; off != 0 {
			c.wrong++
			c.off += max(off, -off)
			if off > 0 {
				c.high++
			}
		}
		if sh.promised() > 0 {
			c.promised++
			if sh.there == 0 {
				c.phantom++
			}
		}
	}
}

// Figure is something of the network beside what is published about real ones.
type Figure struct {
	Name      string  `json:"name"`
	Measured  float64 `json:"measured"`
	Published string  `json:"published"` // with its source
}

// Calibration returns what the network has come to so far, beside what is published.
func (s *Sim) Calibration() []Figure {
	c, t := &s.census, s.Totals()
	share := func(part, all float64) float64 { return 100 * part / max(all, 1e-9) }
	return []Figure{
		{"records wrong, %", share(float64(c.wrong), float64(c.keys)), "65 (DeHoratius & Raman 2008), about 60 (ECR)"},
		{"wrong records that are too high, %", share(float64(c.high), float64(c.wrong)), "about 50 (ECR: as often too high as too low)"},
		{"mean error of records, % of stock", share(float64(c.off), float64(c.stock)), "about 35 (DeHoratius & Raman 2008)"},
		{"phantom prevalence, % of what is promised", share(float64(c.phantom), float64(c.promised)), "1, 3 or 6 by design"},
		{"shrink, % of sales", share(float64(t.ShrunkValue), float64(t.SoldValue)), "1.4–1.6 (NRF)"},
		{"demand lost over the counter, %", share(float64(t.Lost), float64(t.Wanted)), "about 8 (Gruen & Corsten: out-of-stocks)"},
		{"units of online orders cancelled, %", share(float64(t.Cancelled), float64(t.Ordered)), "1–5 of ship-from-store [A]"},
	}
}

// WriteCalibration writes it as a table.
func (s *Sim) WriteCalibration(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "of the network\tsimulated\tpublished")
	for _, f := range s.Calibration() {
		fmt.Fprintf(t, "%s\t%.1f\t%s\n", f.Name, f.Measured, f.Published)
	}
	return t.Flush()
}
