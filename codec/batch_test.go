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

// TestWhatIsWrittenIsReadAgain mixes the forms in one payload, with and without space between.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	var b Batch // for all draws: nothing of one may be left in the next
	rapid.Check(t, func(t *rapid.T) {
		var want []inventory.Delta
		var spans []Span
		var payload []byte
		for _, d := range rapid.SliceOfN(anyDelta(), 1, 6).Draw(t, "deltas") {
			payload = append(payload, rapid.StringMatching(`[ \n\r\t]{0,2}`).Draw(t, "space")...)
			start := len(payload)
			form := rapid.SampledFrom([]string{"array", "map", "JSON"}).Draw(t, "form")
			payload = forms[form](payload, &d)
			want, spans = append(want, d), append(spans, Span{start, len(payload)})
		}
		b.Reset()
		b.Decode(payload)
		if len(b.Bad) > 0 {
			t.Fatalf("item %d: %v", b.Bad[0].Index, b.Bad[0].Err)
		}
		if !reflect.DeepEqual(b.Deltas, want) {
			t.Fatalf("got  %+v\nwant %+v", b.Deltas, want)
		}
		if !reflect.DeepEqual(b.Spans, spans) {
			t.Fatalf("spans %v, want %v", b.Spans, spans)
		}
	})
}

// TestEveryKindInEveryForm has each kind with as little as it needs, and with all that there is.
func TestEveryKindInEveryForm(t *testing.T) {
	for _, k := range inventory.Kinds() {
		full := inventory.Delta{
			ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: k, Quantity: 1, Time: 1, Channel: "web", Ref: "r",
			Reason: "x", Counterparty: "york", Due: 2, Price: 3, Attrs: []inventory.Attr{{Name: "a", Value: ""}},
		}
		if !k.NeedsQuantity() {
			full.Quantity = 0
		}
		bare := full
		for _, leave := range []func(*inventory.Delta){
			func(d *inventory.Delta) { d.SKU, d.Location = "", "" },
			func(d *inventory.Delta) { d.Channel = "" },
			func(d *inventory.Delta) { d.Ref = "" },
			func(d *inventory.Delta) { d.Reason = "" },
			func(d *inventory.Delta) { d.Counterparty = "" },
			func(d *inventory.Delta) { d.Due = 0 },
			func(d *inventory.Delta) { d.Price = 0 },
			func(d *inventory.Delta) { d.Attrs = nil },
			func(d *inventory.Delta) { d.Quantity = 0 },
		} {
			if less := bare; less.Validate() == nil {
				if leave(&less); less.Validate() == nil {
					bare = less
				}
			}
		}
		for name, form := range forms {
			var b Batch
			b.Decode(form(form(nil, &bare), &full))
			if len(b.Bad) > 0 || !reflect.DeepEqual(b.Deltas, []inventory.Delta{bare, full}) {
				t.Errorf("%s in %s: %+v, bad %v; want %+v and %+v", k, name, b.Deltas, b.Bad, bare, full)
			}
		}
	}
}

// TestABatchOfManyPayloads: spans are of each one's own payload, and attrs don't run into each other.
func TestABatchOfManyPayloads(t *testing.T) {
	var b Batch
	d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Count, Time: 1}
	var want []inventory.Delta
	for i := range 50 {
		d.Attrs = []inventory.Attr{{Name: fmt.Sprint("n", i), Value: "v"}}
		payload := AppendDelta(nil, &d)
		b.Decode(payload)
		want = append(want, d)
		if s := b.Spans[i]; s != (Span{0, len(payload)}) {
			t.Fatalf("span %d is %v of %d", i, s, len(payload))
		}
	}
	b.Deltas[10].Attrs = append(b.Deltas[10].Attrs, inventory.Attr{Name: "mine"})[:1]
	if !reflect.DeepEqual(b.Deltas, want) {
		t.Errorf("got  %+v\nwant %+v", b.Deltas, want)
	}
}

