package main

import (
	"fmt"
	"time"

	"github.com/holdfast-atp/holdfast/bench"
	"github.com/holdfast-atp/holdfast/bench/quality"
	"github.com/holdfast-atp/holdfast/bench/report"
)

type benchQualityCmd struct {
	Seeds  int    `help:"Simulated networks, of which intervals are made." default:"20"`
	Tuning bool   `help:"Take the seeds that detectors are tuned on, not those to measure with."`
	Stores int    `help:"Stores of each network." default:"6"`
	SKUs   int    `name:"skus" help:"SKUs of each network." default:"80"`
	Days   int    `help:"Days that are measured, after as many in which is learned." default:"28"`
	Brief  bool   `help:"Phantom inventory at 3 % alone, the prevalence that the targets are about."`
	Out    string `help:"Folder for report.json and report.html." type:"path" placeholder:"DIR"`
}

func (c *benchQualityCmd) Run(t *terminal) error {
	if c.Seeds < 1 || c.Seeds > report.RunsMax || c.Stores < 1 || c.Stores > 99 || c.SKUs < 6 || c.SKUs > 5000 || c.Days < 2 || c.Days > 180 {
		return usageError{fmt.Errorf("1 to %d seeds, 1 to 99 stores, 6 to 5000 SKUs and 2 to 180 days belong here", report.RunsMax)}
	}
	config := quality.Config{
		Seeds: quality.TestSeeds(c.Seeds), Stores: c.Stores, SKUs: c.SKUs, Warm: c.Days, Days: c.Days,
		Say: func(line string) { fmt.Fprintln(t.err, time.Now().Format(time.TimeOnly), line) },
	}
	if c.Tuning {
		config.Seeds = quality.TuningSeeds(c.Seeds)
	}
	if c.Brief {
		config.Phantoms = []float64{quality.Target}
	}
	began := time.Now()
	result, err := quality.Run(t.ctx, config)
	if err != nil {
		return err
	}
	result.Version, result.Started, result.Machine = version(), began, bench.Machine()
	if c.Out != "" {
		if err := writeReport(c.Out, result); err != nil {
			return err
		}
		fmt.Fprintf(t.err, "report.json, report.txt and report.html are in %s\n", c.Out)
	}
	write := report.WriteTable
	if t.json {
		write = report.Write
	}
	return write(t.out, result)
}
