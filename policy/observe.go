package policy

import "github.com/holdfast-atp/holdfast/inventory"

// Observing returns p with every class observed only: exceptions open and close as under p, and nothing is
// ever held.
func (p *Policy) Observing() *Policy {
	observing := &Policy{
		Version: p.Version + "-observing", rules: map[inventory.Class]Rule{},
		ExceptionsPerSecond: p.ExceptionsPerSecond, ExceptionsAtOnce: p.ExceptionsAtOnce,
	}
	for class, rule := range p.rules {
		rule.Autonomy = Observe
		observing.rules[class] = rule
	}
	return observing
}
