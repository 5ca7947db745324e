package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// knows is a partition that decides by master data, and has been told some.
func knows(t *testing.T, text string, m inventory.Master) *partition {
	t.Helper()
	c, err := policy.Parse("name: p\n" + text)
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, partition{config: engine.Config{Policy: c}, only: inventory.Oversell})
	if got := p.control(t, control.Message{ID: "m-1", By: "kim", Master: &m}); got.Outcome != engine.Applied {
		t.Fatalf("master data are %s: %v", got.Outcome, got.Invalid)
	}
	p.commit(t)
	return open(t, *p)
}

// opens plays a table and returns how each exception opens: "tea@leeds acting, exposure 998".
func opens(t *testing.T, p *partition, table string) string {
	t.Helper()
	before := len(p.said)
	for _, d := range tableLog(t, table) {
		p.take(t, gen.Message{d})
	}
	var lines []string
	for _, o := range p.said[before:] {
		if x := o.Exception; x != nil && len(x.History) == 1 {
			lines = append(lines, fmt.Sprintf("%s@%s %s, exposure %d", x.SKU, x.Location, x.Status, x.Exposure))
		}
	}
	return strings.Join(lines, "\n")
}

var shop = inventory.Master{
	SKUs: []inventory.ItemOf{
		{SKU: "tea", Item: inventory.Item{Category: "drinks", Price: 499}},
		{SKU: "pill", Item: inventory.Item{Category: "pharmacy", Price: 1200, Regulated: true, LeadHours: 72}},
	},
	Locations: []inventory.SiteOf{{Location: "leeds", Site: inventory.Site{Region: "north"}}},
}

// TestPoliciesGoByMasterData: by category and region, in overrides and conditions; and the list price gives exposure where deltas carry none.
func TestPoliciesGoByMasterData(t *testing.T) {
	const acts = "classes: {oversell: {autonomy: auto}}\noverrides:\n"
	table := "0 sale 2\n0 sale 2 sku=pill\n0 sale 2 sku=cup\n0 sale 2 sku=jam at=bath"
	for override, want := range map[string]string{
		"  - {category: pharmacy, set: {autonomy: recommend}}": `
tea@leeds acting, exposure 998
pill@leeds awaiting_approval, exposure 2400
cup@leeds acting, exposure 2
jam@bath acting, exposure 2`,
		"  - {region: north, set: {autonomy: observe}}": `
tea@leeds open, exposure 998
pill@leeds open, exposure 2400
cup@leeds open, exposure 2
jam@bath acting, exposure 2`,
		"  - {when: regulated and lead_hours > 48 or category == '' and region == '', set: {autonomy: recommend}}": `
tea@leeds acting, exposure 998
pill@leeds awaiting_approval, exposure 2400
cup@leeds acting, exposure 2
jam@bath awaiting_approval, exposure 2`,
	} {
		sameText(t, override, opens(t, knows(t, acts+override, shop), table), strings.TrimPrefix(want, "\n"))
	}
}

// TestThresholdsGoByMasterData: by category, and by a condition on what is known of a SKU.
func TestThresholdsGoByMasterData(t *testing.T) {
	for _, override := range []string{
		"{class: oversell, category: drinks, set: {thresholds: {clear_units: 5}}}",
		"{class: oversell, when: list_price < 1000 and category == 'drinks', set: {thresholds: {clear_units: 5}}}",
	} {
		p := knows(t, "classes: {oversell: {autonomy: auto}}\noverrides: ["+override+"]", shop)
		for _, d := range tableLog(t, "0 sale 1\n0 sale 1 sku=pill\n1 receipt 3 ref=po\n1 receipt 3 ref=po sku=pill\n2 receipt 3 ref=po2") {
			p.take(t, gen.Message{d})
		}
		sameText(t, override, strings.Join(edges(p), "\n"), strings.Join([]string{
			"0 oversell@leeds opens", "0 oversell@leeds opens", "1 oversell@leeds ends", "2 oversell@leeds ends",
		}, "\n"))
	}
}

// TestMasterDataAreReplacedAndForgotten: an entry is all that is known; one that says nothing forgets. What a delta says of
// the price is better.
func TestMasterDataAreReplacedAndForgotten(t *testing.T) {
	p := knows(t, "classes: {oversell: {autonomy: observe}}", shop)
	for i, m := range []inventory.Master{
		{SKUs: []inventory.ItemOf{{SKU: "tea", Item: inventory.Item{LotControlled: true}}, {SKU: "pill"}}, Locations: []inventory.SiteOf{{Location: "leeds"}}},
	} {
		p.control(t, control.Message{ID: fmt.Sprint("again", i), By: "kim", Master: &m})
	}
	p.commit(t)
	if got, known, err := engine.ReadItem(p.store, "tea"); err != nil || !known || got != (inventory.Item{LotControlled: true}) {
		t.Errorf("tea is %+v, %v, %v", got, known, err)
	}
	if _, known, err := engine.ReadItem(p.store, "pill"); err != nil || known {
		t.Errorf("pill is known: %v, %v", known, err)
	}
	if _, known, err := engine.ReadSite(p.store, "leeds"); err != nil || known {
		t.Errorf("leeds is known: %v, %v", known, err)
	}
	sameText(t, "exposure", opens(t, p, "0 sale 2"), "tea@leeds open, exposure 2")
}

// TestMasterDataOfAnotherPartitionAreRejected: whole.
func TestMasterDataOfAnotherPartitionAreRejected(t *testing.T) {
	p := open(t, partition{config: engine.Config{Partition: 0, Partitions: 1 << 20}})
	got := p.control(t, control.Message{ID: "m", By: "kim", Master: &inventory.Master{
		SKUs: []inventory.ItemOf{{SKU: "tea"}}, Locations: []inventory.SiteOf{{Location: "leeds", Site: inventory.Site{Region: "north"}}},
	}})
	p.commit(t)
	if got.Outcome != engine.Rejected || got.Invalid.Reason != inventory.WrongPartition {
		t.Errorf("master data of another partition are %s: %v", got.Outcome, got.Invalid)
	}
	if _, known, _ := engine.ReadSite(p.store, "leeds"); known {
		t.Error("a part of what was rejected is known")
	}
}
