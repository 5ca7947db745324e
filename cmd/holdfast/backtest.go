package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/backtest"
	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/stream"
)

type backtestCmd struct {
	natsFlags
	NATSPort   int        `name:"nats-port" help:"Port of a holdfast run on this machine." default:"4222"`
	Partitions int        `help:"Number of partitions; 0 asks the server."`
	Policy     policyFile `required:"" help:"File of the policy to try (YAML)." placeholder:"FILE"`
}

func (c *backtestCmd) Run(t *terminal) error {
	p, err := (&nodeFlags{Policy: c.Policy}).startPolicy()
	if err != nil {
		return err
	}
	nc, err := c.dial(c.clientURL(c.NATSPort), "holdfast backtest")
	if err != nil {
		return err
	}
	defer nc.Close()
	producer, err := client.NewProducer(nc, client.Prefix(c.Prefix), client.Partitions(c.Partitions))
	if err != nil {
		return err
	}
	partitions := producer.NumPartitions()
	if err := producer.Close(t.ctx); err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	topology := stream.Topology{Prefix: c.Prefix, Partitions: partitions, Replicas: 1}
	bar := newProgress(t, -1, "messages")
	report, err := backtest.Run(t.ctx, js, topology, p, func(messages uint64) { _ = bar.Add64(int64(messages)) })
	_ = bar.Finish()
	if err != nil {
		return err
	}
	return printBacktest(t, &report, p)
}

// printBacktest prints what was done beside what the policy would have done.
func printBacktest(t *terminal, r *backtest.Report, p *policy.Policy) error {
	if t.json {
		return t.print(r, "")
	}
	t.say("%d messages of the log, as they were decided → as policy %s would have", r.Messages, p.Version)
	for _, missing := range r.Missing {
		t.say("  %s", missing)
	}
	if len(r.Rows) == 0 {
		t.say("nothing was found, and nothing would have been")
		return nil
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "class\tchannel\texceptions\tawaiting\tholds\tthrottles\treleases\theld hours\theld unit-hours")
	for _, row := range r.Rows {
		a, b := &row.Was, &row.Would
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Class, safe(row.Channel),
			change(a.Exceptions, b.Exceptions), change(a.Awaiting, b.Awaiting), change(a.Holds, b.Holds), change(a.Throttles, b.Throttles),
			change(a.Releases, b.Releases), change(tenths(a.HeldHours), tenths(b.HeldHours)), change(tenths(a.HeldUnitHours), tenths(b.HeldUnitHours)))
	}
	return w.Flush()
}

func tenths(x float64) string { return fmt.Sprintf("%.1f", x) }

// change writes a figure once where it is the same.
func change[T comparable](was, would T) string {
	if was == would {
		return fmt.Sprint(was)
	}
	return fmt.Sprintf("%v → %v", was, would)
}
