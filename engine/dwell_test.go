package engine_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// TestEveryClassDwells: under a policy that lets exceptions stand for ten days at least, what ends in docs/detectors.md ends then, be it of a
// key, a reference, a channel or a location; what came back meanwhile is no second one.
func TestEveryClassDwells(t *testing.T) {
	const dwell = 10 * inventory.Day
	text, err := os.ReadFile("../docs/detectors.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[inventory.Class]policy.Rule{}
	for _, class := range inventory.Classes() {
		rule := policy.Default().Rule(class)
		rule.Dwell = dwell
		rules[class] = rule
	}
	patient := policy.New("patient", rules)
	for class, body := range sections(string(text)) {
		deltas, _, ok := fenced(body, "json")
		if !ok {
			continue
		}
		t.Run(class, func(t *testing.T) {
			// Far on, all that ends by itself has ended, too.
			later := `{"id":"later","source":"clock","kind":"tick","time":"2027-06-01T00:00:00Z"}`
			plain := open(t, partition{})
			plain.applyLines(t, deltas+later)
			patiently := open(t, partition{config: engine.Config{Policy: patient}})
			patiently.applyLines(t, deltas+later)
			sameText(t, "what stands in the end", standingLines(t, patiently, dwell), standingLines(t, plain, 0))
		})
	}
}

// standingLines are the exceptions that stand in the end. None of one scope began while another stood, and none ended before it had stood for so
// long.
func standingLines(t *testing.T, p *partition, dwell inventory.Millis) string {
	t.Helper()
	stands := map[string]inventory.Exception{}
	for _, o := range p.said {
		x := o.Exception
		if x == nil {
			continue
		}
		scope := fmt.Sprintf("%s of %s at %s on %s, %v %v", x.Class, x.SKU, x.Location, x.Channels, x.Evidence["ref"], x.Evidence["source"])
		before, stood := stands[scope]
		switch {
		case stood && before.ID != x.ID:
			t.Errorf("%s began twice", scope)
		case x.Status != inventory.Resolved:
			stands[scope] = *x
		default:
			if x.UpdatedAt < x.OpenedAt+dwell {
				t.Errorf("%s stood for %v", scope, (x.UpdatedAt - x.OpenedAt).Time().Sub(inventory.Millis(0).Time()))
			}
			delete(stands, scope)
		}
	}
	var lines []string
	for scope := range stands {
		lines = append(lines, scope)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
