package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TextBytesMax bounds a document, which goes whole through the log of each partition.
const TextBytesMax = 256 << 10

// problemsMax is how many mistakes of a document are said at once.
const problemsMax = 20

//go:embed default.yaml
var defaultText string

// Default returns the policy that holdfast ships with, see default.yaml.
func Default() *Policy {
	p, err := Parse(defaultText)
	if err != nil {
		panic(fmt.Sprintf("the policy that is built in: %v", err)) // a test parses it
	}
	return p
}

// Problem is a mistake in a document.
type Problem struct {
	Line   int    `json:"line"`   // 0: not known
	Detail string `json:"detail"` // what is wrong, and what to do
}

// Problems are all mistakes of a document that were found.
type Problems []Problem

// Error lists them, one a line, each with its line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Detail
		if p[i].Line > 0 {
			lines[i] = fmt.Sprintf("line %d: %s", p[i].Line, p[i].Detail)
		}
	}
	return strings.Join(lines, "\n")
}

// Parse reads a policy from YAML. Its error is [Problems].
func Parse(text string) (*Policy, error) {
	if len(text) > TextBytesMax {
		return nil, Problems{{0, fmt.Sprintf("%d bytes; a policy has %d at most", len(text), TextBytesMax)}}
	}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, Problems{{0, "it is empty; begin with name: and classes:"}}
		}
		return nil, Problems{{0, strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, Problems{{0, "it holds more than one YAML document; one policy belongs there"}}
	}
	r := &reader{}
	p := &Policy{Text: text, rules: map[inventory.Class]Rule{}, guards: usualGuards()}
	r.policy(document.Content[0], p)
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, r.problems[:min(len(r.problems), problemsMax)]
	}
	return p, nil
}

// version is a name and the beginning of a hash of the text that it is for.
func version(name, text string) string {
	sum := sha256.Sum256([]byte(text))
	return name + "@" + hex.EncodeToString(sum[:6])
}

func (r *reader) policy(n *yaml.Node, p *Policy) {
	name := ""
	var overrides *yaml.Node // they are read once the classes are known
	r.mapping(n, "the policy", fields{
		"name": func(v *yaml.Node) { name = r.name(v, "name") },
		"classes": func(v *yaml.Node) {
			r.named(v, "classes", func(key, v *yaml.Node) {
				if class, ok := r.class(key); ok {
					p.rules[class] = r.rule(v, class)
				}
			})
		},
		"overrides":             func(v *yaml.Node) { overrides = v },
		"guards":                func(v *yaml.Node) { p.guards = r.guards(v) },
		"exceptions_per_second": func(v *yaml.Node) { p.ExceptionsPerSecond = r.whole(v, "exceptions_per_second", 1, ExceptionsMax) },
		"next_window": func(v *yaml.Node) {
			p.NextWindow = r.duration(v, "next_window", NextWindowLeast)
			if p.NextWindow > NextWindowMost {
				r.fail(v, "next_window: %s is too far ahead; 7d at most", v.Value)
			}
		},
		"exceptions_at_once": func(v *yaml.Node) { p.ExceptionsAtOnce = r.whole(v, "exceptions_at_once", 1, ExceptionsMax) },
	})
	if overrides != nil {
		r.list(overrides, "overrides", func(v *yaml.Node) { p.overrides = append(p.overrides, r.override(v, p)) })
	}
	if name == "" && len(r.problems) == 0 {
		r.fail(n, "name is needed: it stands in every command that the policy lets out")
	}
	p.fill()
	p.Version = version(name, p.Text)
}

func (r *reader) class(n *yaml.Node) (inventory.Class, bool) {
	class := inventory.Class(n.Value)
	if n.Kind != yaml.ScalarNode || !slices.Contains(inventory.Classes(), class) {
		r.fail(n, "there is no class %q; there are %s", n.Value, words(inventory.Classes()))
		return class, false
	}
	return class, true
}

// rule reads the rule of a class. What it does not say is as in the rule of a class that is not named.
func (r *reader) rule(n *yaml.Node, class inventory.Class) Rule {
	rule := fallback()
	c := r.change(n, "a class", []inventory.Class{class})
	c.apply(&rule)
	switch {
	case c.raise != nil && c.clear == nil:
		rule.Clear = *c.raise / 2
	case c.raise == nil && c.clear != nil:
		r.fail(n, "clear without raise: say at which probability it opens, too")
	}
	if rule.Raise > 0 && rule.Clear >= rule.Raise {
		r.fail(n, "clear %g is not below raise %g: what opens would end at once", rule.Clear, rule.Raise)
	}
	return rule
}

