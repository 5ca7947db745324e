package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTheLibrariesReadWhatIsWritten: to msgpack/v5 and encoding/json a delta in any form is
// the delta that was written.
func TestTheLibrariesReadWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDelta().Draw(t, "delta")
		for name, form := range forms {
			got, err := libraryFields(form(nil, &d))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if want := fieldsOf(&d); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s:\n got %v\nwant %v", name, got, want)
			}
		}
	})
}

// TestWhatTheLibrariesWriteIsRead draws how a program with a library might write a delta: any
// width of integer, any sort of time, any order of fields, and fields that nobody knows yet.
func TestWhatTheLibrariesWriteIsRead(t *testing.T) {
	unknown := map[string]any{
		"z_nested": map[string]any{"list": []any{1, "two", nil, 3.5, float32(4), []byte{5}, true}, "": map[string]any{}},
		"z_long":   strings.Repeat("x", 70_000), "z_bytes": make([]byte, 300), "z_list": make([]int, 20), "z_none": nil,
	}
	rapid.Check(t, func(t *rapid.T) {
		d := anyDelta().Draw(t, "delta")
		fields := fieldsOf(&d)

		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		wantOne(t, text, d)

		for f, v := range fields {
			n, integer := v.(int64)
			if integer && (f == "time" || f == "due") && rapid.Bool().Draw(t, f+" as a time") {
				fields[f] = anyTime(t, inventory.Millis(n))
			} else if integer {
				fields[f] = anyWidth(t, n)
			}
		}
		packed := new(bytes.Buffer)
		e := msgpack.NewEncoder(packed) // each integer in the width of its type
		values := make([]any, rapid.IntRange(arrayLength(&d), len(fieldNames)).Draw(t, "array length"))
		for i := range values {
			values[i] = fields[field(i).String()]
		}
		if err := e.Encode(values); err != nil {
			t.Fatal(err)
		}
		wantOne(t, packed.Bytes(), d)

		for _, name := range fieldNames {
			if _, ok := fields[name]; !ok && rapid.Bool().Draw(t, "nil "+name) {
				fields[name] = nil
			}
		}
		for name, v := range unknown {
			fields[name] = v
		}
		packed.Reset()
		if err := e.EncodeMapLen(len(fields)); err != nil {
			t.Fatal(err)
		}
		for _, name := range rapid.Permutation(slices.Sorted(maps.Keys(fields))).Draw(t, "order") {
			if err := e.EncodeMulti(name, fields[name]); err != nil {
				t.Fatal(err)
			}
		}
		wantOne(t, packed.Bytes(), d)
	})
}

// anyWidth returns n in a type that holds it; the library writes each in its own width.
func anyWidth(t *rapid.T, n int64) any {
	fitting := []any{n}
	if n >= 0 {
		fitting = append(fitting, uint64(n))
	}
	for _, v := range []any{int8(n), int16(n), int32(n), uint8(n), uint16(n), uint32(n)} {
		if fmt.Sprint(v) == fmt.Sprint(n) {
			fitting = append(fitting, v)
		}
	}
	return rapid.SampledFrom(fitting).Draw(t, "width")
}

// anyTime returns m as RFC 3339 or as a time, which the library makes a timestamp of 4, 8 or 12 bytes.
func anyTime(t *rapid.T, m inventory.Millis) any {
	if rapid.Bool().Draw(t, "as text") {
		return m.String()
	}
	return m.Time()
}

func wantOne(t *rapid.T, payload []byte, want inventory.Delta) {
	t.Helper()
	var b Batch
	b.Decode(payload)
	if len(b.Bad) > 0 || len(b.Deltas) != 1 {
		t.Fatalf("%.300q: %d deltas, bad %v", payload, len(b.Deltas), b.Bad)
	}
	got := b.Deltas[0]
	byName := func(a, b inventory.Attr) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(got.Attrs, byName) // maps have no order
	slices.SortFunc(want.Attrs, byName)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%.300q:\n got %+v\nwant %+v", payload, got, want)
	}
}

