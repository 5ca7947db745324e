package codec

// field is a delta's field by its position in the compact array, which is its
// row in the contract's table.
type field uint8

const (
	fieldID field = iota
	fieldSource
	fieldSKU
	fieldLocation
	fieldKind
	fieldQuantity
	fieldTime
	fieldChannel
	fieldRef
	fieldReason
	fieldCounterparty
	fieldDue
	fieldPrice
	fieldAttrs

	fields       // how many there are
	fieldUnknown // a name that this version does not know
)

var fieldNames = [fields]string{
	"id", "source", "sku", "location", "kind", "quantity", "time", "channel",
	"ref", "reason", "counterparty", "due", "price", "attrs",
}

func (f field) String() string { return fieldNames[f] }

// fieldOf returns the field of that name. The compiler makes of it a jump by
// length and compares whole words.
func fieldOf(name string) field {
	switch name {
	case "id":
		return fieldID
	case "source":
		return fieldSource
	case "sku":
		return fieldSKU
	case "location":
		return fieldLocation
	case "kind":
		return fieldKind
	case "quantity":
		return fieldQuantity
	case "time":
		return fieldTime
	case "channel":
		return fieldChannel
	case "ref":
		return fieldRef
	case "reason":
		return fieldReason
	case "counterparty":
		return fieldCounterparty
	case "due":
		return fieldDue
	case "price":
		return fieldPrice
	case "attrs":
		return fieldAttrs
	}
	return fieldUnknown
}

// belongs says what a value of field f is.
func (f field) belongs() string {
	switch f {
	case fieldQuantity, fieldPrice:
		return "an integer"
	case fieldTime, fieldDue:
		return "an RFC 3339 string or integer Unix milliseconds"
	case fieldAttrs:
		return "a map of strings"
	}
	return "a string"
}

// fieldSet is a set of fields.
type fieldSet uint16

func (s fieldSet) has(f field) bool { return s>>f&1 != 0 }
func (s *fieldSet) add(f field)     { *s |= 1 << f }
