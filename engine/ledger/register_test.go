package ledger

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTheLatestSets: whatever order what sets registers arrives in, ids and sources of any length among them, each
// holds what is greatest by time and id, and what is stored of who set it is enough to say so.
func TestTheLatestSets(t *testing.T) {
	kinds := []inventory.Kind{inventory.Count, inventory.Safety, inventory.Listing, inventory.Allocate}
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		latest := map[string]inventory.Delta{}
		horizon := inventory.Millis(0)
		for range rapid.IntRange(1, 60).Draw(t, "deltas") {
			d := inventory.Delta{
				Kind:     rapid.SampledFrom(kinds).Draw(t, "kind"),
				Quantity: rapid.Int64Range(0, 9).Draw(t, "quantity"),
				Time:     gen.Start + max(horizon-gen.Start, inventory.Millis(rapid.Int64Range(0, 4).Draw(t, "time"))),
				ID:       rapid.StringMatching("[ab]{1,3}").Draw(t, "id"),
				Source:   rapid.StringMatching("[ab]{1,3}").Draw(t, "source"),
			}
			register := d.Kind.String()
			if d.Kind == inventory.Listing || d.Kind == inventory.Allocate {
				d.Channel = rapid.SampledFrom([]string{"web", "amazon"}).Draw(t, "channel")
				register += " of " + d.Channel
			}
			if before := latest[register]; cmp.Or(
				cmp.Compare(before.Time, d.Time), cmp.Compare(len(before.ID), len(d.ID)),
				strings.Compare(before.ID, d.ID), strings.Compare(before.Source, d.Source)) < 0 {
				latest[register] = d
			}
			if err := l.Apply(&d, nil); err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 9).Draw(t, "time moves on") == 0 {
				horizon = max(horizon, gen.Start+inventory.Millis(rapid.Int64Range(0, 4).Draw(t, "to")))
				if _, _, err := l.ClosePage(horizon); err != nil {
					t.Fatal(err)
				}
			}
			trim(&l)
			back := &Ledger{}
			roundTrip(t, &l, back)
			l = *back
		}
		for i := 0; l.register(i) != nil; i++ {
			r, name := l.register(i), []string{"count", "safety"}
			for _, c := range l.Channels {
				name = append(name, "listing of "+c.Name, "allocate of "+c.Name)
			}
			want := latest[name[i]]
			from, to := l.setter(r)
			if by := string(l.setters[from:to]); r.Value != want.Quantity || r.Time != want.Time || by != want.ID+want.Source && (by != "" || r.Time >= horizon) {
				t.Fatalf("%s is %+v, set by %q; want %+v", name[i], *r, by, want)
			}
		}
	})
}

// TestSettersAreForgotten once nothing can come any more that has to be told from them.
func TestSettersAreForgotten(t *testing.T) {
	var l Ledger
	for i, kind := range []inventory.Kind{inventory.Count, inventory.Safety, inventory.Listing, inventory.Allocate} {
		d := inventory.Delta{Kind: kind, ID: fmt.Sprint("d", i), Source: "pos", Channel: "web", Time: gen.Start + inventory.Millis(i)}
		if err := l.Apply(&d, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"d0posd1posd2posd3pos", "d1posd2posd3pos", "d2posd3pos", "d3pos", ""} {
		if _, _, err := l.ClosePage(gen.Start + inventory.Millis(i)); err != nil {
			t.Fatal(err)
		}
		if string(l.setters) != want {
			t.Errorf("with a horizon of %v setters are %q, want %q", gen.Start+inventory.Millis(i), l.setters, want)
		}
	}
}

// TestWhatRepeatsAllocatesNothing: a ledger that knows its channels takes what comes to them in the memory that it
// has, but for the pages that it gives away.
func TestWhatRepeatsAllocatesNothing(t *testing.T) {
	var l Ledger
	n := 0
	deltas := []inventory.Delta{
		{Kind: inventory.Sale, Quantity: 1, Channel: "web"}, {Kind: inventory.Listing, Quantity: 7, Channel: "web"},
		{Kind: inventory.Allocate, Quantity: 5, Channel: "web"}, {Kind: inventory.Safety, Quantity: 2}, {Kind: inventory.Count, Quantity: 9},
	}
	ids := [...]string{"d1", "d2"}
	history := func(inventory.Millis, func(Move)) error { return nil }
	var coded []byte
	round := func() {
		n++
		now := gen.Start + inventory.Millis(n)*inventory.Minute
		for i := range deltas {
			d := &deltas[i]
			d.ID, d.Source, d.Time = ids[n%len(ids)], "pos", now
			if err := l.Apply(d, history); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := l.ClosePage(now); err != nil {
			t.Fatal(err)
		}
		coded = l.Append(coded[:0])
	}
	for range 10 * PageMoves {
		round()
	}
	if got := testing.AllocsPerRun(10*PageMoves, round); got != 0 {
		t.Errorf("%v allocations a round, want none", got)
	}
}
