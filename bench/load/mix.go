package load

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Mix says what a load is made of. A zero field means its default. Shares are of all deltas that
// [Load.Next] makes, 0 to 1, and each delta is at most one of probe, late and duplicate.
type Mix struct {
	// Seed is in the ids and in the names of probes too: loads of two seeds, and only
	// those, can go to the same deployment.
	Seed uint64 `json:"seed" yaml:"seed,omitempty"`

	Keys      int     `json:"keys" yaml:"keys,omitempty"`           // SKU-locations, rounded up to the same SKUs at each location; default 100,000
	Locations int     `json:"locations" yaml:"locations,omitempty"` // default 10
	Skew      float64 `json:"skew" yaml:"skew,omitempty"`           // exponent of the SKUs' Zipf distribution, above 1; 0: uniform
	HotShare  float64 `json:"hot_share" yaml:"hot_share,omitempty"` // goes to one SKU, beside what the skew gives it

	// Kinds are weights by the kind's name. Default: sale 48, reserve 13, ship 11,
	// release 3, receipt 9, listing 6, adjust 5, count 5. A kind that ends what another began (ship and
	// release a reserve, receipt an asn, transfer_in a transfer_out) ends the one that has
	// waited longest, some thousands of deltas; where too few wait, one is begun instead.
	// Without asn in the mixture, receipts stand for themselves.
	Kinds map[string]int `json:"kinds,omitempty" yaml:"kinds,omitempty"`

	OutOfOrder    float64       `json:"out_of_order" yaml:"out_of_order,omitempty"`         // happened before a delta that came before them
	OutOfOrderMax time.Duration `json:"out_of_order_max" yaml:"out_of_order_max,omitempty"` // by so much at most, 12h at most; default 1m
	Duplicates    float64       `json:"duplicates" yaml:"duplicates,omitempty"`             // are exact repeats of one of the last thousands
	Late          float64       `json:"late" yaml:"late,omitempty"`                         // are beyond the lateness, so rejected once their partition has a watermark
	Oversell      float64       `json:"oversell" yaml:"oversell,omitempty"`                 // are probes

	Start time.Time     `json:"start,omitzero" yaml:"start,omitempty"` // event time of the first delta; default 2024-11-25, which no clock will take for the present
	Step  time.Duration `json:"step" yaml:"step,omitempty"`            // of event time from one delta to the next in the mean, 1s at most; default 1ms
}

const (
	keysDefault          = 100_000
	locationsDefault     = 10
	outOfOrderMaxDefault = time.Minute
	stepDefault          = time.Millisecond

	locationsMost = math.MaxUint16
	skusMost      = math.MaxUint32

	// Neither may reach the lateness, however far a quiet partition's watermark is behind.
	outOfOrderMost = 12 * time.Hour
	stepMost       = time.Second
)

var startDefault = time.Date(2024, 11, 25, 0, 0, 0, 0, time.UTC)

var kindsDefault = map[string]int{
	"sale": 48, "reserve": 13, "ship": 11, "release": 3, "receipt": 9, "listing": 6, "adjust": 5, "count": 5,
}

// ProbePrefix is what the SKU of each probe begins with. Behind it stands the probe's number in
// decimal: how many calls of Next came before the one that made it.
func (m *Mix) ProbePrefix() string { return "probe-" + strconv.FormatUint(m.Seed, 10) + "-" }

// Check says what is wrong with m, by the names that it has in YAML.
func (m Mix) Check() error {
	_, err := m.weights()
	if err != nil {
		return err
	}
	m.setDefaults()
	for _, share := range []struct {
		name  string
		value float64
	}{
		{"hot_share", m.HotShare}, {"out_of_order", m.OutOfOrder}, {"duplicates", m.Duplicates},
		{"late", m.Late}, {"oversell", m.Oversell}, {"duplicates, late and oversell together", m.Duplicates + m.Late + m.Oversell},
	} {
		if !(share.value >= 0 && share.value <= 1) { // nor NaN
			return fmt.Errorf("load: %s %v: a share is from 0 to 1", share.name, share.value)
		}
	}
	switch {
	case m.Locations < 1 || m.Locations > locationsMost:
		return fmt.Errorf("load: locations %d: there are 1 to %d", m.Locations, locationsMost)
	case m.Keys < m.Locations || m.Keys/m.Locations >= skusMost:
		return fmt.Errorf("load: keys %d: there is one at least for each of %d locations, and %d at most", m.Keys, m.Locations, skusMost)
	case m.Skew != 0 && !(m.Skew > 1 && m.Skew <= math.MaxFloat64):
		return fmt.Errorf("load: skew %v: it is above 1, or 0 for none", m.Skew)
	case m.OutOfOrderMax < time.Millisecond || m.OutOfOrderMax > outOfOrderMost:
		return fmt.Errorf("load: out_of_order_max %v: it is from 1ms to %v", m.OutOfOrderMax, outOfOrderMost)
	case m.Step < 1 || m.Step > stepMost:
		return fmt.Errorf("load: step %v: it is above 0, and %v at most", m.Step, stepMost)
	case m.Start.Year() < 1971 || m.Start.Year() > 9000:
		return fmt.Errorf("load: start %v: it is from 1971 to 9000", m.Start)
	case m.Locations == 1 && (m.Kinds["transfer_out"] > 0 || m.Kinds["transfer_in"] > 0):
		return fmt.Errorf("load: kinds: a transfer needs two locations")
	}
	return nil
}

func (m *Mix) setDefaults() {
	if m.Keys == 0 {
		m.Keys = keysDefault
	}
	if m.Locations == 0 {
		m.Locations = locationsDefault
	}
	if m.OutOfOrderMax == 0 {
		m.OutOfOrderMax = outOfOrderMaxDefault
	}
	if m.Start.IsZero() {
		m.Start = startDefault
	}
	if m.Step == 0 {
		m.Step = stepDefault
	}
}

// weight is how often a kind is drawn, beside the others.
type weight struct {
	kind inventory.Kind
	n    int
}

// weights returns the kinds that m has, in the contract's order.
func (m *Mix) weights() ([]weight, error) {
	named := m.Kinds
	if len(named) == 0 {
		named = kindsDefault
	}
	var all []weight
	for name, n := range named {
		kind := inventory.ParseKind(name)
		switch {
		case kind == inventory.KindNone:
			return nil, fmt.Errorf("load: kinds: no kind is called %q", name)
		case n < 0 || n > math.MaxInt32:
			return nil, fmt.Errorf("load: kinds: %s has the weight %d: it is from 0 to %d", name, n, math.MaxInt32)
		case n > 0:
			all = append(all, weight{kind, n})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("load: kinds: none has a weight above 0")
	}
	slices.SortFunc(all, func(a, b weight) int { return int(a.kind) - int(b.kind) })
	return all, nil
}
