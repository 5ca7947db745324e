package stream

import (
	"context"
	"fmt"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Decide puts a person's decision into the log of the exception's partition, waits until that has applied and
// committed it, and returns the exception as it stands then; done says whether the decision changed it: if not, its status did
// not fit any more. m.Decision names the exception. ErrNotFound where there is none of that id.
func (p *Processor) Decide(ctx context.Context, m *control.Message) (x inventory.Exception, done bool, err error) {
	if x, err = p.Exception(m.Decision.Exception); err != nil {
		return x, false, err
	}
	if control.Unfit(m.Decision.Action, x.Status) != "" {
		return x, false, nil
	}
	partition := x.Cause.Partition
	text, err := control.Encode(m)
	if err != nil {
		return x, false, err
	}
	ack, err := p.js.Publish(ctx, p.config.Topology.ControlSubject(partition), text)
	if err != nil {
		return x, false, fmt.Errorf("store a decision in the log of partition %d: %w", partition, err)
	}
	if err := p.WaitPosition(ctx, partition, ack.Sequence); err != nil {
		return x, false, err
	}
	if x, err = p.Exception(x.ID); err != nil {
		return x, false, err
	}
	for i := range x.History {
		done = done || x.History[i].Decision == m.ID
	}
	return x, done, nil
}
