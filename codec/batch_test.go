package codec

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// anyDelta draws a delta that validates.
func anyDelta() *rapid.Generator[inventory.Delta] {
	return rapid.Custom(func(t *rapid.T) inventory.Delta {
		name := func(what string, most int) string {
			return rapid.StringOfN(rapid.RuneFrom([]rune("ab.* >/=é漢\"\\\U0001F600")), 1, most/4, most).Draw(t, what)
		}
		maybe := func(what string) string {
			if rapid.Bool().Draw(t, "has "+what) {
				return name(what, inventory.NameBytesMax)
			}
			return ""
		}
		moment := rapid.Int64Range(1, int64(inventory.MillisMax))
		d := inventory.Delta{
			ID:           name("id", inventory.IDBytesMax),
			Source:       name("source", inventory.SourceBytesMax),
			SKU:          "s" + name("sku", 100),
			Location:     "l" + name("location", 100),
			Kind:         rapid.SampledFrom(inventory.Kinds()).Draw(t, "kind"),
			Time:         inventory.Millis(moment.Draw(t, "time")),
			Channel:      maybe("channel"),
			Ref:          maybe("ref"),
			Reason:       maybe("reason"),
			Counterparty: maybe("counterparty"),
			Price:        rapid.Int64Range(0, inventory.QuantityMax).Draw(t, "price"),
		}
		if rapid.Bool().Draw(t, "has due") {
			d.Due = inventory.Millis(moment.Draw(t, "due"))
		}
		if d.Kind.NeedsQuantity() {
			d.Quantity = rapid.OneOf(rapid.Int64Range(1, 200), rapid.Int64Range(1, inventory.QuantityMax)).Draw(t, "quantity")
			if d.Kind == inventory.Adjust && rapid.Bool().Draw(t, "down") {
				d.Quantity = -d.Quantity
			}
		}
		for i := range rapid.IntRange(0, 18).Draw(t, "attrs") {
			d.Attrs = append(d.Attrs, inventory.Attr{Name: fmt.Sprint("n", i), Value: rapid.StringN(0, 5, 20).Draw(t, "value")})
		}
		if d.Validate() != nil { // a kind needs more
			d.Channel, d.Ref, d.Counterparty, d.Due = "web", "r", "elsewhere", 1
		}
		return d
	})
}

var forms = map[string]func([]byte, *inventory.Delta) []byte{
	"array": AppendDelta, "map": AppendDeltaMap, "JSON": AppendDeltaJSON,
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []inventory.Delta
		var payload []byte
		for _, d := range rapid.SliceOfN(anyDelta(), 1, 6).Draw(t, "deltas") {
			form := rapid.SampledFrom([]string{"array", "map", "JSON"}).Draw(t, "form")
			payload = forms[form](payload, &d)
			want = append(want, d)
		}
		var b Batch
		b.Decode(payload)
		if len(b.Bad) > 0 {
			t.Fatalf("item %d: %v", b.Bad[0].Index, b.Bad[0].Err)
		}
		if !reflect.DeepEqual(b.Deltas, want) {
			t.Fatalf("got  %+v\nwant %+v", b.Deltas, want)
		}
	})
}

const good = `{"id":"1","source":"s","sku":"tea","location":"leeds","kind":"count","quantity":0,"time":"2026-11-24T09:30:00.250+01:00"}`

