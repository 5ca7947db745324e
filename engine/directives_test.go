package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestHoldsAreRenewedWhileTheyStand: a hold is said again, under a new revision, before it lapses; a
// release ends that.
func TestHoldsAreRenewedWhileTheyStand(t *testing.T) {
	p := tell(t, `
		0 sale 1
		0 sale 1 at=york
		0..720/6 tick
		600 receipt 3 ref=po
		600 receipt 3 at=york ref=po`, 0)
	last := map[string]*inventory.Command{}
	renewed := map[string]int{}
	for _, o := range p.said {
		switch {
		case o.Command != nil:
			c := o.Command
			before := last[c.Location]
			last[c.Location] = c
			if before == nil {
				if c.Revision != 1 || c.Action != inventory.Hold {
					t.Errorf("%s: first a %s of revision %d", c.Location, c.Action, c.Revision)
				}
				continue
			}
			if c.Revision != before.Revision+1 || before.Action != inventory.Hold {
				t.Errorf("%s: after a %s of revision %d comes revision %d", c.Location, before.Action, before.Revision, c.Revision)
			}
			if c.EventTime >= before.ExpiresAt {
				t.Errorf("%s: the hold of %v lapsed at %v, the next command came at %v", c.Location, before.EventTime, before.ExpiresAt, c.EventTime)
			}
			if c.Exception != before.Exception {
				t.Errorf("%s: the hold stood for %s, now %s", c.Location, before.Exception, c.Exception)
			}
			if c.Action == inventory.Hold {
				renewed[c.Location]++
			}
		case o.Decision != nil && o.Decision.Decision == "renew":
			if d := o.Decision; len(d.Commands) != 1 || d.Commands[0] != last[d.Location].ID {
				t.Errorf("%s: renewing gave commands %v, want %s", d.Location, d.Commands, last[d.Location].ID)
			}
		}
	}
	for _, location := range []string{"leeds", "york", inventory.Network} {
		if c := last[location]; c == nil || c.Action != inventory.Unhold || renewed[location] != 4 {
			t.Errorf("%s: renewed %d times, and the last word is %+v; want 4 times in 600 hours, then a release", location, renewed[location], c)
		}
	}
	if got := p.engine.Standing(); got != (engine.Standing{}) {
		t.Errorf("after all was released %+v stands", got)
	}
}

// TestARenewalNamesTheExceptionThatStands: the hold began for one exception that has ended since.
func TestARenewalNamesTheExceptionThatStands(t *testing.T) {
	p := tell(t, fiveWeeks+`
		840..1100/1 tick
		950 reserve 600 ref=r
		951 count 400`, 830)
	var said []string
	for _, o := range p.said {
		if c := o.Command; c != nil && c.SKU == "tea" {
			said = append(said, fmt.Sprintf("%s %d for %s", c.Action, c.Revision, c.Class))
		}
	}
	sameText(t, "commands", strings.Join(said, "\n"), strings.Join([]string{
		"hold 1 for phantom_inventory",
		"hold 2 for oversell",
	}, "\n"))
}

// TestEndedExceptionsAreForgotten: thirty days after its end an exception can no longer be looked up.
func TestEndedExceptionsAreForgotten(t *testing.T) {
	ended := "\n0 sale 1\n1 receipt 2 ref=po\n"
	id := ""
	for _, o := range tell(t, ended, 0).said {
		if o.Exception != nil {
			id = o.Exception.ID
		}
	}
	for _, c := range []struct {
		hour  int
		found bool
	}{{1 + 30*24 - 1, true}, {1 + 30*24, false}} {
		p := tell(t, ended+fmt.Sprint(c.hour, " tick"), 0)
		x, found, err := engine.ReadException(p.store, id)
		if err != nil || found != c.found || found && x.Status != inventory.Resolved {
			t.Errorf("at hour %d: found %v (%s), %v; want %v", c.hour, found, x.Status, err, c.found)
		}
		listed := 0
		if err := engine.ReadExceptions(p.store, "", func(engine.Rank, *inventory.Exception) bool { listed++; return true }); err != nil {
			t.Fatal(err)
		}
		if (listed == 1) != c.found {
			t.Errorf("at hour %d: %d listed, want it found: %v", c.hour, listed, c.found)
		}
		if left := strings.Contains(p.store.Dump(), id) && !c.found; left {
			t.Errorf("at hour %d something of %s is left in the store:\n%s", c.hour, id, p.store.Dump())
		}
	}
}

// TestExceptionsAreListedInPages: worst first, and a reader goes on where it stopped.
func TestExceptionsAreListedInPages(t *testing.T) {
	var table strings.Builder
	for i := range 600 {
		fmt.Fprintf(&table, "1 sale %d sku=s%03d\n", 1+i%7, i)
	}
	table.WriteString("2 receipt 9 sku=s006 ref=po\n")
	p := tell(t, table.String(), 2)
	var after engine.Rank
	var listed []inventory.Exception
	for more := true; more; {
		n := 0
		err := engine.ReadExceptions(p.store, after, func(rank engine.Rank, x *inventory.Exception) bool {
			after = rank
			listed = append(listed, *x)
			n++
			return n < 250
		})
		if err != nil {
			t.Fatal(err)
		}
		more = n == 250
	}
	if len(listed) != 600 {
		t.Fatalf("%d exceptions in pages of 250, want 600", len(listed))
	}
	for i := range listed[:599] {
		x, y := &listed[i], &listed[i+1]
		if x.Status == inventory.Resolved || y.Status != inventory.Resolved && x.Exposure < y.Exposure {
			t.Fatalf("place %d: %s with %d at risk (%s) stands before %s with %d (%s)", i, x.ID, x.Exposure, x.Status, y.ID, y.Exposure, y.Status)
		}
	}
	if x := &listed[599]; x.SKU != "s006" || x.Status != inventory.Resolved {
		t.Errorf("last comes %s (%s), want what ended", x.SKU, x.Status)
	}
}

// TestAGapIsRenewedOnce: where event time jumps over months, one renewal stands for those
// that would all have lapsed by then.
func TestAGapIsRenewedOnce(t *testing.T) {
	var holds []inventory.Millis
	for _, o := range tell(t, "0 sale 1\n9000 tick\n", 0).said {
		if c := o.Command; c != nil && c.Action == inventory.Hold {
			holds = append(holds, c.ExpiresAt)
		}
	}
	if len(holds) != 2 || holds[1]-holds[0] != 9000*inventory.Hour {
		t.Errorf("holds that expire at %v; want one, and one 9000 hours later", holds)
	}
}
