package inventory

// Limits of a delta. All are checked by [Delta.Validate].
const (
	IDBytesMax     = 128  // id, in bytes
	SourceBytesMax = 64   // source, in bytes
	NameBytesMax   = 128  // sku, location, channel, counterparty, ref, reason, in bytes
	AttrsBytesMax  = 1024 // all keys and values of attrs together, in bytes

	// QuantityMax bounds every quantity that is stored, ± 2^53−1: sums of four of
	// them fit an int64 with room to spare, and every JSON reader holds them exactly.
	QuantityMax = 1<<53 - 1
)

// Key is what stock is kept for: one SKU at one location.
type Key struct {
	SKU      string `json:"sku"`
	Location string `json:"location"`
}

// Attr is one entry of a delta's attrs.
type Attr struct{ Name, Value string }

// Delta is one change of inventory at one SKU and location. Field by field it
// is the contract's table "Deltas in"; an absent string is "", an absent time
// or price is 0 (no event of any retailer happened at the Unix epoch).
//
// A Delta that came out of a codec.Batch borrows its strings from the payload:
// it is good for as long as the payload's bytes are left alone, and whoever
// keeps a string for longer than the batch clones it.
type Delta struct {
	ID           string // unique within Source
	Source       string // the system that says so
	SKU          string
	Location     string
	Kind         Kind
	Quantity     int64  // base units; sign and range by Kind
	Time         Millis // when it happened
	Channel      string
	Ref          string // order, PO, ASN, transfer or promotion
	Reason       string
	Counterparty string // the other location of a transfer
	Due          Millis // ETA, end of a reservation, promotion or capacity slot; 0: none
	Price        int64  // unit price in minor units; 0: unknown
	Attrs        []Attr // carried into evidence, never interpreted; no name twice
}

// Key returns the key whose stock d changes.
func (d *Delta) Key() Key { return Key{d.SKU, d.Location} }
