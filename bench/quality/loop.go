package quality

import (
	"context"
	"fmt"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// loop is a network and an engine that hears what its systems say.
type loop struct {
	config *Config
	sim    *sim.Sim
	engine *engine.Engine
	store  *enginetest.Store
	sent   uint64

	commands   []inventory.Command
	exceptions map[string]*raised
	order      []*raised

	warm sim.Totals // what had come of trade when measuring began
}

// raised is an exception with when it ended, 0 while it stands.
type raised struct {
	inventory.Exception
	arrived inventory.Millis // when what tipped it arrived
	ended   inventory.Millis
}

// batchDeltas is after how many deltas the engine commits.
const batchDeltas = 1 << 16

func newLoop(c *Config, network sim.Config, p *policy.Policy) (*loop, error) {
	network.Start, network.Stores, network.SKUs = start, c.Stores, c.SKUs
	store := enginetest.NewStore()
	e, err := engine.New(engine.Config{Partitions: 1, Policy: p, CacheBytes: 1 << 30}, store)
	if err != nil {
		return nil, err
	}
	return &loop{config: c, sim: sim.New(network), engine: e, store: store, exceptions: map[string]*raised{}}, nil
}

// play plays the network to the end. With obey its channels do as they are told. heard is called with each delta
// after the engine has taken it in, and hourly with every full hour that has passed before it.
func (l *loop) play(ctx context.Context, obey bool, heard func(d *inventory.Delta), hourly func(at inventory.Millis) error) error {
	warm := l.config.warmUp()
	for hour := start; hour < l.config.end(); {
		d, arrives := l.sim.Next()
		for ; hour <= arrives && hour < l.config.end(); hour += inventory.Hour {
			if hour == warm {
				l.warm = l.sim.Totals()
			}
			if err := hourly(hour); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if err := l.hear(&d, arrives, obey); err != nil {
			return err
		}
		heard(&d)
	}
	return nil
}

// playOn plays the network for some days more, of which nobody hears: what exceptions foresaw may still have to come.
func (l *loop) playOn() {
	for end := l.config.end() + sequel*inventory.Day; ; {
		if _, arrives := l.sim.Next(); arrives >= end {
			return
		}
	}
}

func (l *loop) hear(d *inventory.Delta, arrives inventory.Millis, obey bool) error {
	l.sent++
	result, err := l.engine.Apply(engine.At{Sequence: l.sent, LogTime: arrives}, d)
	if err != nil {
		return err
	}
	if result.Outcome == engine.Rejected {
		return fmt.Errorf("the engine rejected %+v: %w", *d, result.Invalid)
	}
	for _, o := range l.engine.Outputs() {
		switch {
		case o.Command != nil:
			l.commands = append(l.commands, *o.Command)
			if obey {
				l.sim.Obey(o.Command)
			}
		case o.Exception != nil:
			l.note(o.Exception, arrives)
		}
	}
	l.engine.ClearOutputs()
	if l.sent%batchDeltas == 0 {
		return l.commit()
	}
	return nil
}

func (l *loop) note(x *inventory.Exception, arrives inventory.Millis) {
	r := l.exceptions[x.ID]
	if r == nil {
		r = &raised{Exception: *x, arrived: arrives}
		l.exceptions[x.ID] = r
		l.order = append(l.order, r)
	}
	if x.Status == inventory.Resolved || x.Status == inventory.Dismissed {
		r.ended = x.UpdatedAt
	}
}

// commit puts what changed into the store.
func (l *loop) commit() error {
	batch := l.store.Batch()
	if err := l.engine.Flush(batch); err != nil {
		return err
	}
	batch.Commit()
	l.engine.Committed()
	return nil
}

// measured is what came of trade since measuring began.
func (l *loop) measured() sim.Totals { return l.sim.Totals().Minus(&l.warm) }
