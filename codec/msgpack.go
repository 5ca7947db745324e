package codec

import (
	"encoding/binary"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The first bytes of msgpack's values that this package names.
const (
	codeFixMap   = 0x80 // … 0x8f
	codeFixArray = 0x90 // … 0x9f
	codeFixStr   = 0xa0 // … 0xbf
	codeNil      = 0xc0
	codeNever    = 0xc1
	codeFalse    = 0xc2
	codeTrue     = 0xc3
	codeBin8     = 0xc4
	codeBin32    = 0xc6
	codeExt8     = 0xc7
	codeExt16    = 0xc8
	codeExt32    = 0xc9
	codeFloat32  = 0xca
	codeFloat64  = 0xcb
	codeUint8    = 0xcc
	codeUint16   = 0xcd
	codeUint32   = 0xce
	codeUint64   = 0xcf
	codeInt8     = 0xd0
	codeInt16    = 0xd1
	codeInt32    = 0xd2
	codeInt64    = 0xd3
	codeFixExt1  = 0xd4
	codeFixExt16 = 0xd8
	codeStr8     = 0xd9
	codeStr16    = 0xda
	codeStr32    = 0xdb
	codeArray16  = 0xdc
	codeArray32  = 0xdd
	codeMap16    = 0xde
	codeMap32    = 0xdf
	codeNegative = 0xe0 // … 0xff: −32 … −1

	extTimestamp = -1
)

// The functions that read a value at buf[i] return the index behind it, or one of
// these. A value that is cut off is of the wrong type to them: whoever delimits the
// item afterwards finds out which it was.
const (
	wrongType   = -1
	tooLarge    = -2 // an integer beyond int64
	badTime     = -3 // a string that is not RFC 3339, a timestamp out of its own bounds
	unknownKind = -4

	fraction      = -5 // JSON only: a number that is no integer literal
	loneSurrogate = -6 // JSON only: half a pair of \u escapes
)

// depthMax bounds how deep an item may nest, which only an unknown field lets it: the item
// itself is the first level, in msgpack and in JSON.
const depthMax = 64

// errCut stands for an item that its payload cuts off, where a reader meets the end.
// Nobody sees it: delimiting the item fails too, and that says where.
var errCut = &inventory.Invalid{Reason: inventory.Malformed, Detail: "cut off"}

func isPacked(c byte) bool {
	return c >= codeFixMap && c < codeFixStr || c >= codeArray16 && c <= codeMap32
}

// readString reads a string, which is buf's own bytes. Binary is not a string.
func readString(buf []byte, i int) (s string, next int) {
	if uint(i) >= uint(len(buf)) {
		return "", wrongType
	}
	c := buf[i]
	i++
	n := int(c ^ codeFixStr)
	if n > 31 {
		if n, i = longStringHeader(buf, i, c); i < 0 {
			return "", wrongType
		}
	}
	if n > len(buf)-i {
		return "", wrongType
	}
	return borrow(buf[i : i+n]), i + n
}

// longStringHeader reads the length behind c, the first byte of a string of more than 31 bytes.
func longStringHeader(buf []byte, i int, c byte) (n, next int) {
	if c < codeStr8 || c > codeStr32 {
		return 0, wrongType
	}
	return readLength(buf, i, 1<<(c-codeStr8))
}

// readLength reads a length of 1, 2 or 4 bytes. Every byte and every entry that it
// counts is at least one byte of buf; a length that buf can't hold is cut off.
func readLength(buf []byte, i, width int) (n, next int) {
	if width > len(buf)-i {
		return 0, wrongType
	}
	u := bigEndian(buf[i : i+width])
	if u > uint64(len(buf)) {
		return 0, wrongType
	}
	return int(u), i + width
}

// bigEndian reads an unsigned integer of 1, 2, 4 or 8 bytes, sign bit and all.
func bigEndian(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	}
	return binary.BigEndian.Uint64(b)
}

// readInt reads an integer of any width.
func readInt(buf []byte, i int) (v int64, next int) {
	if uint(i) >= uint(len(buf)) {
		return 0, wrongType
	}
	c := buf[i]
	i++
	if c < codeFixMap || c >= codeNegative {
		return int64(int8(c)), i
	}
	if c < codeUint8 || c > codeInt64 {
		return 0, wrongType
	}
	width := 1 << (c & 3) // 0xcc … 0xcf and 0xd0 … 0xd3 are of 1, 2, 4 and 8 bytes
	if width > len(buf)-i {
		return 0, wrongType
	}
	u := bigEndian(buf[i : i+width])
	i += width
	if c >= codeInt8 {
		shift := 64 - 8*width
		return int64(u<<shift) >> shift, i
	}
	if int64(u) < 0 {
		return 0, tooLarge
	}
	return int64(u), i
}

// readKind reads a kind by its name.
func readKind(buf []byte, i int) (k inventory.Kind, next int) {
	name, next := readString(buf, i)
	if next < 0 {
		return inventory.KindNone, next
	}
	if k = inventory.ParseKind(name); k == inventory.KindNone {
		return k, unknownKind
	}
	return k, next
}

// readMillis reads a moment: integer milliseconds, an RFC 3339 string or a
// msgpack timestamp.
func readMillis(buf []byte, i int) (m inventory.Millis, next int) {
	v, next := readInt(buf, i)
	if next != wrongType {
		return inventory.Millis(v), next
	}
	if text, next := readString(buf, i); next >= 0 {
		m, err := inventory.ParseMillis(text)
		if err != nil {
			return 0, badTime
		}
		return m, next
	}
	return readTimestamp(buf, i)
}

