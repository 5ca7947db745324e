package inventory

// Kind says what a delta does. The zero Kind is no kind at all.
type Kind uint8

// The kinds, in the order of the contract's table. Their numbers are stored by
// the engine: append, never reorder.
const (
	KindNone Kind = iota
	Sale
	Reserve
	Release
	Ship
	Return
	ASN
	Receipt
	TransferOut
	TransferIn
	Adjust
	Block
	Unblock
	Count
	Snapshot
	Listing
	Safety
	Allocate
	PickFailed
	Substitute
	Promo
	Task
	TaskDone
	Capacity
	Tick

	kinds // how many there are, KindNone included
)

// rule is what a delta of one kind must carry.
type rule struct {
	name         string
	quantity     quantityRule
	channel      bool
	ref          bool
	counterparty bool
	due          bool
}

type quantityRule uint8

const (
	noQuantity  quantityRule = iota // ignored
	positive                        // > 0
	notNegative                     // ≥ 0
	notZero                         // ≠ 0
)

var rules = [kinds]rule{
	Sale:        {name: "sale", quantity: positive, channel: true},
	Reserve:     {name: "reserve", quantity: positive, channel: true, ref: true},
	Release:     {name: "release", quantity: positive, ref: true},
	Ship:        {name: "ship", quantity: positive, ref: true},
	Return:      {name: "return", quantity: positive},
	ASN:         {name: "asn", quantity: positive, ref: true},
	Receipt:     {name: "receipt", quantity: positive, ref: true},
	TransferOut: {name: "transfer_out", quantity: positive, ref: true, counterparty: true},
	TransferIn:  {name: "transfer_in", quantity: positive, ref: true},
	Adjust:      {name: "adjust", quantity: notZero},
	Block:       {name: "block", quantity: positive},
	Unblock:     {name: "unblock", quantity: positive},
	Count:       {name: "count", quantity: notNegative},
	Snapshot:    {name: "snapshot", quantity: notNegative},
	Listing:     {name: "listing", quantity: notNegative, channel: true},
	Safety:      {name: "safety", quantity: notNegative},
	Allocate:    {name: "allocate", quantity: notNegative, channel: true},
	PickFailed:  {name: "pick_failed", quantity: positive, ref: true},
	Substitute:  {name: "substitute", quantity: positive, ref: true},
	Promo:       {name: "promo", quantity: notNegative, due: true},
	Task:        {name: "task", quantity: positive},
	TaskDone:    {name: "task_done", quantity: positive},
	Capacity:    {name: "capacity", quantity: notNegative, due: true},
	Tick:        {name: "tick"},
}

// Kinds returns every kind there is, in the order of the contract's table.
func Kinds() []Kind {
	all := make([]Kind, 0, kinds-1)
	for k := Sale; k < kinds; k++ {
		all = append(all, k)
	}
	return all
}

// ParseKind returns the kind of that name, and KindNone where there is none.
// It does not allocate and does not keep name.
func ParseKind(name string) Kind {
	switch name {
	case "sale":
		return Sale
	case "reserve":
		return Reserve
	case "release":
		return Release
	case "ship":
		return Ship
	case "return":
		return Return
	case "asn":
		return ASN
	case "receipt":
		return Receipt
	case "transfer_out":
		return TransferOut
	case "transfer_in":
		return TransferIn
	case "adjust":
		return Adjust
	case "block":
		return Block
	case "unblock":
		return Unblock
	case "count":
		return Count
	case "snapshot":
		return Snapshot
	case "listing":
		return Listing
	case "safety":
		return Safety
	case "allocate":
		return Allocate
	case "pick_failed":
		return PickFailed
	case "substitute":
		return Substitute
	case "promo":
		return Promo
	case "task":
		return Task
	case "task_done":
		return TaskDone
	case "capacity":
		return Capacity
	case "tick":
		return Tick
	}
	return KindNone
}

// Valid reports whether k is one of the contract's kinds.
func (k Kind) Valid() bool { return k > KindNone && k < kinds }

// NeedsQuantity reports whether a delta of kind k must say a quantity. An absent
// quantity is not 0: a count of 0 is a count, a count without a quantity is none.
func (k Kind) NeedsQuantity() bool { return k.Valid() && rules[k].quantity != noQuantity }

// String returns the name on the wire: "sale", "transfer_out".
func (k Kind) String() string {
	if !k.Valid() {
		return "none"
	}
	return rules[k].name
}

// MarshalText returns the name on the wire.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText accepts a name on the wire.
func (k *Kind) UnmarshalText(text []byte) error {
	got := ParseKind(string(text))
	if got == KindNone {
		return &Invalid{Reason: UnknownKind, Field: "kind", Detail: "no kind is called " + quote(string(text))}
	}
	*k = got
	return nil
}