const good = `{"id":"1","source":"s","sku":"tea","location":"leeds","kind":"count","quantity":0,"time":"2026-11-24T09:30:00.250+01:00"}`

// packed is a good delta as a msgpack map, with its id, quantity and time as given and with more
// fields behind.
func packed(id, quantity, time string, more ...string) string {
	return string([]byte{byte(codeFixMap | 7 + len(more)/2)}) + mapOf(id, quantity, time) + strings.Join(more, "")
}

// TestBadItemsCostNoOthers puts each bad item between two good ones.
func TestBadItemsCostNoOthers(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	const id, five, second = "\xa11", "\x05", "\xcd\x03\xe8"
	const attrs = "\xa5attrs"
	for _, c := range []struct {
		item, reason, field string
	}{
		{`{}`, "missing_field", "kind"},
		{replace(`"count"`, `"teleport"`), "unknown_kind", "kind"},
		{replace(`"count"`, `7`), "malformed", "kind"},
		{replace(`"id":"1",`, ``), "missing_field", "id"},
		{replace(`"id":"1"`, `"id":null`), "missing_field", "id"},
		{replace(`"id":"1"`, `"ID":"1"`), "missing_field", "id"},
		{replace(`"quantity":0,`, ``), "missing_field", "quantity"},
		{replace(`"quantity":0`, `"quantity":null`), "missing_field", "quantity"},
		{replace(`"quantity":0`, `"quantity":"0"`), "malformed", "quantity"},
		{replace(`"quantity":0`, `"quantity":0.5`), "malformed", "quantity"},
		{replace(`"quantity":0`, `"quantity":1e2`), "malformed", "quantity"},
		{replace(`"quantity":0`, `"quantity":-1`), "out_of_range", "quantity"},
		{replace(`"quantity":0`, `"quantity":9007199254740992`), "overflow", "quantity"},
		{replace(`"quantity":0`, `"quantity":9223372036854775807`), "overflow", "quantity"},
		{replace(`"quantity":0`, `"quantity":9223372036854775808`), "overflow", "quantity"},
		{replace(`"quantity":0`, `"quantity":-9223372036854775808`), "overflow", "quantity"},
		{replace(`"quantity":0`, `"quantity":-9223372036854775809`), "overflow", "quantity"},
		{replace(`"quantity":0`, `"quantity":0,"quantity":1`), "malformed", "quantity"},
		{replace(`"quantity":0`, `"quantity":null,"quantity":1`), "malformed", "quantity"},
		{replace(`"quantity":0`, `"quantity":0,"price":99999999999999999999`), "overflow", "price"},
		{replace(`2026-11-24T09:30:00.250+01:00`, `yesterday`), "malformed", "time"},
		{replace(`"2026-11-24T09:30:00.250+01:00"`, `-5`), "out_of_range", "time"},
		{replace(`"2026-11-24T09:30:00.250+01:00"`, `99999999999999999999`), "out_of_range", "time"},
		{replace(`"2026-11-24T09:30:00.250+01:00"`, `true`), "malformed", "time"},
		{replace(`tea`, `te\u0000a`), "out_of_range", "sku"},
		{replace(`tea`, "te\xffa"), "out_of_range", "sku"},
		{replace(`tea`, `te\ud800a`), "malformed", "sku"},
		{replace(`tea`, `te\udc00\ud800a`), "malformed", "sku"},
		{replace(`tea`, strings.Repeat("t", 129)), "out_of_range", "sku"},
		{replace(`"sku":"tea"`, `"sku":{"a":[1,2]}`), "malformed", "sku"},
		{replace(`leeds`, `*`), "out_of_range", "location"},
		{replace(`"id":"1"`, `"unknown":"\xff","id":"1"`), "malformed", ""},
		{replace(`"id":"1"`, `"unk\ud800nown":1,"id":"1"`), "malformed", ""},
		{replace(`"count"`, `"count","attrs":{"a":null,"b":null},"kind":"count"`), "malformed", "kind"},
		{replace(`"id":"1"`, `"attrs":["a"],"id":"1"`), "malformed", "attrs"},
		{replace(`"id":"1"`, `"attrs":{"a":1},"id":"1"`), "malformed", "attrs"},
		{replace(`"id":"1"`, `"attrs":{"a":"1","a":"2"},"id":"1"`), "malformed", "attrs"},
		{replace(`"id":"1"`, `"attrs":{"":"1"},"id":"1"`), "out_of_range", "attrs"},
		{replace(`"id":"1"`, `"attrs":{"a":"`+strings.Repeat("x", 1024)+`"},"id":"1"`), "out_of_range", "attrs"},
		{packed("\x01", five, second), "malformed", "id"},
		{packed("\xc4\x011", five, second), "malformed", "id"},
		{packed("\xa2\xc3\x28", five, second), "out_of_range", "id"},
		{packed(id, "\xa15", second), "malformed", "quantity"},
		{packed(id, "\xca\x00\x00\x00\x00", second), "malformed", "quantity"},
		{packed(id, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", second), "overflow", "quantity"},
		{packed(id, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", second), "overflow", "quantity"},
		{packed(id, five, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "out_of_range", "time"},
		{packed(id, five, "\xff"), "out_of_range", "time"},
		{packed(id, five, "\xa3now"), "malformed", "time"},
		{packed(id, five, "\xd6\x01\x00\x00\x00\x01"), "malformed", "time"},
		{packed(id, five, "\xd4\xff\x00"), "malformed", "time"},
		{packed(id, five, "\xd7\xff\xee\x6b\x28\x00\x00\x00\x00\x01"), "malformed", "time"}, // 10⁹ ns
		{packed(id, five, "\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"), "out_of_range", "time"},
		{packed(id, five, "\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"), "out_of_range", "time"}, // 1969
		{packed(id, five, second, "\xa2id", id), "malformed", "id"},
		{packed(id, five, second, "\x01", id), "malformed", ""},
		{packed(id, five, second, attrs, "\x91\xa1a"), "malformed", "attrs"},
		{packed(id, five, second, attrs, "\x81\xa1a\x05"), "malformed", "attrs"},
		{packed(id, five, second, attrs, "\x81\x05\xa1a"), "malformed", "attrs"},
		{packed(id, five, second, attrs, "\x82\xa1a\xa1b\xa1a\xa1b"), "malformed", "attrs"},
		{packed(id, five, second, attrs, "\x81\xa0\xa1b"), "out_of_range", "attrs"},
		{"\x81\xa4kind\xa5count", "missing_field", "quantity"},
		{"\x80", "missing_field", "kind"},
		{"\x9f" + strings.Repeat("\xc0", 15), "malformed", ""},
		{"\x91\x01", "malformed", "id"},
		{"\x05", "malformed", ""},
		{"\xc0", "malformed", ""},
		{"\xa3tea", "malformed", ""},
		{"\xc4\x02{}", "malformed", ""},
		{`[` + good + `]`, "malformed", ""},
		{`"tea"`, "malformed", ""},
		{`-1.5e3`, "malformed", ""},
		{`null`, "malformed", ""},
		{`{"id":"1" "source":"s"}`, "malformed", ""}, // what is no JSON costs its line
		{`{"id":1`, "malformed", ""},
		{`{'id':1}`, "malformed", ""},
		{`{"id":"\x"}`, "malformed", ""},
		{`{"id":"\u00g0"}`, "malformed", ""},
		{`{"id":"\u00`, "malformed", ""},
		{`{"id":"\`, "malformed", ""},
		{`{"quantity":1.}`, "malformed", ""},
		{`{"quantity":1e+}`, "malformed", ""},
		{`{"quantity":-}`, "malformed", ""},
		{`{"attrs":{"a":"1";}}`, "malformed", ""},
		{`{"attrs":{"a" "1"}}`, "malformed", ""},
		{replace(`"id":"1"`, `"attrs":{"\ud800":"1"},"id":"1"`), "malformed", "attrs"},
		{replace(`"count"`, "\""+strings.Repeat("k", 50)+"\""), "unknown_kind", "kind"},
		{`{"id":"1`, "malformed", ""},
		{`{"id`, "malformed", ""},
		{`{"id":01}`, "malformed", ""},
		{`hello, world`, "malformed", ""},
		{`{"z":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "malformed", ""},
	} {
		var b Batch
		payload := good + "\n" + c.item + "\n" + good
		b.Decode([]byte(payload))
		if len(b.Bad) != 1 || b.Bad[0].Index != 1 {
			t.Errorf("%q: bad %v", c.item, b.Bad)
			continue
		}
		if bad := b.Bad[0].Err; string(bad.Reason) != c.reason || bad.Field != c.field || bad.Detail == "" {
			t.Errorf("%q: %v, want %s of %q", c.item, bad, c.reason, c.field)
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

// TestBrokenMsgpackIsTheRest: nobody can tell where the next item begins.
func TestBrokenMsgpackIsTheRest(t *testing.T) {
	for _, broken := range []string{"\x81\xa2id\xc1", "\x92\xa11", "\xc1", "\xdd\xff\xff\xff\xff", "\xdf\x00\x01\x00\x00", deep(64)} {
		var b Batch
		payload := good + broken
		b.Decode([]byte(payload))
		if len(b.Deltas) != 2 || len(b.Bad) != 1 || b.Bad[0].Index != 1 || b.Bad[0].Err.Reason != inventory.Malformed || b.Spans[1] != (Span{len(good), len(payload)}) {
			t.Errorf("%.20q: %d items, bad %v, spans %v", broken, len(b.Deltas), b.Bad, b.Spans)
		}
	}
}

// TestWhatIsAbsent: nil, null, and a map of nothing but them are as good as nothing.
func TestWhatIsAbsent(t *testing.T) {
	const id, five, second, attrs = "\xa11", "\x05", "\xcd\x03\xe8", "\xa5attrs"
	adjust := `{"id":"1","source":"pos","sku":"tea","location":"leeds","kind":"adjust","quantity":5,"time":1000`
	var b Batch
	b.Decode([]byte(packed(id, five, second)))
	want := b.Deltas[0]
	for _, item := range []string{
		adjust + `}`, adjust + ` , "attrs" : { } }`, adjust + `,"attrs":null,"due":null,"channel":null,"price":null}`, adjust + `,"attrs":{"a":null , "b":null}}`,
		adjust + `,"due":0,"price":0,"channel":""}`, adjust + `,"Channel":"web","future":[{"a":[]},1.5e-3,true,false,null,"\u00e9"]}`,
		packed(id, five, second, attrs, "\xc0"), packed(id, five, second, attrs, "\x80"), packed(id, five, second, attrs, "\x82\xa1a\xc0\xa1b\xc0"),
		packed(id, five, second, "\xa3due", "\xc0", "\xa5price", "\x00", "\xa7channel", "\xa0"),
		packed(id, five, second, "\xa6future", "\x96\xc2\xc3\xcb12345678\xc5\x00\x01x\xc9\x00\x00\x00\x02\x05xy\xd8\x06"+strings.Repeat("z", 16)),
	} {
		b.Reset()
		if b.Decode([]byte(item)); len(b.Bad) > 0 || !reflect.DeepEqual(b.Deltas, []inventory.Delta{want}) {
			t.Errorf("%q: %+v, bad %v", item, b.Deltas, b.Bad)
		}
	}
}

// TestUnknownFieldsMayNest, but not without end.
func TestUnknownFieldsMayNest(t *testing.T) {
	for levels, want := range map[int]int{1: 0, 63: 0, 64: 1, 100_000: 1} {
		object := `{"z":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `,` + good[1:]
		for form, payload := range map[string]string{"map": deep(levels), "JSON": object} {
			var b Batch
			if b.Decode([]byte(payload)); len(b.Bad) != want || len(b.Deltas) != 1 {
				t.Errorf("%d levels in a %s: %d items, bad %v", levels, form, len(b.Deltas), b.Bad)
			}
		}
	}
}

// deep is a good delta but for an unknown field so many levels deep.
func deep(levels int) string {
	return packed("\xa11", "\x05", "\x01", "\xa1z", strings.Repeat("\x91", levels-1)+"\x90")
}

func TestAnEmptyPayloadIsOneBadItem(t *testing.T) {
	for _, payload := range []string{"", " ", "\r\n\t"} {
		var b Batch
		b.Decode([]byte(payload))
		if len(b.Deltas) != 1 || len(b.Bad) != 1 || b.Bad[0].Err.Reason != inventory.Malformed || b.Spans[0] != (Span{0, len(payload)}) {
			t.Errorf("%q: %d items, bad %v, spans %v", payload, len(b.Deltas), b.Bad, b.Spans)
		}
	}
}

// TestACutOffPayload loses the item that is cut off and none before it.
func TestACutOffPayload(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDelta().Draw(t, "delta")
		var b Batch
		for name, form := range forms {
			whole := form(nil, &d)
			cut := rapid.IntRange(1, len(whole)-1).Draw(t, name+" cut at")
			b.Reset()
			b.Decode(append(whole[:len(whole):len(whole)], whole[:cut]...))
			if len(b.Deltas) != 2 || !reflect.DeepEqual(b.Deltas[0], d) || len(b.Bad) != 1 || b.Bad[0].Index != 1 {
				t.Fatalf("%q and %q: %d items, bad %v", whole, whole[:cut], len(b.Deltas), b.Bad)
			}
			if err := b.Bad[0].Err; err.Reason != inventory.Malformed {
				t.Fatalf("%q: %v, want it malformed", whole[:cut], err)
			}
		}
	})
}

func TestDecodeJSONArray(t *testing.T) {
	for body, want := range map[string]int{"[]": 0, " [ ] ": 0, "[" + good + "]": 1, "\n[ " + good + " ,\n" + good + " ] ": 2} {
		var b Batch
		if err := b.DecodeJSONArray([]byte(body)); err != nil || len(b.Deltas) != want || len(b.Bad) > 0 {
			t.Errorf("%q: %d deltas, bad %v, %v", body, len(b.Deltas), b.Bad, err)
		}
		for _, s := range b.Spans {
			if body[s.Start:s.End] != good {
				t.Errorf("%q: a span is %q", body, body[s.Start:s.End])
			}
		}
	}
	items := []string{`1`, good, `"two"`, `null`, `[3]`, `{"id":4}`, `-1e5`, `true`, good, `{}`}
	var b Batch
	if err := b.DecodeJSONArray([]byte("[" + strings.Join(items, ",") + "]")); err != nil || len(b.Deltas) != len(items) || len(b.Bad) != len(items)-2 {
		t.Fatalf("%d deltas, bad %v, %v", len(b.Deltas), b.Bad, err)
	}
	if b.Deltas[1].SKU != "tea" || !reflect.DeepEqual(b.Deltas[1], b.Deltas[8]) {
		t.Errorf("the good ones are %+v and %+v", b.Deltas[1], b.Deltas[8])
	}
	for _, body := range []string{
		"", "{}", good, "null", "[", "[" + good, "[" + good + ",]", "[,]", "[" + good + "]]", "[" + good + "]x", "[" + good + good + "]", "[" + good + ",{]", "[01]",
		"[" + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "]",
	} {
		b.Reset()
		if err := b.DecodeJSONArray([]byte(body)); err == nil || len(b.Deltas) > 0 || len(b.Bad) > 0 {
			t.Errorf("%.40q: %d deltas, %v; want an error", body, len(b.Deltas), err)
		}
	}
}
