package main

import (
	"encoding/json"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestAnExplanationIsReadable: what a person is shown of a hold, a person's decision, and what is not kept any more.
func TestAnExplanationIsReadable(t *testing.T) {
	figures := func(onHand int64, open, held []string) *inventory.Figures {
		return &inventory.Figures{
			Stock:   &inventory.StockFigures{Quantities: inventory.Quantities{OnHand: onHand}, ATP: onHand, PhantomProbability: 0.05},
			Network: inventory.NetworkFigures{Locations: 1, Sum: onHand, ATP: max(onHand, 0)}, Open: open, Held: held,
		}
	}
	cause := inventory.Cause{Partition: 2, Sequence: 1, Index: 1}
	hold := inventory.Explanation{
		Command: &inventory.Command{ID: "2-1-1-1", Action: inventory.Hold, Channel: "web", SKU: "mug-1", Location: "leeds", Revision: 1, Reason: "Too many are promised.", Autonomy: inventory.Auto, EventTime: 60_000, ExpiresAt: 120_000},
		Decision: &inventory.Decision{
			Decision: "open", Class: inventory.Oversell, SKU: "mug-1", Location: "leeds", Rule: "raise at ATP < 0", Policy: "builtin-1", EventTime: 60_000,
			Inputs: map[string]any{"on_hand": -1, "atp": -1}, Before: figures(2, nil, nil), After: figures(-1, []string{"x2-1-1-0"}, []string{"web"}),
		},
		Exception: &inventory.Exception{ID: "x2-1-1-0", Status: inventory.Acting, Owner: "ops", Exposure: 1200},
		Tipped:    inventory.Tipped{Cause: cause, StoredAt: 90_000, Delta: json.RawMessage(`{"id":"2","source":"web","sku":"mug-1","location":"leeds","kind":"sale","channel":"web","quantity":3,"time":60000}`)},
	}
	person := inventory.Explanation{
		Decision: &inventory.Decision{Decision: "approve", Class: inventory.Oversell, SKU: "mug-1", Location: inventory.Network, Reason: "Too many.", By: "kim", Refused: "it acts already", Rule: "a person decides", Policy: "p"},
		Tipped:   inventory.Tipped{Cause: cause, StoredAt: 90_000, Message: json.RawMessage(`{"id":"1","kind":"decision","exception":"x","action":"approve","by":"kim"}`)},
	}
	gone := inventory.Explanation{Command: hold.Command, Tipped: inventory.Tipped{Cause: cause, Gone: "the log let go of it"}}
	for _, c := range []struct {
		e    inventory.Explanation
		want string
	}{
		{hold, `command        hold mug-1 @ leeds on web → show 0, revision 1 (2-1-1-1)
               from 1970-01-01T00:01:00.000Z until 1970-01-01T00:02:00.000Z unless renewed
because        Too many are promised.
decision       open oversell of mug-1 @ leeds at 1970-01-01T00:01:00.000Z
tipped by      sale of 3 mug-1 @ leeds on web, 1970-01-01T00:01:00.000Z, said by web (2)
               delta 1 of message 1 of partition 2, stored 1970-01-01T00:01:30.000Z
rule           raise at ATP < 0
policy         builtin-1, auto
figures        atp -1, on hand -1
state          before → after
  on hand      2 → -1
  unavailable  0 → 0
  reserved     0 → 0
  safety       0 → 0
  ATP          2 → -1
  P(phantom)   0.05 → 0.05
  network ATP  2 → 0
  open         nothing → x2-1-1-0
  held         nothing → web
now            x2-1-1-0 is acting, owner ops, 12.00 at risk
`},
		{person, `decision   approve oversell of mug-1 @ all locations at none
because    Too many.
by         kim: no note
refused    it acts already
tipped by  what kim decided, message 1 of partition 2, stored 1970-01-01T00:01:30.000Z
rule       a person decides
policy     p
figures    none
`},
		{gone, `command    hold mug-1 @ leeds on web → show 0, revision 1 (2-1-1-1)
           from 1970-01-01T00:01:00.000Z until 1970-01-01T00:02:00.000Z unless renewed
because    Too many are promised.
tipped by  delta 1 of message 1 of partition 2; the log let go of it
decision   the audit trail does not hold it any more
`},
	} {
		var out strings.Builder
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		explain(w, &c.e)
		if err := w.Flush(); err != nil || out.String() != c.want {
			t.Errorf("got\n%s\nwant\n%s\n%v", out.String(), c.want, err)
		}
	}
}
