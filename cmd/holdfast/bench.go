package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/holdfast-atp/holdfast/bench"
)

type benchCmd struct {
	Deltas     int           `help:"Deltas of the packed catch-up; the other takes a quarter." default:"2000000"`
	Keys       int           `help:"SKU-locations." default:"100000"`
	Partitions int           `help:"Partitions." default:"16"`
	Packing    int           `help:"Deltas a message where they are packed." default:"256"`
	Rate       int           `help:"Deltas a second of the latency run." default:"20000"`
	Duration   time.Duration `help:"Of each latency run." default:"10s"`
	Seed       uint64        `help:"Of the load." default:"1"`
}

func (c *benchCmd) Run(t *terminal) error {
	if c.Deltas < 4 || c.Keys < 10 || c.Packing < 2 || c.Rate < 100 || c.Duration < time.Second {
		return usageError{fmt.Errorf("at least 4 deltas, 10 keys, a packing of 2, 100 deltas a second and 1s belong here")}
	}
	report, err := bench.Run(t.ctx, bench.Options{
		Deltas:     c.Deltas,
		Keys:       c.Keys,
		Partitions: c.Partitions,
		Packing:    c.Packing,
		Rate:       c.Rate,
		Duration:   c.Duration,
		Seed:       c.Seed,
		Say:        func(line string) { fmt.Fprintln(t.err, line) },
		Log:        t.log,
	})
	if err != nil {
		return err
	}
	if t.json {
		return t.print(report, "")
	}
	m := report.Machine
	t.say("\n%s %s/%s, %d cores shared by broker, driver and holdfast; a sync of the disk takes %v", m.Go, m.OS, m.Arch, m.Cores, m.DiskSync.Round(time.Microsecond))
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "catch-up\tdeltas\tmessages\traw read, deltas/s\tholdfast, deltas/s\tratio\t")
	for _, r := range report.CatchUp {
		fmt.Fprintf(w, "%d a message\t%d\t%d\t%.0f\t%.0f\t%.2f\t\n", r.Packing, r.Deltas, r.Messages, r.Raw, r.Processed, r.Ratio)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	t.say("\nlatency, from the moment a delta is due to its command at a subscriber; open loop at %d deltas/s, one in 100 makes a command", c.Rate)
	w = tabwriter.NewWriter(t.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "the broker syncs\tdeltas/s reached\tcommands\tp50\tp99\tp99.9\tmax\t")
	for _, l := range report.Latency {
		sync := "every 2 min"
		if l.SyncAlways {
			sync = "always"
		}
		us := func(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%v\t%v\t%v\t%v\t\n", sync, l.Reached, l.Commands, us(l.P50), us(l.P99), us(l.P999), us(l.Max))
	}
	return w.Flush()
}
