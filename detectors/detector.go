package detectors

import (
	"math"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

// View is what a detector sees of one key.
type View struct {
	Now      inventory.Millis // the watermark
	SKU      string
	Location string
	inventory.Quantities
	CountedAt inventory.Millis // of the latest count; 0: there was none
	Price     int64            // unit price in minor units; 0: unknown
	Channels  []Channel        // the known ones, in order of becoming known
	Excess    bool             // some channel shows more than it may sell
	Network   Network
	Open      []Scope // what is open on this key and on its SKU's network

	Belief *Belief // of this key, for phantom inventory
	Feed   *Feed   // of the location
	Held   bool    // a hold binds some channel here: what does not sell may not be let
	Alarm  Alarm   // when phantoms are raised and cleared

	Limits   *Limits                      // of the other classes; nil: the usual ones
	LimitsOn func(channel string) *Limits // those of a channel, good until it is called again; nil: as Limits

	Kind     inventory.Kind   // of the delta after which a location is looked at; KindNone: a timer
	Delta    *inventory.Delta // after which is looked, applied already; nil: a timer
	Arrival  *Arrival         // of the reference that the delta or the timer is about; nil: of none
	Ref      string           // that reference
	Traces   *Traces          // of this key; nil: none
	Place    *Place           // of the location
	Vouched  Vouched          // of the feed, where the view is of a location
	Patience *uint8           // of this key: how many events of demand are let pass before it is looked at
	HourMost *int64           // of this key: the units asked for in the last hour, plus one, or more; 0: not known. Not kept for good
	Traced   bool             // something was put into the traces
	Past     Past             // of this key
	Trade    Trade            // of this key
}

// Vouched is up to when a feed is vouched for, and after how long a silence of those who vouch for it that is no longer their rhythm; 0: they
// have none.
type Vouched struct{ Until, Silence inventory.Millis }

// Past is what the engine can work out of a key's history, at the cost of reading it.
type Past interface {
	// Arrival returns that of a reference, and nil where it is forgotten. What is changed in it is kept.
	Arrival(class inventory.Class, ref string) *Arrival

	// OnHand returns between which figures on-hand may have stood for somebody who saw it at some moment between two
	// times, and had heard of some of what moved between them and not of the rest.
	OnHand(from, to inventory.Millis) (low, high int64)

	// LastHour returns the events of demand of the last 60 minutes, LastDays those of the last 35 days, Returns how many returns
	// there were in these.
	LastHour() Total
	LastDays() Total
	Returns() int64
}

// Total is how many events there were and how many units they had.
type Total struct{ Count, Sum int64 }

// Channel is a channel's part of a View.
type Channel struct {
	Name   string
	ATP    int64 // ATP less what other channels' ring-fences hold
	Fenced int64 // what its own ring-fence holds
	Shown  int64 // what it shows as sellable, as far as is known
	Limit  int64 // what commands let it show at most, here or in the whole network; 0: it is held, math.MaxInt64: nothing binds it
	Lists  bool  // it has said what it shows
	Asked  int64 // how often it was asked for the key of late: its share of demand is that of the sum over all channels
}

// Network is the SKU over all of its locations.
type Network struct {
	Locations int   // with a record
	Sum       int64 // Σ ATP, shortfalls included
	ATP       int64 // Σ max(0, ATP)
}

// Scope is where an exception stands: a class, at the location or in the network, for one channel or all,
// about all of it or one reference or source.
type Scope struct {
	Class   inventory.Class
	Network bool
	Channel string // "": all channels
	Of      string // the reference, or the source, that it is about; "": none
}

// Edge is what is to happen to a scope.
type Edge uint8

// The edges.
const (
	Raise  Edge = iota + 1
	Adjust      // what is open goes on, and channels may show more or less
	Clear
)

// Finding is an edge at a scope.
type Finding struct {
	Scope
	Edge       Edge
	Confidence float64 // 0–1
	Most       int64   // of Raise and Adjust: what the channels of the scope may show, each; 0: they are held
}

// Description is a finding in words and figures.
type Description struct {
	Reason          string
	Evidence        map[string]any
	Severity        inventory.Severity
	Exposure        int64 // minor units at risk
	Recommendations []inventory.Recommendation
	Rule            string // the rule with its thresholds, for the audit trail
}

// Kinds is a set of kinds of delta.
type Kinds uint32

// AnyKind is the set of all kinds.
const AnyKind = ^Kinds(0)

// KindsOf returns the set of the given kinds.
func KindsOf(kinds ...inventory.Kind) Kinds {
	set := Kinds(0)
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

// Has reports whether k is in the set; KindNone, which stands for a timer, is in every set.
func (set Kinds) Has(k inventory.Kind) bool { return k == inventory.KindNone || set&(1<<k) != 0 }

// Detector is one way of finding exceptions of one class.
type Detector struct {
	Class inventory.Class

	// Kinds are the deltas after which a key is to be looked at while nothing of
	// the class is open there; while something is, every delta is reason to look.
	Kinds Kinds

	// Look appends the edges that v calls for.
	Look func(v *View, found []Finding) []Finding

	// Describe puts an edge that Look found into words.
	Describe func(v *View, f *Finding) Description
}

// Table is all detectors, in the order in which they look.
func Table() []Detector {
	return []Detector{oversell(), oversellRisk(), phantom(), stockMismatch(), staleListing(), receiptDiscrepancy(), transferDelay(),
		returnDistortion(), adjustmentAnomaly(), demandSpike(), promoStockout()}
}

// PlaceTable is the detectors of locations, in the order in which they look. Their view is of a location: its SKU is "*", and of stock
// it has nothing.
func PlaceTable() []Detector {
	return []Detector{fulfilmentOverload(), cancellationAnomaly(), feedStale()}
}

// IsOpenClass reports whether any exception of that class stands.
func (v *View) IsOpenClass(class inventory.Class) bool {
	for i := range v.Open {
		if v.Open[i].Class == class {
			return true
		}
	}
	return false
}

// openOf returns how many exceptions of that class stand.
func (v *View) openOf(class inventory.Class) (n int) {
	for i := range v.Open {
		if v.Open[i].Class == class {
			n++
		}
	}
	return n
}

// about returns the scope of a class that is about the reference.
func (v *View) about(class inventory.Class) Scope { return Scope{Class: class, Of: v.Ref} }

// IsOpen reports whether an exception stands at that scope.
func (v *View) IsOpen(s Scope) bool {
	for i := range v.Open {
		if v.Open[i] == s {
			return true
		}
	}
	return false
}

// severity ranks money at risk, in minor units. [A] The steps are a default of ours.
func severity(exposure int64, confidence float64) inventory.Severity {
	switch risk := float64(exposure) * confidence; {
	case risk >= 100_000:
		return inventory.Critical
	case risk >= 20_000:
		return inventory.High
	case risk >= 2_000:
		return inventory.Medium
	}
	return inventory.Low
}

// worth returns units · price, QuantityMax at most; an unknown price counts as one minor unit, so that
// more units still rank above fewer.
func worth(units, price int64) int64 {
	price = max(price, 1)
	if units <= 0 {
		return 0
	}
	if units > inventory.QuantityMax/price {
		return inventory.QuantityMax
	}
	return units * price
}

// Round4 rounds to four significant digits.
func Round4(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	// By way of decimals, which are the same on every machine.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 3, 64), 64)
	return rounded
}

// clock writes a moment for people, to the minute.
func clock(m inventory.Millis) string { return m.Time().Format("2006-01-02 15:04") }
