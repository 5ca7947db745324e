package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Parse reads one message, or says why it is none. The result shares no memory with data.
func Parse(data []byte) (Message, *inventory.Invalid) {
	if len(data) > BytesMax {
		return Message{}, malformed("", "%d bytes; a control message has %d at most", len(data), BytesMax)
	}
	r, bad := readFields(data)
	if bad != nil {
		return Message{}, bad
	}
	m := Message{ID: r.name("id", needed), By: r.name("by", needed), Time: r.time("time")}
	switch kind := Kind(r.text("kind", needed, NameBytesMax)); kind {
	case KindDecision:
		m.Decision = r.decision()
	case KindPolicy:
		m.Policy = r.document("policy")
	case KindMaster:
		m.Master = r.master()
	default:
		r.fail(&inventory.Invalid{Reason: inventory.UnknownKind, Field: "kind", Detail: quote(string(kind)) + " given; there are decision, policy and master"})
	}
	r.nothingLeft()
	if r.bad != nil {
		return Message{}, r.bad
	}
	return m, nil
}

func (r *reader) decision() Decision {
	d := Decision{
		Exception: r.name("exception", needed),
		Action:    Action(r.text("action", needed, NameBytesMax)),
		Note:      r.text("note", optional, NoteBytesMax),
		Owner:     r.name("owner", optional),
	}
	if !slices.Contains(Actions(), d.Action) {
		r.fail(outOfRange("action", "%s given; there are approve, reject, resolve and assign", quote(string(d.Action))))
	}
	if d.Action == Assign && d.Owner == "" {
		r.fail(&inventory.Invalid{Reason: inventory.MissingField, Field: "owner", Detail: "needed: whom it is assigned to"})
	}
	return d
}

func (r *reader) master() *inventory.Master {
	m := &inventory.Master{}
	r.entries("skus", &m.SKUs)
	r.entries("locations", &m.Locations)
	if n := len(m.SKUs) + len(m.Locations); n > EntriesMax {
		r.fail(outOfRange("skus", "%d SKUs and locations; a message has %d at most", n, EntriesMax))
		return m
	}
	if err := m.Validate(); err != nil {
		r.fail(err.(*inventory.Invalid))
	}
	return m
}

// entries takes a list of objects of which each field is known.
func (r *reader) entries(field string, into any) {
	raw, given := r.take(field)
	if !given {
		return
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		r.fail(malformed(field, "a list of objects belongs here: %v", err))
	}
}

// reader takes the fields of an object one by one; the first that is wrong is kept.
type reader struct {
	fields map[string]json.RawMessage
	bad    *inventory.Invalid
}

// readFields reads one JSON object with each name once, and nothing behind it.
func readFields(data []byte) (*reader, *inventory.Invalid) {
	if !utf8.Valid(data) {
		return nil, malformed("", "not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, malformed("", "a control message is one JSON object, such as {\"id\":…,\"kind\":\"decision\",…}")
	}
	r := &reader{fields: map[string]json.RawMessage{}}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, malformed("", "broken JSON: %v", err)
		}
		name := token.(string) // the decoder takes nothing else for a name
		if _, twice := r.fields[name]; twice {
			return nil, malformed(name, "given twice")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, malformed(name, "broken JSON: %v", err)
		}
		r.fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed("", "broken JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, malformed("", "something follows the object")
	}
	return r, nil
}

// need says whether a field may be left out.
type need bool

const (
	needed   need = true
	optional need = false
)

func (r *reader) name(field string, n need) string { return r.text(field, n, NameBytesMax) }

// document takes a string of several lines.
func (r *reader) document(field string) string {
	s, ok := r.string(field)
	if ok && s == "" {
		r.fail(missing(field))
	}
	return s
}

func (r *reader) string(field string) (s string, ok bool) {
	raw, given := r.take(field)
	if given && (len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil) {
		r.fail(malformed(field, "a string belongs here"))
		return "", false
	}
	return s, true
}

// text takes a string without control characters; one that is empty is not given.
func (r *reader) text(field string, n need, bytesMax int) string {
	s, ok := r.string(field)
	switch {
	case !ok:
	case s == "" && n == needed:
		r.fail(missing(field))
	case len(s) > bytesMax:
		r.fail(outOfRange(field, "%d bytes, %d at most", len(s), bytesMax))
	case strings.ContainsFunc(s, isControl):
		r.fail(outOfRange(field, "it holds a control character"))
	}
	return s
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// time takes an RFC 3339 string or integer Unix milliseconds.
func (r *reader) time(field string) (at inventory.Millis) {
	raw, given := r.take(field)
	if !given {
		return 0
	}
	if err := at.UnmarshalJSON(raw); err != nil || at < 0 || at > inventory.MillisMax {
		r.fail(outOfRange(field, "an RFC 3339 time or Unix milliseconds belong here, between 1970 and 9999"))
		return 0
	}
	return at
}

func (r *reader) take(field string) (raw json.RawMessage, given bool) {
	raw, given = r.fields[field]
	delete(r.fields, field)
	return raw, given
}

// nothingLeft fails where a field was not taken: a slip of the pen must not be a default.
func (r *reader) nothingLeft() {
	if len(r.fields) > 0 {
		r.fail(malformed(slices.Min(slices.Collect(maps.Keys(r.fields))), "a message of that kind has no such field"))
	}
}

func (r *reader) fail(bad *inventory.Invalid) {
	if r.bad == nil {
		r.bad = bad
	}
}

func missing(field string) *inventory.Invalid {
	return &inventory.Invalid{Reason: inventory.MissingField, Field: field, Detail: "needed"}
}

func malformed(field, format string, args ...any) *inventory.Invalid {
	return &inventory.Invalid{Reason: inventory.Malformed, Field: quoteField(field), Detail: fmt.Sprintf(format, args...)}
}

func outOfRange(field, format string, args ...any) *inventory.Invalid {
	return &inventory.Invalid{Reason: inventory.OutOfRange, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// quoteField makes a field's foreign name safe and short enough for an error message.
func quoteField(field string) string {
	if q := quote(field); len(q) != len(field)+2 {
		return q
	}
	return field
}

func quote(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
