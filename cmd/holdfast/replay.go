package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/holdfast-atp/holdfast/bench/retail"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

type replayCmd struct {
	nodeFlags
	dataFlag
	File      string  `arg:"" help:"The UCI Online Retail file: CSV, or that in zstd or gzip." type:"existingfile"`
	Seed      uint64  `help:"Of the rule that makes opening stock and receipts, and of the spread over locations." default:"1"`
	Locations int     `help:"How many locations the lines are spread over." default:"1"`
	NoStock   bool    `help:"Make no opening stock and no receipts."`
	Speed     float64 `help:"Seconds of the file a second; 0 is flat out." default:"0"`
	Stay      bool    `help:"Serve HTTP, and go on serving when the file is through."`
}

// replaySummary says what became of everything.
type replaySummary struct {
	File      string         `json:"file"`
	Rows      int            `json:"rows"`
	FromRows  map[string]int `json:"from_rows"` // deltas that rows became
	Skipped   map[string]int `json:"skipped"`   // rows that are no stock movement, by why
	Made      map[string]int `json:"made"`      // by the stock rule
	Errors    []string       `json:"errors,omitempty"`
	Published int            `json:"published"`

	tallySummary

	Seconds         float64 `json:"seconds"` // from the first delta published to the last applied
	DeltasPerSecond float64 `json:"deltas_per_second"`
}

func (c *replayCmd) Run(t *terminal) (err error) {
	source, err := retail.Open(c.File, retail.Config{Seed: c.Seed, Locations: c.Locations, NoStock: c.NoStock})
	if err != nil {
		return err
	}
	defer source.Close()
	n, err := startNode(t.ctx, &c.nodeFlags, c.Data, c.Stay, t.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	n.greet(t, &c.nodeFlags)
	if !c.NoStock {
		t.say("stock rule (seed %d): %s", c.Seed, retail.StockRule())
	}
	if err := n.processor.CatchUp(t.ctx); err != nil { // with what an earlier run left
		return err
	}
	if err := n.setPolicy(t); err != nil {
		return err
	}
	before := n.processor.Tally()
	start := time.Now()
	published, err := c.play(t, n, source)
	if err != nil {
		return err
	}
	if err := n.processor.CatchUp(t.ctx); err != nil {
		return err
	}
	took := time.Since(start)
	if err := n.processor.Settle(t.ctx); err != nil {
		return err
	}

	after := n.processor.Tally()
	after.Subtract(&before)
	s := summarise(c.File, source.Accounts(), published, &after, took)
	if err := s.print(t); err != nil {
		return err
	}
	if !c.Stay {
		return nil
	}
	t.say("\nlook further: %s, holdfast atp SKU, holdfast exceptions; ctrl-C ends it", n.web.URL())
	return n.serve(t.ctx)
}

// play publishes the file at the asked speed.
func (c *replayCmd) play(t *terminal, n *node, source *retail.Source) (published int, err error) {
	bar := newProgress(t, source.Rows(), "rows")
	defer func() { _ = bar.Finish() }()
	var pace pacer
	for d, ok := source.Next(); ok; d, ok = source.Next() {
		if c.Speed > 0 {
			if err := pace.wait(t.ctx, d.Time, c.Speed); err != nil {
				return published, err
			}
		}
		if err := n.producer.Publish(t.ctx, &d); err != nil {
			return published, fmt.Errorf("delta %q: %w", d.ID, err)
		}
		published++
		if published%1024 == 0 {
			accounts := source.Accounts()
			_ = bar.Set(accounts.Rows)
		}
	}
	if err := source.Err(); err != nil {
		return published, err
	}
	_ = bar.Set(source.Rows())
	return published, n.producer.Flush(t.ctx)
}

// newProgress draws on a terminal and is silent anywhere else.
func newProgress(t *terminal, most int, unit string) *progressbar.ProgressBar {
	if !t.interactive() {
		return progressbar.DefaultSilent(int64(most))
	}
	return progressbar.NewOptions(most,
		progressbar.OptionSetWriter(t.err),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(unit),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

// pacer makes event time pass at a multiple of the clock's.
type pacer struct {
	began time.Time
	first inventory.Millis
}

func (p *pacer) wait(ctx context.Context, at inventory.Millis, speed float64) error {
	if p.first == 0 {
		p.began, p.first = time.Now(), at
	}
	due := p.began.Add(time.Duration(float64(at-p.first) / speed * float64(time.Millisecond)))
	left := time.Until(due)
	if left <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func summarise(file string, a retail.Accounts, published int, tally *stream.Tally, took time.Duration) replaySummary {
	s := replaySummary{
		File:            file,
		Rows:            a.Rows,
		FromRows:        map[string]int{"sale": a.Sales, "return": a.Returns, "adjust": a.Adjustments},
		Skipped:         map[string]int{},
		Made:            map[string]int{"count": a.Counts, "asn": a.ASNs, "receipt": a.Receipts},
		Published:       published,
		tallySummary:    newTallySummary(tally),
		Seconds:         took.Seconds(),
		DeltasPerSecond: float64(published) / took.Seconds(),
	}
	for why, n := range a.Skipped {
		if n > 0 {
			s.Skipped[retail.Skip(why).String()] = n
		}
	}
	for _, err := range a.Errors {
		s.Errors = append(s.Errors, safe(err.Error()))
	}
	return s
}

func (s *replaySummary) print(t *terminal) error {
	if t.json {
		return t.print(s, "")
	}
	skipped := sum(s.Skipped)
	t.say("\nrows       %d = %d deltas + %d skipped", s.Rows, s.Rows-skipped, skipped)
	t.say("  became   %s", list(s.FromRows))
	t.say("  skipped  %s", list(s.Skipped))
	for _, err := range s.Errors {
		t.say("           %s", err)
	}
	t.say("made       %d by the stock rule: %s", sum(s.Made), list(s.Made))
	t.say("published  %d", s.Published)
	s.tallySummary.print(t)
	t.say("speed      %.0f deltas/s, published and applied in %.1f s", s.DeltasPerSecond, s.Seconds)
	return nil
}
