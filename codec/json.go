package codec

import (
	"fmt"
	"unicode/utf8"

	"github.com/holdfast-atp/holdfast/inventory"
)

// DecodeJSONArray appends the elements of a JSON array of deltas to b, as
// POST /v1/deltas takes it. An element that is no delta is Bad; Spans are within body.
// Only where body as a whole is not one JSON array is there an error, and then nothing
// has been appended. The deltas borrow from body.
func (b *Batch) DecodeJSONArray(body []byte) error {
	start := skipSpace(body, 0)
	if start == len(body) || body[start] != '[' {
		return fmt.Errorf("no JSON array: %q", cutTo(body[start:], 20))
	}
	end, broken := skipValue(body, start, depthMax)
	if broken != nil {
		return broken
	}
	if rest := skipSpace(body, end); rest < len(body) {
		return fmt.Errorf("the array ends at byte %d, but %q follows", end, cutTo(body[rest:], 20))
	}
	first := len(b.Deltas)
	i := skipSpace(body, start+1)
	for body[i] != ']' && b.room(first, b.ItemsMax) {
		i = skipSpace(body, b.element(body, i))
		if body[i] == ',' {
			i = skipSpace(body, i+1)
		}
	}
	return nil
}

// element appends the array's element at body[start] and returns its end. The
// array is known to be sound.
func (b *Batch) element(body []byte, start int) (end int) {
	if body[start] == '{' {
		return b.item(body, start)
	}
	end, _ = skipValue(body, start, depthMax)
	b.reject(Span{start, end}, malformed("", "%s given; a delta is an object", jsonTypeName(body[start])))
	return end
}

func cutTo(text []byte, most int) []byte { return text[:min(len(text), most)] }

// decodeObject reads the JSON object that begins at buf[start] into d, which is zero. Where
// it returns an Invalid, d and end mean nothing, and the caller finds the item's end with
// delimitText.
func (b *Batch) decodeObject(buf []byte, start int, d *inventory.Delta) (end int, bad *inventory.Invalid) {
	var seen, given fieldSet
	i := skipSpace(buf, start+1)
	if i < len(buf) && buf[i] == '}' {
		return i + 1, finish(d, given)
	}
	for {
		f, value, bad := readName(buf, i, seen)
		if bad != nil {
			return 0, bad
		}
		var next int
		switch {
		case f == fieldUnknown:
			if next, bad = skipValue(buf, value, depthMax-1); bad != nil {
				return 0, bad
			}
		case skipWord(buf, value, "null") >= 0:
			next = value + len("null")
			seen.add(f)
		default:
			if next, bad = b.readValue(buf, value, f, d); bad != nil {
				return 0, bad
			}
			seen.add(f)
			given.add(f)
		}
		i = skipSpace(buf, next)
		if i >= len(buf) {
			return 0, errCut
		}
		if buf[i] == '}' {
			break
		}
		if buf[i] != ',' {
			return 0, errCut
		}
		i = skipSpace(buf, i+1)
	}
	if bad := finish(d, given); bad != nil {
		return 0, bad
	}
	if !utf8.Valid(buf[start:i]) { // the fields are good, so it is in what is unknown
		return 0, malformed("", "not UTF-8")
	}
	return i + 1, nil
}

// readName reads a member's name and colon, and returns where its value begins. A field of
// seen is refused.
func readName(buf []byte, i int, seen fieldSet) (f field, value int, bad *inventory.Invalid) {
	name, next := readText(buf, i)
	if next < 0 {
		if next == loneSurrogate {
			return 0, 0, malformed("", "a name has half a surrogate pair")
		}
		return 0, 0, errCut
	}
	if next = skipSpace(buf, next); next >= len(buf) || buf[next] != ':' {
		return 0, 0, errCut
	}
	f = fieldOf(name)
	if f != fieldUnknown && seen.has(f) {
		return 0, 0, malformed(name, "given twice")
	}
	return f, skipSpace(buf, next+1), nil
}

