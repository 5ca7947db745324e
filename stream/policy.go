package stream

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/state"
)

// Policies returns the policy in force in each partition as of its last commit, by number; nil where it could not be opened.
func (p *Processor) Policies() ([]*policy.Policy, error) {
	p.freshen()
	all := make([]*policy.Policy, len(p.slots))
	for i := range p.slots {
		if p.slots[i].db == nil {
			continue
		}
		err := p.read(i, func(s *state.Snapshot, _ inventory.Position) (_ bool, err error) {
			all[i], err = engine.ReadPolicy(s)
			return true, err
		})
		if err != nil {
			return nil, err
		}
		if all[i] == nil {
			all[i] = p.config.Policy
		}
		if all[i] == nil {
			all[i] = policy.Default()
		}
	}
	return all, nil
}

// SetPolicy lets a policy take effect in each partition where another is in force, through its log, and returns in how many that
// was once all of them have committed it. Before that it waits until they have applied what their logs hold: the policy that
// they come to may be in there.
func (p *Processor) SetPolicy(ctx context.Context, by string, next *policy.Policy) (changed int, err error) {
	if err := p.CatchUp(ctx); err != nil {
		return 0, err
	}
	inForce, err := p.Policies()
	if err != nil {
		return 0, err
	}
	m := control.Message{ID: rand.Text(), By: by, Policy: next.Text}
	text, err := control.Encode(&m)
	if err != nil {
		return 0, err
	}
	sequences := make([]uint64, len(inForce)) // 0: nothing was sent
	for i, now := range inForce {
		if now == nil || now.Version == next.Version {
			continue
		}
		ack, err := p.js.Publish(ctx, p.config.Topology.ControlSubject(i), text)
		if err != nil {
			return changed, fmt.Errorf("store the policy in the log of partition %d: %w", i, err)
		}
		sequences[i] = ack.Sequence
		changed++
	}
	for i, sequence := range sequences {
		if sequence == 0 {
			continue
		}
		if err := p.WaitPosition(ctx, i, sequence); err != nil {
			return changed, fmt.Errorf("partition %d: %w", i, err)
		}
	}
	return changed, nil
}
