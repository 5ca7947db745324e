package inventory

import (
	"strings"
	"testing"
)

func TestMasterDataIsChecked(t *testing.T) {
	tea := ItemOf{"tea", Item{Category: "drinks", Price: 499, Margin: 120, LeadHours: 72, Regulated: true, LotControlled: true}}
	good := Master{SKUs: []ItemOf{tea, {SKU: "cup"}}, Locations: []SiteOf{{"leeds", Site{"north"}}, {Location: "york"}}}
	if err := good.Validate(); err != nil {
		t.Errorf("what is in order: %v", err)
	}
	for says, m := range map[string]Master{
		"missing_field: skus":                            {},
		"missing_field: skus[1].sku":                     {SKUs: []ItemOf{tea, {}}},
		"out_of_range: skus[0].category: control":        {SKUs: []ItemOf{{"a", Item{Category: "a\n"}}}},
		"out_of_range: skus[0].price: -1 given":          {SKUs: []ItemOf{{"a", Item{Price: -1}}}},
		"out_of_range: skus[0].margin":                   {SKUs: []ItemOf{{"a", Item{Margin: QuantityMax + 1}}}},
		"out_of_range: skus[0].lead_hours":               {SKUs: []ItemOf{{"a", Item{LeadHours: leadHoursMax + 1}}}},
		"missing_field: locations[0].location":           {Locations: []SiteOf{{}}},
		"out_of_range: locations[0].region: 129 bytes":   {Locations: []SiteOf{{"a", Site{strings.Repeat("r", 129)}}}},
		"out_of_range: locations[0].location: 129 bytes": {Locations: []SiteOf{{strings.Repeat("l", 129), Site{}}}},
		"out_of_range: skus[0].sku: not UTF-8":           {SKUs: []ItemOf{{SKU: "\xff"}}},
	} {
		if err := m.Validate(); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", m, err, says)
		}
	}
}
