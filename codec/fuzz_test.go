package codec

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/holdfast-atp/holdfast/inventory"
)

func FuzzBatchDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add(manyDeltas(AppendDelta)[:400])
	f.Add(manyDeltas(AppendDeltaMap)[:400])
	f.Add([]byte(good + "\n{broken\n" + good))
	f.Add([]byte("\x81\xa7unknown\x93\x01\xc7\x03\x05abc\xd6\xff\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var b Batch
		b.Decode(payload)
		if len(b.Deltas) != len(b.Spans) || len(b.Deltas) == 0 {
			t.Fatalf("%d deltas, %d spans", len(b.Deltas), len(b.Spans))
		}
		end, bad := 0, b.Bad
		for i, s := range b.Spans {
			if s.Start < end || s.End < s.Start || s.End > len(payload) {
				t.Fatalf("span %d is %v, behind %d of %d", i, s, end, len(payload))
			}
			end = s.End
			if len(bad) > 0 && bad[0].Index == i {
				if bad[0].Err == nil || bad[0].Err.Error() == "" {
					t.Fatalf("item %d is bad without a reason", i)
				}
				bad = bad[1:]
				continue
			}
			d := b.Deltas[i]
			if err := d.Validate(); err != nil {
				t.Fatalf("%q: %v", payload[s.Start:s.End], err)
			}
			libraryAgrees(t, payload[s.Start:s.End])
			for name, form := range forms {
				var again Batch
				again.Decode(form(nil, &d))
				if len(again.Bad) > 0 || !reflect.DeepEqual(again.Deltas[0], d) {
					t.Fatalf("%s of %+v gives %+v, bad %v", name, d, again.Deltas, again.Bad)
				}
			}
		}
		if len(bad) > 0 {
			t.Fatalf("bad items out of order: %v", b.Bad)
		}
	})
}

// libraryAgrees wants an item that was taken to be one value to the library too.
func libraryAgrees(t *testing.T, item []byte) {
	t.Helper()
	if item[0] == '{' {
		if !json.Valid(item) {
			t.Fatalf("%q is no JSON", item)
		}
		return
	}
	var raw msgpack.RawMessage
	if err := msgpack.Unmarshal(item, &raw); err != nil || len(raw) != len(item) {
		t.Fatalf("%q: the library reads %d of %d bytes: %v", item, len(raw), len(item), err)
	}
}

func FuzzDecodeJSONArray(f *testing.F) {
	f.Add([]byte("[" + good + "," + good + "]"))
	f.Add([]byte(`[1,"a",null,{"id":{}},[[]]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var b Batch
		if err := b.DecodeJSONArray(body); err != nil {
			if len(b.Deltas) > 0 {
				t.Fatalf("an error, and %d deltas", len(b.Deltas))
			}
			return
		}
		var items []json.RawMessage
		if err := json.Unmarshal(body, &items); err != nil || len(items) != len(b.Deltas) {
			t.Fatalf("%d items to the library (%v), %d here", len(items), err, len(b.Deltas))
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add("plain-1_a")
	f.Add("=2A=20")
	f.Fuzz(func(t *testing.T, s string) {
		if back, err := ParseToken(Token(s)); err != nil || back != s {
			t.Fatalf("%q became %q, %v", s, back, err)
		}
		if plain, err := ParseToken(s); err == nil && Token(plain) != s {
			t.Fatalf("%q is taken for the token of %q, which is %q", s, plain, Token(plain))
		}
	})
}

func FuzzDecodeCommand(f *testing.F) {
	c := inventory.Command{ID: "1-2-3-0", Action: inventory.Hold, Evidence: map[string]any{"atp": -3}}
	for _, e := range []Encoding{JSON, Msgpack} {
		data, err := EncodeCommand(&c, e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommand(data)
		if err != nil {
			return
		}
		for _, e := range []Encoding{JSON, Msgpack} {
			if _, err := EncodeCommand(&c, e); err != nil && c.Evidence == nil {
				t.Fatalf("%+v can be read and not written as %s: %v", c, e, err)
			}
		}
	})
}