// change reads what a rule says, or an override sets, of some classes; none: of all.
func (r *reader) change(n *yaml.Node, of string, classes []inventory.Class) (c change) {
	span := func(to **inventory.Millis, name string, least inventory.Millis) func(*yaml.Node) {
		return func(v *yaml.Node) { *to = new(r.duration(v, name, least)) }
	}
	share := func(to **float64, name string) func(*yaml.Node) {
		return func(v *yaml.Node) { *to = new(r.share(v, name)) }
	}
	var cost *yaml.Node
	r.mapping(n, of, fields{
		"autonomy": func(v *yaml.Node) { c.autonomy = new(r.autonomy(v)) },
		"owner":    func(v *yaml.Node) { c.owner = new(r.name(v, "owner")) },
		"sla":      span(&c.sla, "sla", inventory.Minute),
		"expiry":   span(&c.expiry, "expiry", inventory.Minute),
		"dwell":    span(&c.dwell, "dwell", 0),
		"raise":    share(&c.raise, "raise"),
		"clear":    share(&c.clear, "clear"),
		"cost":     func(v *yaml.Node) { cost = v },
		"thresholds": func(v *yaml.Node) {
			if len(classes) != 1 {
				r.fail(v, "thresholds are those of a class: an override that sets them names one, as in class: demand_spike")
				return
			}
			c.settings = r.settings(v, classes[0])
		},
	})
	if cost != nil {
		if c.raise != nil {
			r.fail(cost, "raise and cost are two ways to say one thing: leave one of them out")
		}
		c.raise = new(r.cost(cost))
	}
	return c
}

// cost reads what a hold on stock that is there costs, and what a cancellation does, and returns the probability from
// which a hold is worth it: m/(m + C), DOMAIN's rule.
func (r *reader) cost(n *yaml.Node) float64 {
	var margin, cancellation float64
	r.mapping(n, "cost", fields{
		"margin":       func(v *yaml.Node) { margin = r.number(v, "margin", 0, 1e9) },
		"cancellation": func(v *yaml.Node) { cancellation = r.number(v, "cancellation", 0, 1e9) },
	})
	if margin <= 0 || cancellation <= 0 {
		r.fail(n, "cost needs margin and cancellation, both above 0")
		return 1
	}
	return margin / (margin + cancellation)
}

func (r *reader) override(n *yaml.Node, p *Policy) (o override) {
	var when, sets *yaml.Node // what it sets is read once its classes are known
	var classes []inventory.Class
	names := func(to *matcher, name string) func(*yaml.Node) {
		return func(v *yaml.Node) { *to = newMatcher(r.names(v, name)) }
	}
	r.mapping(n, "an override", fields{
		"class": func(v *yaml.Node) {
			o.classes = map[inventory.Class]bool{}
			r.oneOrMany(v, "class", func(v *yaml.Node) {
				if class, ok := r.class(v); ok {
					o.classes[class] = true
					classes = append(classes, class)
				}
			})
		},
		"channel":  names(&o.channel, "channel"),
		"location": names(&o.where, "location"),
		"sku":      names(&o.sku, "sku"),
		"category": names(&o.category, "category"),
		"region":   names(&o.region, "region"),
		"when":     func(v *yaml.Node) { when = v },
		"set":      func(v *yaml.Node) { sets = v },
	})
	if sets != nil {
		o.change = r.change(sets, "set", classes)
	} else {
		r.fail(n, "an override needs set: what it changes where it matches")
	}
	if when != nil {
		var err error
		if o.when, err = compile(when.Value); err != nil {
			r.fail(when, "when: %v", err)
		} else if o.static = isStatic(o.when); !o.static && o.change.static() {
			r.fail(when, "an override with a condition on an exception may set autonomy, owner and sla: raise, clear, cost, thresholds, expiry and dwell are asked for where there is no exception, so their conditions may ask for %s alone",
				strings.Join(ofPlaces, ", "))
		}
	}
	r.thresholds(n, &o, p)
	return o
}

// thresholds wants what an override makes of each class's thresholds to be in order.
func (r *reader) thresholds(n *yaml.Node, o *override, p *Policy) {
	if !o.change.threshold() {
		return
	}
	if !o.channel.any() && o.change.alarm() {
		r.fail(n, "raise, clear and cost are of a location's stock: an override by channel can't set them")
	}
	for class := range o.classes {
		if !o.channel.any() && o.change.settings != (settings{}) && !slices.Contains(byChannel, class) {
			r.fail(n, "%s is of a location's stock: an override by channel can set thresholds of %s alone", class, words(byChannel))
		}
	}
	for _, class := range inventory.Classes() {
		if len(o.classes) > 0 && !o.classes[class] {
			continue
		}
		rule, named := p.rules[class]
		if !named {
			continue
		}
		if o.change.apply(&rule); rule.Raise > 0 && rule.Clear >= rule.Raise {
			r.fail(n, "%s would open at %g and end at %g: set raise and clear together", class, rule.Raise, rule.Clear)
		}
	}
}
