package codec

import "github.com/holdfast-atp/holdfast/inventory"

// decodePacked reads the msgpack map or array that begins at buf[start] into d, which is
// zero. Where it returns an Invalid, d and end mean nothing, and the caller finds the item's end
// with delimitPacked. It allocates nothing for a good delta but room in the arena of attrs.
func (b *Batch) decodePacked(buf []byte, start int, d *inventory.Delta) (end int, bad *inventory.Invalid) {
	n, named, i := packedHeader(buf, start)
	if i < 0 {
		return 0, errCut
	}
	if !named && n > int(fields) {
		return 0, malformed("", "an array of %d values; a delta has %d: id, source, … attrs", n, fields)
	}
	var seen, given fieldSet
	for k := 0; k < n; k++ {
		f := field(k)
		if named {
			if f, i, bad = readKey(buf, i, seen); bad != nil {
				return 0, bad
			}
			if f == fieldUnknown {
				if i, bad = skipPacked(buf, i, depthMax-1); bad != nil {
					return 0, bad
				}
				continue
			}
			seen.add(f)
		}
		if i >= len(buf) {
			return 0, errCut
		}
		if buf[i] == codeNil {
			i++
			continue
		}
		given.add(f)
		next := 0
		switch f {
		case fieldID:
			d.ID, next = readString(buf, i)
		case fieldSource:
			d.Source, next = readString(buf, i)
		case fieldSKU:
			d.SKU, next = readString(buf, i)
		case fieldLocation:
			d.Location, next = readString(buf, i)
		case fieldKind:
			d.Kind, next = readKind(buf, i)
		case fieldQuantity:
			d.Quantity, next = readInt(buf, i)
		case fieldTime:
			d.Time, next = readMillis(buf, i)
		case fieldChannel:
			d.Channel, next = readString(buf, i)
		case fieldRef:
			d.Ref, next = readString(buf, i)
		case fieldReason:
			d.Reason, next = readString(buf, i)
		case fieldCounterparty:
			d.Counterparty, next = readString(buf, i)
		case fieldDue:
			d.Due, next = readMillis(buf, i)
		case fieldPrice:
			d.Price, next = readInt(buf, i)
		case fieldAttrs:
			if d.Attrs, next, bad = b.readAttrs(buf, i); bad != nil {
				return 0, bad
			}
		}
		if next < 0 {
			return 0, explainPacked(f, buf, i, next)
		}
		i = next
	}
	return i, finish(d, given)
}

// readKey reads a map's next key; a field of seen is refused.
func readKey(buf []byte, i int, seen fieldSet) (f field, next int, bad *inventory.Invalid) {
	name, next := readString(buf, i)
	if next < 0 {
		if i >= len(buf) {
			return 0, 0, errCut
		}
		return 0, 0, malformed("", "%s as a map's key; keys are strings", typeName(buf[i]))
	}
	f = fieldOf(name)
	if f != fieldUnknown && seen.has(f) {
		return 0, 0, malformed(f.String(), "given twice")
	}
	return f, next, nil
}

// readAttrs reads a map of strings. An entry whose value is nil is absent.
func (b *Batch) readAttrs(buf []byte, i int) (attrs []inventory.Attr, next int, bad *inventory.Invalid) {
	n, named, next := packedHeader(buf, i)
	if next < 0 || !named {
		return nil, 0, explainPacked(fieldAttrs, buf, i, wrongType)
	}
	first := len(b.attrs)
	for range n {
		at := next
		name, next1 := readString(buf, at)
		if next1 < 0 {
			return nil, 0, explainPacked(fieldAttrs, buf, at, wrongType)
		}
		if next1 < len(buf) && buf[next1] == codeNil {
			next = next1 + 1
			continue
		}
		value, next2 := readString(buf, next1)
		if next2 < 0 {
			return nil, 0, explainPacked(fieldAttrs, buf, next1, wrongType)
		}
		if bad := b.addAttr(first, name, value); bad != nil {
			return nil, 0, bad
		}
		next = next2
	}
	return b.takeAttrs(first), next, nil
}

// explainPacked says why the value at buf[i], of f or within it, could not be read.
// Where it is cut off, what this says is not heard: see errCut.
func explainPacked(f field, buf []byte, i, why int) *inventory.Invalid {
	if i >= len(buf) {
		return errCut
	}
	switch why {
	case tooLarge:
		return beyondInt64(f)
	case unknownKind:
		name, _ := readString(buf, i)
		return noSuchKind(name)
	case badTime:
		if text, next := readString(buf, i); next >= 0 {
			return notATime(f, text)
		}
		return malformed(f.String(), "a msgpack timestamp whose nanoseconds make a second or more")
	}
	return malformed(f.String(), "%s given; %s belongs here", typeName(buf[i]), f.belongs())
}