func TestBadItemsCostNoOthers(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, c := range []struct {
		item, reason, field string
	}{
		{`{}`, "missing_field", "kind"},
		{replace(`"count"`, `"teleport"`), "unknown_kind", "kind"},
		{replace(`"quantity":0,`, ``), "missing_field", "quantity"},
		{replace(`"quantity":0`, `"quantity":null`), "missing_field", "quantity"},
		{replace(`"quantity":0`, `"quantity":"0"`), "malformed", "quantity"},
		{replace(`"quantity":0`, `"quantity":0.5`), "malformed", "quantity"},
		{replace(`"quantity":0`, `"quantity":-1`), "out_of_range", "quantity"},
		{replace(`"quantity":0`, `"quantity":9007199254740992`), "overflow", "quantity"},
		{replace(`"quantity":0`, `"quantity":92233720368547758080`), "overflow", "quantity"},
		{replace(`"quantity":0`, `"quantity":0,"quantity":1`), "malformed", "quantity"},
		{replace(`2026-11-24T09:30:00.250+01:00`, `yesterday`), "malformed", "time"},
		{replace(`"time":"2026-11-24T09:30:00.250+01:00"`, `"time":-5`), "out_of_range", "time"},
		{replace(`tea`, `te\u0000a`), "out_of_range", "sku"},
		{replace(`tea`, "te\xffa"), "", ""},
		{replace(`tea`, `te\ud800a`), "malformed", "sku"},
		{replace(`tea`, strings.Repeat("t", 129)), "out_of_range", "sku"},
		{replace(`"sku":"tea"`, `"sku":{"a":[1,2]}`), "malformed", "sku"},
		{replace(`"id":"1"`, `"attrs":{"a":1},"id":"1"`), "malformed", "attrs"},
		{replace(`"id":"1"`, `"attrs":{"a":"`+strings.Repeat("x", 1024)+`"},"id":"1"`), "out_of_range", "attrs"},
		{"\x81\xa4kind\xa5count", "missing_field", "quantity"},
		{"\x9f" + strings.Repeat("\xc0", 15), "malformed", ""},
		{"\x91\x01", "malformed", "id"},
		{"\x05", "malformed", ""},
	} {
		var b Batch
		payload := good + "\n" + c.item + "\n" + good
		b.Decode([]byte(payload))
		if len(b.Bad) != 1 || b.Bad[0].Index != 1 {
			t.Errorf("%q: bad %v", c.item, b.Bad)
			continue
		}
		bad := b.Bad[0].Err
		if c.reason != "" && (string(bad.Reason) != c.reason || bad.Field != c.field) || bad.Detail == "" {
			t.Errorf("%q: %v, want %s of %q", c.item, bad, c.reason, c.field)
		}
		if c.item == "\x05" { // nobody can tell where broken msgpack ends
			continue
		}
		if len(b.Deltas) != 3 || b.Deltas[0].SKU != "tea" || !reflect.DeepEqual(b.Deltas[0], b.Deltas[2]) {
			t.Errorf("%q: the others are %+v", c.item, b.Deltas)
			continue
		}
		if s := b.Spans[1]; payload[s.Start:s.End] != c.item {
			t.Errorf("%q: its span is %q", c.item, payload[s.Start:s.End])
		}
	}
}

func TestACutOffPayloadIsOneBadItem(t *testing.T) {
	var b Batch
	b.Decode([]byte(good))
	whole := b.Deltas[0]
	for _, form := range forms {
		payload := form(nil, &whole)
		for n := range payload {
			b.Reset()
			b.Decode(payload[:n])
			if len(b.Deltas) != 1 || len(b.Bad) != 1 || b.Bad[0].Err.Reason != inventory.Malformed {
				t.Fatalf("%q: %d items, bad %v", payload[:n], len(b.Deltas), b.Bad)
			}
		}
	}
}

func TestDecodeJSONArray(t *testing.T) {
	for body, want := range map[string]int{"[]": 0, " [ ] ": 0, "[" + good + "]": 1, "[" + good + " ,\n" + good + "]": 2} {
		var b Batch
		if err := b.DecodeJSONArray([]byte(body)); err != nil || len(b.Deltas) != want || len(b.Bad) > 0 {
			t.Errorf("%q: %d deltas, bad %v, %v", body, len(b.Deltas), b.Bad, err)
		}
	}
	var b Batch
	if err := b.DecodeJSONArray([]byte(`[1, ` + good + `, "two", null, [3], {"id":4}]`)); err != nil || len(b.Deltas) != 6 || len(b.Bad) != 5 || b.Deltas[1].SKU != "tea" {
		t.Errorf("%d deltas, bad %v, %v", len(b.Deltas), b.Bad, err)
	}
	for _, body := range []string{"", "{}", "[", "[" + good, "[" + good + ",]", "[" + good + "]]", "[" + good + good + "]", "[" + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "]"} {
		var b Batch
		if err := b.DecodeJSONArray([]byte(body)); err == nil || len(b.Deltas) > 0 {
			t.Errorf("%.40q: %d deltas, %v; want an error", body, len(b.Deltas), err)
		}
	}
}
