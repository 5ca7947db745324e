package inventory

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Reason says why a delta could not be used; it is the last token of the
// subject under which the delta is kept.
type Reason string

// The reasons.
const (
	Malformed      Reason = "malformed"       // not a delta: broken bytes, a wrong type
	UnknownKind    Reason = "unknown_kind"    // a kind that is not in the contract
	MissingField   Reason = "missing_field"   // a field that its kind needs
	OutOfRange     Reason = "out_of_range"    // a field outside its limits
	Overflow       Reason = "overflow"        // a quantity, or what it would add up to, beyond ±QuantityMax
	Late           Reason = "late"            // older than the allowed lateness
	Future         Reason = "future"          // further ahead of the log than any clock may be
	TooMany        Reason = "too_many"        // what is behind the last delta that a message may have
	WrongPartition Reason = "wrong_partition" // published to another partition than its SKU's
)

// Invalid says why one delta can't be used and which field is to blame.
type Invalid struct {
	Reason Reason
	Field  string // as on the wire; "" where no one field is to blame
	Detail string // what is wrong, and what would be right
}

func (e *Invalid) Error() string {
	if e.Field == "" {
		return string(e.Reason) + ": " + e.Detail
	}
	return string(e.Reason) + ": " + e.Field + ": " + e.Detail
}

// Validate returns an *[Invalid] for the first thing about d that its kind does
// not allow, and nil where d can be applied. It does not allocate for a good delta.
func (d *Delta) Validate() error {
	if bad := d.invalid(); bad != nil {
		return bad
	}
	return nil
}

func (d *Delta) invalid() *Invalid {
	if !d.Kind.Valid() {
		return &Invalid{UnknownKind, "kind", "no such kind"}
	}
	r := &rules[d.Kind]
	keyed := d.Kind != Tick // a tick moves event time on and needs no key
	if bad := checkName("id", d.ID, IDBytesMax, true); bad != nil {
		return bad
	}
	if bad := checkName("source", d.Source, SourceBytesMax, true); bad != nil {
		return bad
	}
	if bad := checkName("sku", d.SKU, NameBytesMax, keyed); bad != nil {
		return bad
	}
	if bad := checkName("location", d.Location, NameBytesMax, keyed); bad != nil {
		return bad
	}
	if d.Location == "*" {
		return &Invalid{OutOfRange, "location", `"*" stands for the whole network in commands; stock is kept at a location`}
	}
	if bad := checkTime("time", d.Time, true); bad != nil {
		return bad
	}
	if bad := checkTime("due", d.Due, r.due); bad != nil {
		return bad
	}
	if bad := checkName("channel", d.Channel, NameBytesMax, r.channel); bad != nil {
		return bad
	}
	if bad := checkName("ref", d.Ref, NameBytesMax, r.ref); bad != nil {
		return bad
	}
	if bad := checkName("counterparty", d.Counterparty, NameBytesMax, r.counterparty); bad != nil {
		return bad
	}
	if d.Kind == TransferOut && d.Counterparty == d.Location {
		return &Invalid{OutOfRange, "counterparty", "a transfer goes to another location"}
	}
	if bad := checkName("reason", d.Reason, NameBytesMax, false); bad != nil {
		return bad
	}
	if bad := checkQuantity(d.Kind, r.quantity, d.Quantity); bad != nil {
		return bad
	}
	if d.Price < 0 || d.Price > QuantityMax {
		return &Invalid{OutOfRange, "price", "a unit price in minor units is from 0 to 2^53−1"}
	}
	return checkAttrs(d.Attrs)
}

func checkQuantity(k Kind, rule quantityRule, q int64) *Invalid {
	if rule == noQuantity {
		return nil
	}
	if q > QuantityMax || q < -QuantityMax {
		return &Invalid{Overflow, "quantity", strconv.FormatInt(q, 10) + " is beyond ±(2^53−1)"}
	}
	ok, want := true, ""
	switch rule {
	case positive:
		ok, want = q > 0, "above 0"
	case notNegative:
		ok, want = q >= 0, "0 or more"
	case notZero:
		ok, want = q != 0, "other than 0"
	}
	if !ok {
		return &Invalid{OutOfRange, "quantity", fmt.Sprintf("%d given, but a %s needs one %s", q, k, want)}
	}
	return nil
}

func checkTime(field string, m Millis, needed bool) *Invalid {
	switch {
	case m == 0 && needed:
		return &Invalid{MissingField, field, "needed: RFC 3339 or Unix milliseconds"}
	case m < 0 || m > MillisMax:
		return &Invalid{OutOfRange, field, strconv.FormatInt(int64(m), 10) + " ms is not between 1970 and 9999"}
	}
	return nil
}

// checkName is small enough to be inlined: nearly every name of nearly every delta
// is plain, and the rest of the rule is checkOddName's.
func checkName(field, s string, bytesMax int, needed bool) *Invalid {
	if len(s) <= bytesMax && plain(s) && (s != "" || !needed) {
		return nil
	}
	return checkOddName(field, s, bytesMax)
}

func checkOddName(field, s string, bytesMax int) *Invalid {
	if s == "" {
		return &Invalid{MissingField, field, "needed"}
	}
	if len(s) > bytesMax {
		return &Invalid{OutOfRange, field, fmt.Sprintf("%d bytes, %d at most", len(s), bytesMax)}
	}
	if !utf8.ValidString(s) {
		return &Invalid{OutOfRange, field, "not UTF-8"}
	}
	for i, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 { // C0, DEL, C1
			return &Invalid{OutOfRange, field, fmt.Sprintf("control character %U at byte %d", r, i)}
		}
	}
	return nil
}

// plain reports whether s is printable ASCII, eight bytes at a time. In a word
// without a byte ≥ 0x80, subtracting 0x20 sets the top bit of a byte below it and
// adding 1 that of 0x7f; a borrow or a carry between bytes starts at a byte that is not plain itself.
func plain(s string) bool {
	const each = 0x0101010101010101
	var odd uint64
	for len(s) >= 8 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		odd |= w | (w - 0x20*each) | (w + each)
		s = s[8:]
	}
	if len(s) >= 4 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | 0x2020202000000000
		odd |= w | (w - 0x20*each) | (w + each)
		s = s[4:]
	}
	for i := 0; i < len(s); i++ {
		w := uint64(s[i])
		odd |= w | (w-0x20)&0x80 | (w + 1)
	}
	return odd&(0x80*each) == 0
}

func checkAttrs(attrs []Attr) *Invalid {
	size := 0
	for i := range attrs {
		a := &attrs[i]
		if a.Name == "" {
			return &Invalid{OutOfRange, "attrs", "a name is empty"}
		}
		if !utf8.ValidString(a.Name) || !utf8.ValidString(a.Value) {
			return &Invalid{OutOfRange, "attrs", "not UTF-8"}
		}
		size += len(a.Name) + len(a.Value)
	}
	if size > AttrsBytesMax {
		return &Invalid{OutOfRange, "attrs", fmt.Sprintf("%d bytes of names and values, %d at most", size, AttrsBytesMax)}
	}
	for i := range attrs { // few, for their bytes are bounded
		for j := range i {
			if attrs[i].Name == attrs[j].Name {
				return &Invalid{Malformed, "attrs", quote(attrs[i].Name) + " is given twice"}
			}
		}
	}
	return nil
}

// quote makes a foreign string safe and short enough for an error message.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