// readValue reads the value of f at buf[i], which is not null, into d.
func (b *Batch) readValue(buf []byte, i int, f field, d *inventory.Delta) (next int, bad *inventory.Invalid) {
	switch f {
	case fieldID:
		d.ID, next = readText(buf, i)
	case fieldSource:
		d.Source, next = readText(buf, i)
	case fieldSKU:
		d.SKU, next = readText(buf, i)
	case fieldLocation:
		d.Location, next = readText(buf, i)
	case fieldKind:
		d.Kind, next = readKindText(buf, i)
	case fieldQuantity:
		d.Quantity, next = readInteger(buf, i)
	case fieldTime:
		d.Time, next = readMillisText(buf, i)
	case fieldChannel:
		d.Channel, next = readText(buf, i)
	case fieldRef:
		d.Ref, next = readText(buf, i)
	case fieldReason:
		d.Reason, next = readText(buf, i)
	case fieldCounterparty:
		d.Counterparty, next = readText(buf, i)
	case fieldDue:
		d.Due, next = readMillisText(buf, i)
	case fieldPrice:
		d.Price, next = readInteger(buf, i)
	case fieldAttrs:
		d.Attrs, next, bad = b.readAttrsText(buf, i)
	}
	if bad == nil && next < 0 {
		bad = explainText(f, buf, i, next)
	}
	return next, bad
}

// readKindText reads a kind by its name.
func readKindText(buf []byte, i int) (k inventory.Kind, next int) {
	name, next := readText(buf, i)
	if next < 0 {
		return inventory.KindNone, next
	}
	if k = inventory.ParseKind(name); k == inventory.KindNone {
		return k, unknownKind
	}
	return k, next
}

// readMillisText reads a moment: an RFC 3339 string or integer milliseconds.
func readMillisText(buf []byte, i int) (m inventory.Millis, next int) {
	if i < len(buf) && buf[i] != '"' {
		v, next := readInteger(buf, i)
		return inventory.Millis(v), next
	}
	text, next := readText(buf, i)
	if next < 0 {
		return 0, next
	}
	m, err := inventory.ParseMillis(text)
	if err != nil {
		return 0, badTime
	}
	return m, next
}

// readAttrsText reads an object of strings. A member whose value is null is absent.
func (b *Batch) readAttrsText(buf []byte, i int) (attrs []inventory.Attr, next int, bad *inventory.Invalid) {
	if i >= len(buf) || buf[i] != '{' {
		return nil, 0, explainText(fieldAttrs, buf, i, wrongType)
	}
	first := len(b.attrs)
	i = skipSpace(buf, i+1)
	if i < len(buf) && buf[i] == '}' {
		return nil, i + 1, nil
	}
	for {
		name, next := readText(buf, i)
		if next < 0 {
			return nil, 0, explainText(fieldAttrs, buf, i, next)
		}
		if i = skipSpace(buf, next); i >= len(buf) || buf[i] != ':' {
			return nil, 0, errCut
		}
		i = skipSpace(buf, i+1)
		if next = skipWord(buf, i, "null"); next < 0 {
			var value string
			if value, next = readText(buf, i); next < 0 {
				return nil, 0, explainText(fieldAttrs, buf, i, next)
			}
			if bad := b.addAttr(first, name, value); bad != nil {
				return nil, 0, bad
			}
		}
		i = skipSpace(buf, next)
		switch {
		case i < len(buf) && buf[i] == '}':
			return b.takeAttrs(first), i + 1, nil
		case i < len(buf) && buf[i] == ',':
			i = skipSpace(buf, i+1)
		default:
			return nil, 0, errCut
		}
	}
}

// explainText says why the value at buf[i], of f or within it, could not be read.
// Where its syntax is wrong, what this says is not heard: see errCut.
func explainText(f field, buf []byte, i, why int) *inventory.Invalid {
	if i >= len(buf) {
		return errCut
	}
	switch why {
	case tooLarge:
		return beyondInt64(f)
	case loneSurrogate:
		return malformed(f.String(), "half a surrogate pair, which is no character")
	case unknownKind:
		name, _ := readText(buf, i)
		return noSuchKind(name)
	case badTime:
		text, _ := readText(buf, i)
		return notATime(f, text)
	case fraction:
		next, _ := scanNumber(buf, i)
		return malformed(f.String(), "%s is no integer literal: write 5, not 5.0 or 5e0", quote(string(buf[i:next])))
	}
	if next, _ := scanString(buf, i); next >= 0 && (f == fieldQuantity || f == fieldPrice) {
		return malformed(f.String(), "%s is a string; write an integer without quotes", quote(string(buf[i:next])))
	}
	return malformed(f.String(), "%s given; %s belongs here", jsonTypeName(buf[i]), f.belongs())
}

// jsonTypeName names the type of the value that begins with c.
func jsonTypeName(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