// TestEveryWayToWriteAValue has the heads that no library uses for values so small.
func TestEveryWayToWriteAValue(t *testing.T) {
	base := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Adjust, Quantity: 5, Time: 1000}
	array := func(id, quantity, time string) string {
		return id + "\xa3pos\xa3tea\xa5leeds\xa6adjust" + quantity + time
	}
	const id, five, second = "\xa11", "\x05", "\xd1\x03\xe8"
	for name, payload := range map[string]string{
		"str8":        "\x97" + array("\xd9\x011", five, second),
		"str16":       "\x97" + array("\xda\x00\x011", five, second),
		"str32":       "\x97" + array("\xdb\x00\x00\x00\x011", five, second),
		"array16":     "\xdc\x00\x07" + array(id, five, second),
		"array32":     "\xdd\x00\x00\x00\x07" + array(id, five, second),
		"map16":       "\xde\x00\x07" + mapOf(id, five, second),
		"map32":       "\xdf\x00\x00\x00\x07" + mapOf(id, five, second),
		"uint8":       "\x97" + array(id, "\xcc\x05", second),
		"uint16":      "\x97" + array(id, "\xcd\x00\x05", second),
		"uint32":      "\x97" + array(id, "\xce\x00\x00\x00\x05", second),
		"uint64":      "\x97" + array(id, "\xcf\x00\x00\x00\x00\x00\x00\x00\x05", second),
		"int8":        "\x97" + array(id, "\xd0\x05", second),
		"int16":       "\x97" + array(id, "\xd1\x00\x05", second),
		"int32":       "\x97" + array(id, "\xd2\x00\x00\x00\x05", second),
		"int64":       "\x97" + array(id, "\xd3\x00\x00\x00\x00\x00\x00\x00\x05", second),
		"timestamp32": "\x97" + array(id, five, "\xd6\xff\x00\x00\x00\x01"),
		"timestamp64": "\x97" + array(id, five, "\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x01"),
		"timestamp96": "\x97" + array(id, five, "\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
		"ext8 of 4":   "\x97" + array(id, five, "\xc7\x04\xff\x00\x00\x00\x01"),
		"RFC 3339":    "\x97" + array(id, five, "\xb41970-01-01T00:00:01Z"),
		"nils behind": "\x9e" + array(id, five, second) + strings.Repeat("\xc0", 7),
	} {
		var b Batch
		if b.Decode([]byte(payload)); len(b.Bad) > 0 || !reflect.DeepEqual(b.Deltas, []inventory.Delta{base}) {
			t.Errorf("%s: %+v, bad %v", name, b.Deltas, b.Bad)
		}
	}
	for quantity, want := range map[string]int64{
		"\xff": -1, "\xe0": -32, "\xd0\x80": -128, "\xd1\x80\x00": -1 << 15, "\xd2\x80\x00\x00\x00": -1 << 31, "\xd3\xff\xff\xff\x00\x00\x00\x00\x00": -1 << 40,
		"\x7f": 127, "\xcc\xff": 255, "\xcd\xff\xff": 1<<16 - 1, "\xce\xff\xff\xff\xff": 1<<32 - 1, "\xcf\x00\x1f\xff\xff\xff\xff\xff\xff": inventory.QuantityMax,
	} {
		var b Batch
		if b.Decode([]byte("\x97" + array(id, quantity, second))); len(b.Bad) > 0 || b.Deltas[0].Quantity != want {
			t.Errorf("%x: %d, bad %v; want %d", quantity, b.Deltas[0].Quantity, b.Bad, want)
		}
	}
}

func mapOf(id, quantity, time string) string {
	return "\xa2id" + id + "\xa6source\xa3pos\xa3sku\xa3tea\xa8location\xa5leeds\xa4kind\xa6adjust\xa8quantity" + quantity + "\xa4time" + time
}

