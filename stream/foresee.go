package stream

import (
	"context"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// Risks calls yield for every key at which more may be promised within a window than can be found, partition by partition, by what each had
// applied a moment ago, and returns the window: that of the policy in force where the one given is 0. It reads every record, so one caller at a time
// does; it ends early with ctx.
func (p *Processor) Risks(ctx context.Context, window inventory.Millis, yield func(*inventory.Risk)) (inventory.Millis, error) {
	if window == 0 {
		var err error
		if window, err = p.nextWindow(); err != nil {
			return 0, err
		}
	}
	return window, p.survey(ctx, func(s *state.Snapshot) error {
		return engine.ReadRisks(s, window, func(r *inventory.Risk) bool {
			yield(r)
			return ctx.Err() == nil
		})
	})
}

// nextWindow returns how far the policy in force of the first partition that is here looks ahead.
func (p *Processor) nextWindow() (inventory.Millis, error) {
	policies, err := p.Policies()
	for _, of := range policies {
		if of != nil {
			return of.NextWindow, err
		}
	}
	return 0, err
}

// survey calls read with a snapshot of each partition, as of a moment ago. Surveys read all of a state: one runs at a time, so that they
// take no more than one core from those who apply.
func (p *Processor) survey(ctx context.Context, read func(*state.Snapshot) error) error {
	select {
	case p.surveying <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.surveying }()
	p.freshen()
	for i := range p.slots {
		if p.slots[i].db == nil {
			continue // it could not be opened; its status says so
		}
		err := p.read(i, func(s *state.Snapshot, _ inventory.Position) (bool, error) {
			return true, read(s)
		})
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
