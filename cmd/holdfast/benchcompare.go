package main

import (
	"fmt"
	"os"

	"github.com/holdfast-atp/holdfast/bench/report"
)

type benchCompareCmd struct {
	A string `arg:"" help:"report.json of the one." type:"existingfile"`
	B string `arg:"" help:"report.json of the other."  type:"existingfile"`
}

func (c *benchCompareCmd) Run(t *terminal) error {
	a, err := readReport(c.A)
	if err != nil {
		return err
	}
	b, err := readReport(c.B)
	if err != nil {
		return err
	}
	comparison := report.Compare(a, b)
	if t.json {
		return comparison.WriteJSON(t.out)
	}
	return comparison.WriteTable(t.out)
}

func readReport(path string) (report.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return report.Report{}, err
	}
	defer f.Close()
	r, err := report.Read(f)
	if err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
