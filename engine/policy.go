package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// adopt lets a policy take effect. What stands stays as it is: the policy is asked at the next opening, end, command or look.
func (e *Engine) adopt(p *policy.Policy) {
	e.policy = p
	e.limits = limitsOf(p)
	e.asksMaster = p.UsesMaster()
}

// setPolicy lets the policy of a message take effect, keeps it with the state, and says so in the audit trail.
func (e *Engine) setPolicy(m *control.Message, p *policy.Policy) {
	before := e.policy.Version
	if !e.config.PolicyFixed {
		e.adopt(p)
		e.writes = append(e.writes, write{
			key:   []byte{keyPolicy},
			value: append(wire.AppendUint(nil, formatPolicy), p.Text...),
		})
	}
	e.say(Output{Decision: &inventory.Decision{
		ID:        e.nextID("a"),
		Decision:  "policy",
		Commands:  []string{},
		Rule:      "a person sets the policy",
		Inputs:    map[string]any{"before": before, "policy": p.Version},
		Policy:    e.policy.Version,
		By:        m.By,
		EventTime: e.meta.watermark,
		IssuedAt:  e.logTime,
		Cause:     e.cause,
	}})
}

// ReadPolicy returns the policy that the log brought the partition in store, as of the last flush; nil where it brought none.
func ReadPolicy(store Store) (*policy.Policy, error) {
	coded, err := store.Get([]byte{keyPolicy})
	if err != nil || coded == nil {
		return nil, err
	}
	r := wire.NewReader(coded)
	r.Version(formatPolicy)
	text := string(r.Rest())
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the policy that is kept is none of this program's: %w", err)
	}
	return p, nil
}