// TestEveryWidthThatIsWritten goes over each edge between two widths of integers and strings.
func TestEveryWidthThatIsWritten(t *testing.T) {
	d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Adjust, Quantity: 1, Time: 1}
	same := func(d inventory.Delta) {
		t.Helper()
		valid := d.Validate() == nil
		for name, form := range forms {
			payload := form(nil, &d)
			if got, err := libraryFields(payload); err != nil || !reflect.DeepEqual(got, fieldsOf(&d)) {
				t.Errorf("%s: the library reads %.200v, %v", name, got, err)
			}
			var b Batch
			if b.Decode(payload); valid && !reflect.DeepEqual(b.Deltas, []inventory.Delta{d}) || valid != (len(b.Bad) == 0) {
				t.Errorf("%s: %+v, bad %v", name, b.Deltas, b.Bad)
			}
		}
	}
	for bits := range 63 {
		for _, q := range []int64{1<<bits - 1, 1 << bits, -1 << bits, -1<<bits - 1, -1<<bits + 1} {
			d := d
			d.Quantity = q
			same(d)
		}
	}
	for _, n := range []int{1, 31, 32, 127, 128, 255, 256, 1023, 1024, 1<<16 - 1, 1 << 16} {
		d := d
		d.Attrs = []inventory.Attr{{Name: "a", Value: strings.Repeat("x", n)}}
		same(d)
		d.Attrs, d.SKU = nil, strings.Repeat("é", n/2)+"."
		same(d)
	}
	for _, n := range []int{1, 15, 16, 100, 341} {
		d := d
		for i := range n {
			d.Attrs = append(d.Attrs, inventory.Attr{Name: fmt.Sprintf("%03d", i)})
		}
		same(d)
	}
}

// fieldsOf is a delta as a map, as a program without this package would build it.
func fieldsOf(d *inventory.Delta) map[string]any {
	m := map[string]any{"id": d.ID, "kind": d.Kind.String(), "time": int64(d.Time)}
	for name, s := range map[string]string{
		"source": d.Source, "sku": d.SKU, "location": d.Location, "channel": d.Channel, "ref": d.Ref, "reason": d.Reason, "counterparty": d.Counterparty,
	} {
		if s != "" {
			m[name] = s
		}
	}
	if d.Kind.NeedsQuantity() {
		m["quantity"] = d.Quantity
	}
	if d.Due != 0 {
		m["due"] = int64(d.Due)
	}
	if d.Price != 0 {
		m["price"] = d.Price
	}
	if len(d.Attrs) > 0 {
		attrs := map[string]any{}
		for _, a := range d.Attrs {
			attrs[a.Name] = a.Value
		}
		m["attrs"] = attrs
	}
	return m
}

// libraryFields reads one delta with a library: what is there of the fields, with integers
// as int64 and times as Unix milliseconds, so that it equals fieldsOf the same delta.
func libraryFields(item []byte) (map[string]any, error) {
	named := map[string]any{}
	var err error
	switch {
	case item[0] == '{':
		d := json.NewDecoder(bytes.NewReader(item))
		d.UseNumber()
		err = d.Decode(&named)
	case item[0]&0xf0 == codeFixMap || item[0] >= codeMap16:
		err = msgpack.Unmarshal(item, &named)
	default:
		var values []any
		err = msgpack.Unmarshal(item, &values)
		for i, v := range values {
			named[field(i).String()] = v
		}
	}
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	for _, name := range fieldNames {
		v, err := plainValue(named[name], name == "time" || name == "due")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if absent := v == nil || v == "" || v == int64(0) && name != "quantity"; !absent {
			fields[name] = v
		}
	}
	if fields["kind"] == inventory.Tick.String() {
		delete(fields, "quantity") // which it ignores
	}
	return fields, nil
}

func plainValue(v any, moment bool) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Int64()
	case string:
		if moment {
			at, err := inventory.ParseMillis(v)
			return int64(at), err
		}
		return v, nil
	case interface{ UnixMilli() int64 }:
		return v.UnixMilli(), nil
	case map[string]any:
		for name, value := range v {
			if value == nil {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil, nil
		}
		return v, nil
	}
	if r := reflect.ValueOf(v); r.CanInt() {
		return r.Int(), nil
	} else if r.CanUint() {
		return int64(r.Uint()), nil
	}
	return v, nil
}
