package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// risksOf returns what is at risk in a window, a line each: "SKU location, probability".
func risksOf(t *testing.T, store *enginetest.Store, window inventory.Millis) (lines string, risks map[string]inventory.Risk) {
	t.Helper()
	risks = map[string]inventory.Risk{}
	var text strings.Builder
	before := store.Dump()
	err := engine.ReadRisks(store, window, func(r *inventory.Risk) bool {
		fmt.Fprintf(&text, "%s %s %.3f\n", r.SKU, r.Location, r.Probability)
		risks[r.SKU] = *r
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if store.Dump() != before {
		t.Error("who reads what is at risk changes the state")
	}
	return text.String(), risks
}

// TestTheNextWindow: what nearly sells out and is listed is at risk; what has plenty, what nobody lists as it is held, and what is oversold
// already is not; and a delivery that is due in time takes the risk away.
func TestTheNextWindow(t *testing.T) {
	p := tell(t, `
		0 count 400 sku=plenty
		0 count 60 sku=short
		0 count 60 sku=supplied
		0 count 60 sku=gone
		0 listing 400 sku=plenty channel=web
		0 listing 60 sku=short channel=web
		0 listing 60 sku=supplied channel=web
		0 listing 60 sku=gone channel=web
		0.1..52/1 sale 1 sku=plenty channel=store
		0.2..52/1 sale 1 sku=plenty channel=web
		0.3..52/1 sale 1 sku=short channel=store
		0.4..12/2 sale 1 sku=short channel=web
		0.5..52/1 sale 1 sku=supplied channel=store
		0.6..12/2 sale 1 sku=supplied channel=web
		0.7..52/1 sale 1 sku=gone channel=store
		0.8..20/1 sale 1 sku=gone channel=web
		50 asn 100 sku=supplied ref=po due=53
		0.95..52/1 tick`, 100)
	lines, risks := risksOf(t, p.store, 12*inventory.Hour)
	short, supplied := risks["short"], risks["supplied"]
	if short.Probability < 0.03 || short.RunsOut < 0.5 || short.ATP != 2 || len(short.Channels) != 1 || short.Channels[0].Channel != "web" {
		t.Errorf("what nearly sells out: %+v", short)
	}
	if supplied.Probability > 0.6*short.Probability || supplied.RunsOut > 0.001 || supplied.Due != 100 || supplied.Supplier != "pos" {
		t.Errorf("what is due in time: %+v, beside %+v", supplied, short)
	}
	if plenty := risks["plenty"]; plenty.Probability > 0.1*short.Probability {
		t.Errorf("what has plenty is at risk: %+v", plenty)
	}
	if _, is := risks["gone"]; is {
		t.Errorf("what is oversold already is at risk: %s", lines)
	}
	_, sooner := risksOf(t, p.store, inventory.Hour)
	if sooner["short"].Probability >= short.Probability || sooner["short"].Until >= short.Until {
		t.Errorf("in an hour %+v, in twelve %+v", sooner["short"], short)
	}
}