// readTimestamp reads extension type −1: seconds in 4 bytes; nanoseconds and seconds
// in 30 and 34 bits; or in 4 and 8 bytes.
func readTimestamp(buf []byte, i int) (m inventory.Millis, next int) {
	typ, data, next := readExt(buf, i)
	if next < 0 || typ != extTimestamp {
		return 0, wrongType
	}
	var seconds, nanos int64
	switch len(data) {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(data))
	case 8:
		both := binary.BigEndian.Uint64(data)
		seconds, nanos = int64(both&(1<<34-1)), int64(both>>34)
	case 12:
		nanos, seconds = int64(binary.BigEndian.Uint32(data)), int64(binary.BigEndian.Uint64(data[4:]))
	default:
		return 0, wrongType
	}
	if nanos >= 1e9 {
		return 0, badTime
	}
	const limit = int64(inventory.MillisMax/inventory.Second) + 1
	if seconds > limit || seconds < -limit { // keeps the product within int64; Validate refuses the rest
		return 0, tooLarge
	}
	return inventory.Millis(seconds*1000 + nanos/1e6), next
}

// readExt reads an extension value.
func readExt(buf []byte, i int) (typ int8, data []byte, next int) {
	if i >= len(buf) {
		return 0, nil, wrongType
	}
	c := buf[i]
	i++
	var n int
	switch {
	case c >= codeFixExt1 && c <= codeFixExt16:
		n = 1 << (c - codeFixExt1)
	case c >= codeExt8 && c <= codeExt32:
		if n, i = readLength(buf, i, 1<<(c-codeExt8)); i < 0 {
			return 0, nil, wrongType
		}
	default:
		return 0, nil, wrongType
	}
	if n+1 > len(buf)-i {
		return 0, nil, wrongType
	}
	return int8(buf[i]), buf[i+1 : i+1+n], i + 1 + n
}

// packedHeader reads the head of a map (named) or an array: n entries or values follow.
func packedHeader(buf []byte, i int) (n int, named bool, next int) {
	if i >= len(buf) {
		return 0, false, wrongType
	}
	c := buf[i]
	i++
	switch {
	case c >= codeFixMap && c < codeFixStr:
		return int(c & 15), c < codeFixArray, i
	case c == codeArray16 || c == codeMap16:
		n, i = readLength(buf, i, 2)
	case c == codeArray32 || c == codeMap32:
		n, i = readLength(buf, i, 4)
	default:
		return 0, false, wrongType
	}
	return n, c >= codeMap16, i
}

// delimitPacked returns the end of the map or array at buf[start]. Where that can't be
// found, the rest of buf is lost, and broken says why.
func delimitPacked(buf []byte, start int) (end int, broken *inventory.Invalid) {
	end, broken = skipPacked(buf, start, depthMax)
	if broken != nil {
		return len(buf), broken
	}
	return end, nil
}

// skipPacked returns the end of the value at buf[i], which may hold others up to
// depth levels deep. It looks at no string's bytes and at each other byte once.
func skipPacked(buf []byte, i, depth int) (next int, broken *inventory.Invalid) {
	if i >= len(buf) {
		return 0, cutOff(buf)
	}
	c := buf[i]
	if n, named, next := packedHeader(buf, i); next >= 0 {
		if depth == 0 {
			return 0, tooDeep(i)
		}
		if named {
			n *= 2
		}
		for ; n > 0 && broken == nil; n-- {
			next, broken = skipPacked(buf, next, depth-1)
		}
		return next, broken
	}
	next = i + 1
	switch {
	case c < codeFixMap || c >= codeNegative || c == codeNil || c == codeFalse || c == codeTrue:
	case c >= codeFixStr && c < codeNil || c >= codeStr8 && c <= codeStr32:
		_, next = readString(buf, i)
	case c >= codeBin8 && c <= codeBin32:
		var n int
		if n, next = readLength(buf, next, 1<<(c-codeBin8)); next >= 0 {
			next += n
		}
	case c == codeFloat32:
		next += 4
	case c == codeFloat64:
		next += 8
	case c >= codeUint8 && c <= codeInt64:
		next += 1 << (c & 3)
	case c >= codeExt8 && c <= codeExt32 || c >= codeFixExt1 && c <= codeFixExt16:
		_, _, next = readExt(buf, i)
	case c == codeNever:
		return 0, malformed("", "byte 0x%02x at %d is never part of msgpack", c, i)
	default: // the head of a map or an array that is cut off
		next = wrongType
	}
	if next < 0 || next > len(buf) {
		return 0, cutOff(buf)
	}
	return next, nil
}

func cutOff(buf []byte) *inventory.Invalid {
	return malformed("", "cut off: the payload ends at byte %d, within an item", len(buf))
}

func tooDeep(at int) *inventory.Invalid {
	return malformed("", "nested more than %d levels deep at byte %d", depthMax, at)
}

// typeName names the type of the value that begins with c.
func typeName(c byte) string {
	switch {
	case c < codeFixMap || c >= codeNegative || c >= codeUint8 && c <= codeInt64:
		return "an integer"
	case c < codeFixArray || c == codeMap16 || c == codeMap32:
		return "a map"
	case c < codeFixStr || c == codeArray16 || c == codeArray32:
		return "an array"
	case c < codeNil || c >= codeStr8 && c <= codeStr32:
		return "a string"
	case c == codeNil:
		return "nil"
	case c == codeNever:
		return "a byte that msgpack never uses"
	case c == codeFalse || c == codeTrue:
		return "a boolean"
	case c <= codeBin32:
		return "binary"
	case c == codeFloat32 || c == codeFloat64:
		return "a floating-point number"
	}
	return "an extension"
}
