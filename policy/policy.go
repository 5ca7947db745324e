package policy

import (
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Autonomy is how far holdfast goes by itself when an exception opens. The less, the more careful.
type Autonomy uint8

// The levels of autonomy.
const (
	Observe   Autonomy = iota // note it; no command
	Recommend                 // await a person's approval before any command
	Automate                  // command at once
)

var autonomyNames = []string{Observe: "observe", Recommend: "recommend", Automate: "auto"}

// String returns "observe", "recommend" or "auto".
func (a Autonomy) String() string { return autonomyNames[a] }

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
	Dwell    inventory.Millis // how long it stands at least, in event time: what comes and goes does not flap
	Raise    float64          // probability at which it is raised, where the class has one
	Clear    float64          // probability at which it is cleared, below Raise

	settings settings // what else it sets of its class's thresholds
}

// RenewAfter returns how long after a command it is renewed if its exception
// still stands: early enough that no subscriber sees it lapse.
func (r *Rule) RenewAfter() inventory.Millis { return r.Expiry - r.Expiry/4 }

// Policy is the rules in force. It never changes.
type Policy struct {
	Version string // its name and a hash of its text
	Text    string // the document that it was read from; "" where it was made otherwise

	// ExceptionsPerSecond is how many exceptions a partition tells of as they open, by the log's clock, and ExceptionsAtOnce how many
	// after a quiet time. Those beyond are told of later; what is held for them is held at once. From 1 to ExceptionsMax.
	ExceptionsPerSecond, ExceptionsAtOnce int64

	// NextWindow is how far ahead the lists of what is at risk look, where nobody says, in event time: from NextWindowLeast to NextWindowMost.
	NextWindow inventory.Millis

	rules     map[inventory.Class]Rule
	overrides []override
	guards    Guards
}

// The defaults of how many exceptions are told of, which only what goes wrong comes to, and the most that either may be.
const (
	ExceptionsPerSecondDefault = 1000
	ExceptionsAtOnceDefault    = 10 // times as many as per second
	ExceptionsMax              = 1_000_000
)

// How far ahead lists of what is at risk look: by default, and within what bounds.
const (
	NextWindowDefault = 4 * inventory.Hour
	NextWindowLeast   = 15 * inventory.Minute
	NextWindowMost    = 7 * inventory.Day
)

// At is where an exception stands.
type At struct {
	SKU, Location, Channel string // Location is inventory.Network for the whole network; Channel is "" for all channels

	Item   inventory.Item // of the SKU; its zero value where nothing is known
	Region string         // of the location; "" where it is not known
}

// New returns a policy of those rules, without guards; a class without a rule is observed.
func New(version string, rules map[inventory.Class]Rule) *Policy {
	p := &Policy{Version: version, rules: rules}
	p.fill()
	return p
}

// fill fills in what is not said beside rules.
func (p *Policy) fill() {
	if p.NextWindow == 0 {
		p.NextWindow = NextWindowDefault
	}
	if p.ExceptionsPerSecond == 0 {
		p.ExceptionsPerSecond = ExceptionsPerSecondDefault
	}
	if p.ExceptionsAtOnce == 0 {
		p.ExceptionsAtOnce = min(ExceptionsAtOnceDefault*p.ExceptionsPerSecond, ExceptionsMax)
	}
}

// fallback is the rule of a class without one.
func fallback() Rule {
	return Rule{Owner: "inventory-control", SLA: inventory.Day, Expiry: 7 * inventory.Day, Raise: 1}
}

// Rule returns the rule for class where no override changes it; for a class without one, to observe.
func (p *Policy) Rule(class inventory.Class) Rule {
	if r, ok := p.rules[class]; ok {
		return r
	}
	return fallback()
}

// RuleAt returns the rule for class at a place: with what overrides change there, but for those that ask for facts of an
// exception beyond its place. Of several overrides the last one counts.
func (p *Policy) RuleAt(class inventory.Class, at At) Rule {
	r := p.Rule(class)
	for i := range p.overrides {
		if o := &p.overrides[i]; o.matches(class, at) && (o.when == nil || o.static && o.holds(at.facts(class))) {
			o.change.apply(&r)
		}
	}
	return r
}

// Varies reports whether any override changes the thresholds of class somewhere: if not, they are those of Rule.
func (p *Policy) Varies(class inventory.Class) bool {
	return slices.ContainsFunc(p.overrides, func(o override) bool {
		return o.change.threshold() && (len(o.classes) == 0 || o.classes[class])
	})
}

// VariesByChannel reports whether an override by channel changes any threshold.
func (p *Policy) VariesByChannel() bool {
	return slices.ContainsFunc(p.overrides, func(o override) bool { return o.change.threshold() && !o.channel.any() })
}

// UsesMaster reports whether any override asks for master data, without which At may be left without.
func (p *Policy) UsesMaster() bool {
	return slices.ContainsFunc(p.overrides, func(o override) bool { return !o.category.any() || !o.region.any() || o.when != nil })
}

// Opens returns the rule under which an exception opens. Where it concerns several channels, it is the most careful of theirs.
func (p *Policy) Opens(f *Facts, channels []string) Rule {
	if len(p.overrides) == 0 {
		return p.Rule(f.Class)
	}
	if len(channels) == 0 {
		return p.opens(f, "")
	}
	careful := p.opens(f, channels[0])
	for _, channel := range channels[1:] {
		if r := p.opens(f, channel); r.Autonomy < careful.Autonomy {
			careful = r
		}
	}
	return careful
}

func (p *Policy) opens(f *Facts, channel string) Rule {
	r := p.Rule(f.Class)
	at := At{f.SKU, f.Location, channel, f.item(), f.Region}
	facts := *f
	facts.Channel = channel
	for i := range p.overrides {
		if o := &p.overrides[i]; o.matches(f.Class, at) && o.holds(&facts) {
			o.change.apply(&r)
		}
	}
	return r
}
