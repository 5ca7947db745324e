package inventory

import "fmt"

// Item is what is known of a SKU beside its stock. What is not known is zero.
type Item struct {
	Category      string `json:"category,omitempty"`
	Supplier      string `json:"supplier,omitempty"`   // who delivers it
	Price         int64  `json:"price,omitempty"`      // list price of a unit, minor units: for exposure, where deltas carry none
	Margin        int64  `json:"margin,omitempty"`     // of a unit, minor units
	LeadHours     int64  `json:"lead_hours,omitempty"` // from an order to its receipt
	Regulated     bool   `json:"regulated,omitempty"`
	LotControlled bool   `json:"lot_controlled,omitempty"`
}

// Site is what is known of a location beside its stock.
type Site struct {
	Region string `json:"region,omitempty"`
}

// ItemOf is the item of a SKU.
type ItemOf struct {
	SKU string `json:"sku"`
	Item
}

// SiteOf is the site of a location.
type SiteOf struct {
	Location string `json:"location"`
	Site
}

// Master is master data: of each SKU and location that it names all that is known. Of what it names twice the last counts.
type Master struct {
	SKUs      []ItemOf `json:"skus,omitempty"`
	Locations []SiteOf `json:"locations,omitempty"`
}

// leadHoursMax is two years.
const leadHoursMax = 2 * 366 * 24

// Validate says what is wrong with m. Its error is an [*Invalid], whose Field names the entry.
func (m *Master) Validate() error {
	if len(m.SKUs)+len(m.Locations) == 0 {
		return &Invalid{MissingField, "skus", "needed, or locations: master data of nothing"}
	}
	for i := range m.SKUs {
		if bad := m.SKUs[i].invalid(); bad != nil {
			bad.Field = fmt.Sprintf("skus[%d].%s", i, bad.Field)
			return bad
		}
	}
	for i := range m.Locations {
		l := &m.Locations[i]
		bad := checkName("location", l.Location, NameBytesMax, true)
		if bad == nil {
			bad = checkName("region", l.Region, NameBytesMax, false)
		}
		if bad != nil {
			bad.Field = fmt.Sprintf("locations[%d].%s", i, bad.Field)
			return bad
		}
	}
	return nil
}

func (s *ItemOf) invalid() *Invalid {
	if bad := checkName("sku", s.SKU, NameBytesMax, true); bad != nil {
		return bad
	}
	if bad := checkName("category", s.Category, NameBytesMax, false); bad != nil {
		return bad
	}
	if bad := checkName("supplier", s.Supplier, NameBytesMax, false); bad != nil {
		return bad
	}
	for _, n := range []struct {
		field       string
		value, most int64
	}{{"price", s.Price, QuantityMax}, {"margin", s.Margin, QuantityMax}, {"lead_hours", s.LeadHours, leadHoursMax}} {
		if n.value < 0 || n.value > n.most {
			return &Invalid{OutOfRange, n.field, fmt.Sprintf("%d given; it is from 0 to %d", n.value, n.most)}
		}
	}
	return nil
}
