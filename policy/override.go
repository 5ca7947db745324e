package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/holdfast-atp/holdfast/inventory"
)

// override changes a rule where it matches.
type override struct {
	classes          map[inventory.Class]bool
	channel          matcher
	where            matcher // locations
	sku              matcher
	category, region matcher
	when             *vm.Program // nil: always
	static           bool        // it asks for what is known of a place, without an exception
	change           change
}

func (o *override) matches(class inventory.Class, at At) bool {
	return (len(o.classes) == 0 || o.classes[class]) && o.channel.match(at.Channel) && o.where.match(at.Location) && o.sku.match(at.SKU) &&
		o.category.match(at.Item.Category) && o.region.match(at.Region)
}

// holds reports whether the override's condition does. One that can't be worked out does not.
func (o *override) holds(f *Facts) bool {
	if o.when == nil {
		return true
	}
	got, err := expr.Run(o.when, *f)
	return err == nil && got == true
}

// matcher is a set of names, of which some end in * and stand for all that begin so. The empty one matches everything.
type matcher struct {
	names    map[string]bool
	prefixes []string
}

func (m *matcher) any() bool { return len(m.names) == 0 && len(m.prefixes) == 0 }

func (m *matcher) match(name string) bool {
	if m.any() || m.names[name] {
		return true
	}
	return slices.ContainsFunc(m.prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

func newMatcher(names []string) matcher {
	m := matcher{names: map[string]bool{}}
	for _, name := range names {
		// A * alone is the name of the whole network.
		if prefix, any := strings.CutSuffix(name, "*"); any && prefix != "" {
			m.prefixes = append(m.prefixes, prefix)
			continue
		}
		m.names[name] = true
	}
	return m
}

// change is what an override sets; nil leaves a field as it is.
type change struct {
	autonomy           *Autonomy
	owner              *string
	sla, expiry, dwell *inventory.Millis
	raise, clear       *float64
	settings           settings // 0: as it is
}

func (c *change) apply(r *Rule) {
	set(&r.Autonomy, c.autonomy)
	set(&r.Owner, c.owner)
	set(&r.SLA, c.sla)
	set(&r.Expiry, c.expiry)
	set(&r.Dwell, c.dwell)
	set(&r.Raise, c.raise)
	set(&r.Clear, c.clear)
	for i, x := range c.settings {
		if x != 0 {
			r.settings[i] = x
		}
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (c *change) threshold() bool { return c.alarm() || c.settings != settings{} }

// alarm reports whether c changes the probabilities at which a location's stock is in doubt.
func (c *change) alarm() bool { return c.raise != nil || c.clear != nil }

// static reports whether c changes what is asked for where there is no exception to know the facts of.
func (c *change) static() bool { return c.threshold() || c.expiry != nil || c.dwell != nil }

// Facts are what a condition may ask of an exception that opens.
type Facts struct {
	Class      inventory.Class `expr:"class"`
	SKU        string          `expr:"sku"`
	Location   string          `expr:"location"` // or "*"
	Channel    string          `expr:"channel"`
	Confidence float64         `expr:"confidence"`
	Exposure   int64           `expr:"exposure"` // minor units at risk
	Price      int64           `expr:"price"`    // minor units, 0: unknown
	Severity   string          `expr:"severity"`
	OnHand     int64           `expr:"on_hand"`
	ATP        int64           `expr:"atp"`
	NetworkATP int64           `expr:"network_atp"`
	Locations  int             `expr:"locations"` // of the SKU

	// Master data; zero where nothing is known.
	Category      string `expr:"category"`
	Region        string `expr:"region"`
	ListPrice     int64  `expr:"list_price"` // minor units
	Margin        int64  `expr:"margin"`     // minor units
	LeadHours     int64  `expr:"lead_hours"`
	Regulated     bool   `expr:"regulated"`
	LotControlled bool   `expr:"lot_controlled"`
}

// Know adds what is known of the SKU and the location.
func (f *Facts) Know(i inventory.Item, region string) {
	f.Category, f.Region = i.Category, region
	f.ListPrice, f.Margin, f.LeadHours, f.Regulated, f.LotControlled = i.Price, i.Margin, i.LeadHours, i.Regulated, i.LotControlled
}

func (f *Facts) item() inventory.Item {
	return inventory.Item{Category: f.Category, Price: f.ListPrice, Margin: f.Margin, LeadHours: f.LeadHours, Regulated: f.Regulated, LotControlled: f.LotControlled}
}

// facts are what is known of a place without an exception.
func (at *At) facts(class inventory.Class) *Facts {
	f := &Facts{Class: class, SKU: at.SKU, Location: at.Location, Channel: at.Channel}
	f.Know(at.Item, at.Region)
	return f
}

// ofPlaces are the facts that are known without an exception: what asks for no other can decide thresholds.
var ofPlaces = []string{"class", "sku", "location", "channel", "category", "region", "list_price", "margin", "lead_hours", "regulated", "lot_controlled"}

// names collects the names that a condition asks for.
type names []string

// Visit takes a node in.
func (n *names) Visit(node *ast.Node) {
	if name, is := (*node).(*ast.IdentifierNode); is {
		*n = append(*n, name.Value)
	}
}

// isStatic reports whether a condition asks for facts of places alone.
func isStatic(program *vm.Program) bool {
	node := program.Node()
	var asks names
	ast.Walk(&node, &asks)
	return !slices.ContainsFunc(asks, func(name string) bool { return !slices.Contains(ofPlaces, name) })
}

// conditionNodesMax bounds a condition: one that nobody can read decides nothing.
const conditionNodesMax = 200

// compile reads a condition. It may compare facts and use and, or, not, in, arithmetic, and the operators on text; no
// function is there to be called, so it always ends, soon, and says the same for the same facts.
func compile(text string) (*vm.Program, error) {
	program, err := expr.Compile(text, expr.Env(Facts{}), expr.AsBool(), expr.DisableAllBuiltins(), expr.MaxNodes(conditionNodesMax))
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("%s; it may compare %s, confidence, exposure, price, severity, on_hand, atp, network_atp and locations", first, strings.Join(ofPlaces, ", "))
	}
	return program, nil
}
