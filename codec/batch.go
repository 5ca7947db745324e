package codec

import (
	"fmt"
	"unsafe"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Span is where an item stands in its payload: payload[Start:End].
type Span struct{ Start, End int }

// Bad is an item that is no delta.
type Bad struct {
	Index int // into Batch.Deltas
	Err   *inventory.Invalid
}

// Batch holds the decoded deltas of one payload or of many. The zero Batch is
// ready for use; one that is used again after Reset allocates nothing for a
// delta in msgpack once it has grown to its size.
//
// Invariants: len(Deltas) == len(Spans); Bad ascends by Index; Deltas[b.Index] is the
// zero Delta for each b of Bad, and every other delta has passed [inventory.Delta.Validate].
//
// The strings of the deltas are the payload's own bytes (see [Batch.Decode]),
// their Attrs are the Batch's. A Batch must not be copied while in use and is not safe for
// concurrent use.
type Batch struct {
	// ItemsMax bounds the items of one decoding, 0 does not: a payload of small bad
	// items takes some 600 times its size in memory. What stands behind them is left alone,
	// and Full says so.
	ItemsMax int
	Full     bool

	Deltas []inventory.Delta // an entry per item, in order, the bad ones included
	Spans  []Span            // of Deltas, each within its own payload
	Bad    []Bad

	// attrs is the arena of all Deltas' Attrs. Where it has to grow, deltas decoded
	// earlier keep the old array; entries are never written twice between two Resets.
	attrs []inventory.Attr
}

// Reset empties b and keeps its memory. The deltas that it held, and their Attrs,
// are not to be used after it. Payloads stay reachable until later deltas take the
// place of theirs.
func (b *Batch) Reset() {
	b.Deltas, b.Spans, b.Bad, b.attrs = b.Deltas[:0], b.Spans[:0], b.Bad[:0], b.attrs[:0]
	b.Full = false
}

// Decode appends every item of payload to b: one or many of msgpack maps, msgpack
// arrays and JSON objects, one after another, told apart by their first byte. It never fails
// as a whole. An item that can be delimited but not used is Bad, and decoding goes
// on behind it. Where the bytes are broken so that the next item can't be found, the
// rest of payload is one last Bad; text is broken up to its next newline only. A
// payload without an item is one malformed item.
//
// The deltas borrow from payload: it must be left alone for as long as they are in use.
func (b *Batch) Decode(payload []byte) {
	b.decode(payload, b.ItemsMax)
}

// MessageItemsMax is how many items a message of a partition's log may have. A full message of 512 KiB has that
// many where each takes 32 bytes, and the shortest that anybody sends takes 40.
const MessageItemsMax = 1 << 14

// DecodeMessage is Decode for a message of a partition's log. What is behind MessageItemsMax items is one last
// Bad, [inventory.TooMany], so that a message costs what its producer says is wrong with it some thousands of
// times at most, and not half a million.
func (b *Batch) DecodeMessage(payload []byte) {
	if rest := b.decode(payload, MessageItemsMax); rest < len(payload) {
		b.reject(Span{rest, len(payload)}, &inventory.Invalid{
			Reason: inventory.TooMany,
			Detail: fmt.Sprintf("%d deltas are the most in a message; these %d bytes behind them were not looked at: send them in others", MessageItemsMax, len(payload)-rest),
		})
	}
}

// decode appends itemsMax items of payload at most, 0: all, and returns where the rest begins.
func (b *Batch) decode(payload []byte, itemsMax int) (rest int) {
	i := skipSpace(payload, 0)
	if i == len(payload) {
		b.reject(Span{0, len(payload)}, malformed("", "an empty payload: one delta or more belong in it"))
		return i
	}
	first := len(b.Deltas)
	for i < len(payload) && b.room(first, itemsMax) {
		i = skipSpace(payload, b.item(payload, i))
	}
	return i
}

// room reports whether there is room for one more item behind those from Deltas[first] on.
func (b *Batch) room(first, itemsMax int) bool {
	b.Full = itemsMax > 0 && len(b.Deltas)-first >= itemsMax
	return !b.Full
}

// item appends the item that begins at payload[start] and returns its end.
func (b *Batch) item(payload []byte, start int) (end int) {
	c := payload[start]
	d := b.grow()
	attrs := len(b.attrs)
	var bad *inventory.Invalid
	switch {
	case isPacked(c):
		end, bad = b.decodePacked(payload, start, d)
	case c == '{':
		end, bad = b.decodeObject(payload, start, d)
	default:
		bad = foreign(payload, start)
	}
	if bad == nil {
		b.Spans = append(b.Spans, Span{start, end})
		return end
	}

	b.attrs = b.attrs[:attrs]
	b.Deltas = b.Deltas[:len(b.Deltas)-1]
	var broken *inventory.Invalid
	if isText(c) {
		end, broken = delimitText(payload, start)
	} else {
		end, broken = delimitPacked(payload, start)
	}
	if broken != nil && (isPacked(c) || c == '{') {
		bad = broken
	}
	b.reject(Span{start, end}, bad)
	return end
}

// grow appends a zero Delta and returns it.
func (b *Batch) grow() *inventory.Delta {
	n := len(b.Deltas)
	if n == cap(b.Deltas) {
		b.Deltas = append(b.Deltas, inventory.Delta{})
		return &b.Deltas[n]
	}
	b.Deltas = b.Deltas[:n+1]
	b.Deltas[n] = inventory.Delta{}
	return &b.Deltas[n]
}

// reject appends an item that is no delta.
func (b *Batch) reject(span Span, err *inventory.Invalid) {
	b.Bad = append(b.Bad, Bad{len(b.Deltas), err})
	b.grow()
	b.Spans = append(b.Spans, span)
}

// finish checks a delta whose fields have all been read; given are those that were
// there and not nil.
func finish(d *inventory.Delta, given fieldSet) *inventory.Invalid {
	if !given.has(fieldKind) {
		return &inventory.Invalid{Reason: inventory.MissingField, Field: "kind", Detail: "needed"}
	}
	if !d.Kind.NeedsQuantity() {
		d.Quantity = 0
	} else if !given.has(fieldQuantity) {
		return &inventory.Invalid{Reason: inventory.MissingField, Field: "quantity", Detail: "needed by a " + d.Kind.String()}
	}
	if err := d.Validate(); err != nil {
		return err.(*inventory.Invalid) // Validate returns nothing else
	}
	return nil
}

// addAttr appends one entry to the attrs of the delta being decoded, which begin at
// b.attrs[first], unless they would be more than any delta may have.
func (b *Batch) addAttr(first int, name, value string) *inventory.Invalid {
	size := len(name) + len(value)
	for i := first; i < len(b.attrs); i++ {
		size += len(b.attrs[i].Name) + len(b.attrs[i].Value)
	}
	if name == "" || size > inventory.AttrsBytesMax {
		return attrsOutOfRange(name)
	}
	b.attrs = append(b.attrs, inventory.Attr{Name: name, Value: value})
	return nil
}

// takeAttrs returns the attrs from b.attrs[first] on as a delta's own: appending to them
// copies.
func (b *Batch) takeAttrs(first int) []inventory.Attr {
	if first == len(b.attrs) {
		return nil
	}
	return b.attrs[first:len(b.attrs):len(b.attrs)]
}

func attrsOutOfRange(name string) *inventory.Invalid {
	detail := fmt.Sprintf("names and values are above %d bytes", inventory.AttrsBytesMax)
	if name == "" {
		detail = "a name is empty"
	}
	return &inventory.Invalid{Reason: inventory.OutOfRange, Field: "attrs", Detail: detail}
}

// foreign says what is wrong with an item that begins with none of the bytes that a
// delta begins with.
func foreign(payload []byte, at int) *inventory.Invalid {
	const accepted = "a delta is a JSON object, a msgpack map or a msgpack array"
	switch c := payload[at]; {
	case c == '[':
		return malformed("", "a JSON array: write the objects one after another, without brackets and commas (POST /v1/deltas takes arrays)")
	case isText(c):
		return malformed("", "starts with %q; %s", c, accepted)
	default:
		return malformed("", "starts with byte 0x%02x, %s in msgpack; %s", c, typeName(c), accepted)
	}
}

func malformed(name, format string, args ...any) *inventory.Invalid {
	return &inventory.Invalid{Reason: inventory.Malformed, Field: name, Detail: fmt.Sprintf(format, args...)}
}

// beyondInt64 says that an integer is too large to be held at all.
func beyondInt64(f field) *inventory.Invalid {
	reason := inventory.Overflow
	if f == fieldTime || f == fieldDue {
		reason = inventory.OutOfRange
	}
	return &inventory.Invalid{Reason: reason, Field: f.String(), Detail: "beyond the range of an int64"}
}

func noSuchKind(name string) *inventory.Invalid {
	return &inventory.Invalid{Reason: inventory.UnknownKind, Field: "kind", Detail: "no kind is called " + quote(name)}
}

func notATime(f field, text string) *inventory.Invalid {
	return malformed(f.String(), "%s is not RFC 3339, such as 2026-11-24T09:30:00Z", quote(text))
}

// quote makes a foreign string safe and short enough for an error message.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}

// borrow returns the string whose bytes are b itself: the one place where deltas come
// to alias their payload.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
