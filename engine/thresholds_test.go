package engine_test

import (
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// TestEveryThresholdIsADetectors: what a policy may set is a limit that its detector has, usually within the policy's bounds.
func TestEveryThresholdIsADetectors(t *testing.T) {
	usual := detectors.Usual()
	for _, class := range inventory.Classes() {
		for _, th := range policy.Thresholds(class) {
			number, span := usual.Number(th.Path), usual.Span(th.Path)
			switch {
			case (number != nil) == (span != nil) || (span != nil) != (th.Unit == policy.Time):
				t.Errorf("%s is no limit of a detector's", th.Path)
			case number != nil && (*number < th.Least || *number > th.Most):
				t.Errorf("%s is usually %g, and may be set from %g to %g", th.Path, *number, th.Least, th.Most)
			case span != nil && (float64(*span) < th.Least || float64(*span) > th.Most):
				t.Errorf("%s is usually %d ms, and may be set from %g to %g", th.Path, *span, th.Least, th.Most)
			}
		}
	}
}

// under plays a table under a policy, in one batch and by an engine of its own for each delta, and returns which exceptions opened and
// ended: "9.5 stale_listing@leeds opens".
func under(t *testing.T, text, table string) string {
	t.Helper()
	p, err := policy.Parse("name: p\nclasses: {}\n" + text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(edges(tellUnder(t, engine.Config{Policy: p}, table, 0)), "\n")
}

// TestThresholdsOfAPolicyDecide: other than the usual ones, and where an override says so.
func TestThresholdsOfAPolicyDecide(t *testing.T) {
	work := `
		0 capacity 10 due=20
		1 task 8
		0 capacity 10 due=20 at=york
		1 task 8 at=york
		2 task_done 7 at=york`
	sameText(t, "usually", under(t, "", work), "")
	sameText(t, "at a share", under(t, "overrides: [{class: fulfilment_overload, location: york, set: {thresholds: {raise_share: 0.5, clear_share: 0.4}}}]", work),
		"1 fulfilment_overload@york opens\n2 fulfilment_overload@york ends")

	listed := `
		0 count 10
		0 listing 12
		0 listing 12 channel=ebay
		0.2 tick
		1.1 tick`
	sameText(t, "usually", under(t, "", listed), "")
	sameText(t, "by channel", under(t, "overrides: [{class: stale_listing, channel: ebay, set: {thresholds: {excess: 0.1, grace: 1h}}}]", listed),
		"1 stale_listing@leeds opens")

	goods := `
		0 asn 5 ref=po due=24
		30 tick`
	sameText(t, "usually", under(t, "", goods), "26.4 receipt_discrepancy@leeds opens")
	sameText(t, "in no hurry", under(t, "overrides: [{class: receipt_discrepancy, sku: tea, set: {thresholds: {late_share: 0.5}}}]", goods), "")

	sold := `
		0 sale 1
		1 receipt 3 ref=po
		2 receipt 3 ref=po2`
	sameText(t, "an oversell ends later", under(t, "overrides: [{class: oversell, set: {thresholds: {clear_units: 5}}}]", sold),
		"0 oversell@leeds opens\n2 oversell@leeds ends")
}
