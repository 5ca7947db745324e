package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

type simulateCmd struct {
	natsFlags
	Deltas  string  `help:"File for the deltas, JSON objects one a line in order of arrival, as publish takes them; - is standard output. Not with --nats." default:"deltas.ndjson"`
	Truth   string  `help:"File for what was really so: faults, episodes and totals, JSON objects one a line." default:"truth.ndjson"`
	Seed    uint64  `help:"Of the simulation." default:"1"`
	Stores  int     `help:"Number of stores." default:"6"`
	Centres int     `help:"Number of distribution centres." default:"1"`
	SKUs    int     `name:"skus" help:"Number of SKUs." default:"80"`
	Days    int     `help:"Simulated days, up to today." default:"56"`
	Phantom float64 `help:"Share of what is promised that is not there." default:"0.03"`
	Faults  float64 `help:"Multiplies the rates of all other faults." default:"1"`
	Demo    bool    `help:"The network of the demo: brisk, from counted stock, --phantom aside."`
}

// simulated is the answer of simulate.
type simulated struct {
	Deltas   int          `json:"deltas"`
	Faults   int          `json:"faults"`
	Episodes int          `json:"episodes"`
	Network  []sim.Figure `json:"network"`
}

func (c *simulateCmd) Run(t *terminal) (err error) {
	if c.Days < 1 || c.Days > 400 || c.Stores < 1 || c.Stores > 99 || c.SKUs < 6 || c.SKUs > 5000 || c.Centres < 1 || c.Centres > c.Stores ||
		!(c.Phantom >= 0 && c.Phantom <= 0.2) || !(c.Faults >= 0 && c.Faults <= 10) {
		return usageError{errors.New("1 to 400 days, 1 to 99 stores with no more centres, 6 to 5000 SKUs, a share of phantoms up to 0.2 and faults up to 10 times can be simulated")}
	}
	config := sim.Study(c.Seed, c.Phantom)
	if c.Demo {
		config = sim.Config{Seed: c.Seed}
		rates := sim.DemoRates()
		config.Rates = &rates
	}
	rates := config.Rates.Times(c.Faults)
	config.Rates = &rates
	now := inventory.MillisOf(time.Now())
	config.Start = now - now%inventory.Day - inventory.Millis(c.Days)*inventory.Day
	config.Stores, config.Centres, config.SKUs = c.Stores, c.Centres, c.SKUs
	s := sim.New(config)

	send, done, err := c.open(t)
	if err != nil {
		return err
	}
	n := 0
	for {
		d, arrives := s.Next()
		if arrives >= now-now%inventory.Day {
			break
		}
		if err = send(&d); err != nil {
			break
		}
		n++
	}
	if err = errors.Join(err, done()); err != nil {
		return err
	}
	if err := writeTruth(c.Truth, s); err != nil {
		return err
	}
	answer := simulated{n, len(s.Faults()), len(s.Episodes()), s.Calibration()}
	if t.json {
		return t.print(answer, "")
	}
	to := t.out
	if c.Deltas == "-" && c.NATS == "" {
		to = t.err
	}
	fmt.Fprintf(to, "%d deltas; %d faults and %d episodes are in %s\n\n", n, answer.Faults, answer.Episodes, c.Truth)
	return s.WriteCalibration(to)
}

// open returns what takes the deltas, and what ends it.
func (c *simulateCmd) open(t *terminal) (send func(*inventory.Delta) error, done func() error, err error) {
	if c.NATS != "" {
		nc, err := c.dial(c.NATS, "holdfast simulate")
		if err != nil {
			return nil, nil, err
		}
		producer, err := client.NewProducer(nc, client.Prefix(c.Prefix))
		if err != nil {
			nc.Close()
			return nil, nil, err
		}
		send = func(d *inventory.Delta) error { return producer.Publish(t.ctx, d) }
		done = func() error {
			closing, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), closeMax)
			defer cancel()
			defer nc.Close()
			return producer.Close(closing)
		}
		return send, done, nil
	}
	to, end := t.out, func() error { return nil }
	if c.Deltas != "-" {
		f, err := os.Create(c.Deltas)
		if err != nil {
			return nil, nil, err
		}
		to, end = f, f.Close
	}
	w := bufio.NewWriterSize(to, 256<<10)
	var line []byte
	send = func(d *inventory.Delta) error {
		if err := t.ctx.Err(); err != nil {
			return err
		}
		line = append(codec.AppendDeltaJSON(line[:0], d), '\n')
		_, err := w.Write(line)
		return err
	}
	return send, func() error { return errors.Join(w.Flush(), end()) }, nil
}

// writeTruth writes what was really so, a JSON object a line.
func writeTruth(path string, s *sim.Sim) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 256<<10)
	return errors.Join(encodeTruth(w, s), w.Flush(), f.Close())
}

func encodeTruth(w io.Writer, s *sim.Sim) error {
	to := json.NewEncoder(w)
	for _, fault := range s.Faults() {
		if err := to.Encode(map[string]any{"fault": fault}); err != nil {
			return err
		}
	}
	for _, episode := range s.Episodes() {
		if err := to.Encode(map[string]any{"episode": episode}); err != nil {
			return err
		}
	}
	return to.Encode(map[string]any{"totals": s.Totals()})
}
