package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// advised plays a table and returns what the last exception that opened recommends, a line each; times are hours.
func advised(t *testing.T, table string) string {
	t.Helper()
	p := tellUnder(t, engine.Config{}, table, 0)
	var lines []string
	for _, o := range p.said {
		x := o.Exception
		if x == nil || len(x.History) != 1 {
			continue
		}
		lines = nil
		for _, r := range x.Recommendations {
			line := r.Action
			if r.Quantity > 0 {
				line += fmt.Sprintf(" %d", r.Quantity)
			}
			if r.From != "" {
				line += " from " + r.From
			}
			if r.By != 0 {
				line += fmt.Sprintf(" by %g", float64(r.By-gen.Start)/float64(inventory.Hour))
			}
			if r.Confidence > 0.9 {
				line += ", sure"
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// TestWhatIsShortComesFromWhoCanSpareIt: with what a location will be asked for itself left to it, from those that can spare most, and
// never from one that has troubles of its own. What nobody can spare is to be replenished.
func TestWhatIsShortComesFromWhoCanSpareIt(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"one has enough": {`
			0 count 10 at=york
			0 count 50 at=hull
			1 sale 3`, "hold\ntransfer 3 from hull by 2, sure\ncount"},
		"two together, and the rest anew": {`
			0 count 5 at=york
			0 count 7 at=hull
			0 count 1
			1 allocate 2 at=hull channel=store
			2 reserve 13 ref=o
			2.5 tick`, "hold\ntransfer 7 from hull by 3, sure\ntransfer 5 from york by 3, sure\ncount"},
		"one that will sell what it has keeps it": {`
			0..600/6 sale 1 at=york
			600 count 30 at=york
			600 count 20 at=hull
			601 sale 4`, "hold\ntransfer 4 from hull by 602, sure\ncount"},
		"one that is in doubt gives nothing": {`
			0 count 100 at=york
			0 snapshot 50 at=york source=erp
			0.5 tick
			0.5 count 2 at=hull
			1 sale 3`, "hold\ntransfer 2 from hull by 2, sure\nreplenish 1 by 2\ncount"},
	} {
		t.Run(name, func(t *testing.T) { sameText(t, "advice", advised(t, c.table), c.want) })
	}
}

// TestOfManyLocationsThoseWithMostAreAsked: however many there are.
func TestOfManyLocationsThoseWithMostAreAsked(t *testing.T) {
	var table strings.Builder
	for i := range 40 {
		fmt.Fprintf(&table, "0 count %d at=store-%02d\n", 10+i*7%40, i)
	}
	sameText(t, "advice", advised(t, table.String()+"1 sale 60"), "hold\ntransfer 49 from store-17 by 2, sure\ntransfer 11 from store-34 by 2, sure\ncount")
}
