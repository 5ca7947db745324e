package policy

import "github.com/holdfast-atp/holdfast/inventory"

// Autonomy is how far holdfast goes by itself when an exception opens.
type Autonomy uint8

// The levels of autonomy.
const (
	Observe   Autonomy = iota // note it; no command
	Recommend                 // await a person's approval before any command
	Automate                  // command at once
)

// Status returns the status in which an exception opens under a.
func (a Autonomy) Status() inventory.Status {
	switch a {
	case Recommend:
		return inventory.AwaitingApproval
	case Automate:
		return inventory.Acting
	}
	return inventory.Open
}

// Rule is the policy for one class of exceptions.
type Rule struct {
	Autonomy Autonomy
	Owner    string           // the role that answers for it
	SLA      inventory.Millis // by when the owner should have dealt with it, from its opening
	Expiry   inventory.Millis // how long a command stands unless renewed, in event time
	Raise    float64          // probability at which it is raised, where the class has one
	Clear    float64          // probability at which it is cleared, below Raise
}

// RenewAfter returns how long after a command it is renewed if its exception
// still stands: early enough that no subscriber sees it lapse.
func (r *Rule) RenewAfter() inventory.Millis { return r.Expiry - r.Expiry/4 }

// Policy is the rules in force.
type Policy struct {
	Version string
	rules   map[inventory.Class]Rule
}

// Rule returns the rule for class; for a class without one, to observe.
func (p *Policy) Rule(class inventory.Class) Rule {
	if r, ok := p.rules[class]; ok {
		return r
	}
	return Rule{Owner: "inventory-control", SLA: inventory.Day, Expiry: 7 * inventory.Day, Raise: 1}
}

// New returns a policy of those rules; a class without one is observed.
func New(version string, rules map[inventory.Class]Rule) *Policy { return &Policy{version, rules} }

// Default returns the policy of a careful retailer: hold what is oversold at once; hold
// what is four to one a phantom, since a cancellation costs about four margins; and leave the count to people.
func Default() *Policy {
	return New("builtin-1", map[inventory.Class]Rule{
		inventory.Oversell: {
			Autonomy: Automate, Owner: "channel-operations",
			SLA: inventory.Hour, Expiry: 7 * inventory.Day,
		},
		inventory.PhantomInventory: {
			Autonomy: Automate, Owner: "store-operations",
			SLA: inventory.Day, Expiry: 7 * inventory.Day,
			Raise: 0.8, Clear: 0.4,
		},
		inventory.StockMismatch:      {Owner: "inventory-control", SLA: inventory.Day, Expiry: 7 * inventory.Day},
		inventory.StaleListing:       {Autonomy: Recommend, Owner: "channel-operations", SLA: 2 * inventory.Hour, Expiry: 7 * inventory.Day},
		inventory.ReceiptDiscrepancy: {Owner: "receiving", SLA: 2 * inventory.Day, Expiry: 7 * inventory.Day},
		inventory.TransferDelay:      {Owner: "logistics", SLA: inventory.Day, Expiry: 7 * inventory.Day},
	})
}
