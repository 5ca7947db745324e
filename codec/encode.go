package codec

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

// AppendDelta appends d as a msgpack array: the densest form, and what [Batch] reads
// fastest. Absent fields are nil, and trailing ones are left out. It checks nothing; a delta
// that passes [inventory.Delta.Validate] comes back from [Batch] as it is, but for the
// quantity of a tick, which means nothing.
func AppendDelta(dst []byte, d *inventory.Delta) []byte {
	n := arrayLength(d)
	dst = append(dst, codeFixArray|byte(n)) // 14 at most, which is below 16
	dst = appendString(dst, d.ID)
	dst = appendString(dst, d.Source)
	dst = appendString(dst, d.SKU)
	dst = appendString(dst, d.Location)
	dst = appendString(dst, d.Kind.String())
	if d.Kind.NeedsQuantity() {
		dst = appendInt(dst, d.Quantity)
	} else {
		dst = append(dst, codeNil)
	}
	dst = appendInt(dst, int64(d.Time))
	for f := fieldChannel; int(f) < n; f++ {
		switch f {
		case fieldChannel:
			dst = appendOptional(dst, d.Channel)
		case fieldRef:
			dst = appendOptional(dst, d.Ref)
		case fieldReason:
			dst = appendOptional(dst, d.Reason)
		case fieldCounterparty:
			dst = appendOptional(dst, d.Counterparty)
		case fieldDue:
			dst = appendOptionalInt(dst, int64(d.Due))
		case fieldPrice:
			dst = appendOptionalInt(dst, d.Price)
		case fieldAttrs:
			dst = appendAttrs(dst, d.Attrs)
		}
	}
	return dst
}

// arrayLength is how many fields come before the trailing absent ones.
func arrayLength(d *inventory.Delta) int {
	switch {
	case len(d.Attrs) > 0:
		return int(fields)
	case d.Price != 0:
		return int(fieldPrice) + 1
	case d.Due != 0:
		return int(fieldDue) + 1
	case d.Counterparty != "":
		return int(fieldCounterparty) + 1
	case d.Reason != "":
		return int(fieldReason) + 1
	case d.Ref != "":
		return int(fieldRef) + 1
	case d.Channel != "":
		return int(fieldChannel) + 1
	}
	return int(fieldTime) + 1
}

// AppendDeltaMap appends d as a msgpack map by field name, without absent fields.
func AppendDeltaMap(dst []byte, d *inventory.Delta) []byte {
	at, n := len(dst), byte(0)
	dst = append(dst, codeFixMap)
	key := func(f field) {
		n++
		dst = appendString(dst, f.String())
	}
	text := func(f field, s string) {
		if s != "" {
			key(f)
			dst = appendString(dst, s)
		}
	}
	text(fieldID, d.ID)
	text(fieldSource, d.Source)
	text(fieldSKU, d.SKU)
	text(fieldLocation, d.Location)
	text(fieldKind, d.Kind.String())
	if d.Kind.NeedsQuantity() {
		key(fieldQuantity)
		dst = appendInt(dst, d.Quantity)
	}
	key(fieldTime)
	dst = appendInt(dst, int64(d.Time))
	text(fieldChannel, d.Channel)
	text(fieldRef, d.Ref)
	text(fieldReason, d.Reason)
	text(fieldCounterparty, d.Counterparty)
	if d.Due != 0 {
		key(fieldDue)
		dst = appendInt(dst, int64(d.Due))
	}
	if d.Price != 0 {
		key(fieldPrice)
		dst = appendInt(dst, d.Price)
	}
	if len(d.Attrs) > 0 {
		key(fieldAttrs)
		dst = appendAttrs(dst, d.Attrs)
	}
	dst[at] |= n // 14 at most
	return dst
}

// AppendDeltaJSON appends d as a JSON object, without absent fields and with times in
// RFC 3339.
func AppendDeltaJSON(dst []byte, d *inventory.Delta) []byte {
	dst = append(dst, '{')
	key := func(f field) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, f.String()...)
		dst = append(dst, '"', ':')
	}
	text := func(f field, s string) {
		if s != "" {
			key(f)
			dst = appendTextJSON(dst, s)
		}
	}
	moment := func(f field, m inventory.Millis) {
		if m != 0 {
			key(f)
			dst = append(dst, '"')
			dst = append(dst, m.String()...)
			dst = append(dst, '"')
		}
	}
	text(fieldID, d.ID)
	text(fieldSource, d.Source)
	text(fieldSKU, d.SKU)
	text(fieldLocation, d.Location)
	text(fieldKind, d.Kind.String())
	if d.Kind.NeedsQuantity() {
		key(fieldQuantity)
		dst = strconv.AppendInt(dst, d.Quantity, 10)
	}
	moment(fieldTime, d.Time)
	text(fieldChannel, d.Channel)
	text(fieldRef, d.Ref)
	text(fieldReason, d.Reason)
	text(fieldCounterparty, d.Counterparty)
	moment(fieldDue, d.Due)
	if d.Price != 0 {
		key(fieldPrice)
		dst = strconv.AppendInt(dst, d.Price, 10)
	}
	if len(d.Attrs) > 0 {
		key(fieldAttrs)
		separator := byte('{')
		for _, a := range d.Attrs {
			dst = append(dst, separator)
			separator = ','
			dst = appendTextJSON(dst, a.Name)
			dst = append(dst, ':')
			dst = appendTextJSON(dst, a.Value)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

func appendTextJSON(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("json of a string: " + err.Error()) // never: a string has no way to fail
	}
	return append(dst, quoted...)
}

func appendOptional(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, codeNil)
	}
	return appendString(dst, s)
}

func appendOptionalInt(dst []byte, v int64) []byte {
	if v == 0 {
		return append(dst, codeNil)
	}
	return appendInt(dst, v)
}

func appendAttrs(dst []byte, attrs []inventory.Attr) []byte {
	if n := len(attrs); n < 16 {
		dst = append(dst, codeFixMap|byte(n))
	} else {
		dst = append(dst, codeMap16)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n)) // each takes a byte of attrs' 1024 at least
	}
	for i := range attrs {
		dst = appendString(dst, attrs[i].Name)
		dst = appendString(dst, attrs[i].Value)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	switch n := len(s); {
	case n < 32:
		dst = append(dst, codeFixStr|byte(n))
	case n <= math.MaxUint8:
		dst = append(dst, codeStr8, byte(n))
	case n <= math.MaxUint16:
		dst = append(dst, codeStr16)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, codeStr32)
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	}
	return append(dst, s...)
}

// appendInt appends v in its shortest form.
func appendInt(dst []byte, v int64) []byte {
	switch {
	case v >= 0 && v <= math.MaxInt8, v < 0 && v >= -32:
		return append(dst, byte(v))
	case v >= math.MinInt8 && v < 0:
		return append(dst, codeInt8, byte(v))
	case v >= math.MinInt16 && v <= math.MaxInt16:
		dst = append(dst, codeInt16)
		return binary.BigEndian.AppendUint16(dst, uint16(v))
	case v >= math.MinInt32 && v <= math.MaxInt32:
		dst = append(dst, codeInt32)
		return binary.BigEndian.AppendUint32(dst, uint32(v))
	}
	dst = append(dst, codeInt64)
	return binary.BigEndian.AppendUint64(dst, uint64(v))
}
