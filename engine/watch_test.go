package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestDetectorsEqualModels: after each delta the exceptions of a class that stand, and since when, are those of a model that works
// everything out anew.
func TestDetectorsEqualModels(t *testing.T) {
	for _, class := range inventory.Classes() {
		if _, ok := oracle.NewWatch(oracle.Config{}, class); !ok {
			continue
		}
		t.Run(string(class), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { equalsModel(t, class) })
		})
	}
}

func equalsModel(t *rapid.T, class inventory.Class) {
	config := limited(t, drawnConfig(t))
	log := gen.Log(gen.Shape{DeltasMax: 40, Lateness: config.Lateness, Of: class}).Draw(t, "log")
	p := open(t, partition{config: config, only: class})
	model, _ := oracle.NewWatch(oracleConfig(config), class)
	standing := map[string]oracle.Exception{}
	p.logTime = 1
	heard := 0
	for i, d := range log {
		p.logTime = logTime(t, p.logTime, &d, config.AheadMax)
		got := p.take(t, gen.Message{d})[0]
		outcome, why := model.Apply(d, p.logTime)
		where := fmt.Sprintf("delta %d, a %s %q: ", i, d.Kind, d.ID)
		sameText(t, where+"outcomes", judged(got.Outcome.String(), got.Invalid), judged(outcome.String(), why))
		for _, o := range p.said[heard:] {
			if x := o.Exception; x != nil {
				if x.Status == inventory.Resolved {
					delete(standing, x.ID)
				} else {
					standing[x.ID] = asModel(x)
				}
			}
		}
		heard = len(p.said)
		var lines []string
		for _, x := range standing {
			lines = append(lines, fmt.Sprintf("%+v", x))
		}
		slices.Sort(lines)
		var want []string
		for _, x := range model.Open() {
			want = append(want, fmt.Sprintf("%+v", x))
		}
		slices.Sort(want)
		sameText(t, where+"exceptions that stand", strings.Join(lines, "\n"), strings.Join(want, "\n"))
		if i%7 == 0 {
			p.commit(t)
		}
	}
}

// asModel is what a model can say of an exception.
func asModel(x *inventory.Exception) oracle.Exception {
	m := oracle.Exception{SKU: x.SKU, Location: x.Location, Opened: x.OpenedAt}
	for _, name := range []string{"ref", "source"} {
		if of, ok := x.Evidence[name].(string); ok {
			m.Of = of
		}
	}
	if channel, ok := x.Evidence["channel"].(string); ok {
		m.Channel = channel
	}
	return m
}
