package codec

import (
	"bytes"
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
	f.Add([]byte(`{"attrs":{"a":"\ud83d\ude00","b":null},"id":"1","source":"s","kind":"tick","time":5,"z":[{"y":1e5}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var b Batch
		b.Decode(payload)
		sound(t, &b, payload)
		if len(b.Deltas) == 0 {
			t.Fatal("a payload without an item")
		}
		bad := b.Bad
		for i, s := range b.Spans {
			if len(bad) > 0 && bad[0].Index == i {
				bad = bad[1:]
				continue
			}
			d, item := b.Deltas[i], payload[s.Start:s.End]
			if err := d.Validate(); err != nil {
				t.Fatalf("%q: %v", item, err)
			}
			libraryAgrees(t, item, &d)
			for name, form := range forms {
				var again Batch
				again.Decode(form(nil, &d))
				if len(again.Bad) > 0 || !reflect.DeepEqual(again.Deltas, []inventory.Delta{d}) {
					t.Fatalf("%s of %+v gives %+v, bad %v", name, d, again.Deltas, again.Bad)
				}
			}
		}
	})
}

// sound checks b's invariants: spans ascend within payload and don't overlap, and what is bad
// says why.
func sound(t *testing.T, b *Batch, payload []byte) {
	t.Helper()
	if len(b.Deltas) != len(b.Spans) {
		t.Fatalf("%d deltas, %d spans", len(b.Deltas), len(b.Spans))
	}
	end := 0
	for i, s := range b.Spans {
		if s.Start < end || s.End <= s.Start && len(payload) > 0 || s.End > len(payload) {
			t.Fatalf("span %d is %v, behind %d of %d", i, s, end, len(payload))
		}
		end = s.End
	}
	last := -1
	for _, bad := range b.Bad {
		if bad.Index <= last || bad.Index >= len(b.Deltas) {
			t.Fatalf("bad item %d behind %d of %d", bad.Index, last, len(b.Deltas))
		}
		last = bad.Index
		if bad.Err == nil || bad.Err.Reason == "" || bad.Err.Detail == "" {
			t.Fatalf("item %d is bad without a reason: %v", bad.Index, bad.Err)
		}
		if !reflect.DeepEqual(b.Deltas[bad.Index], inventory.Delta{}) {
			t.Fatalf("item %d is bad and yet %+v", bad.Index, b.Deltas[bad.Index])
		}
	}
}

// libraryAgrees wants an item that was taken to be one value to the library too, and the same delta.
func libraryAgrees(t *testing.T, item []byte, d *inventory.Delta) {
	t.Helper()
	absent := []byte{codeNil}
	if item[0] == '{' {
		absent = []byte("null")
		if !json.Valid(item) {
			t.Fatalf("%q is no JSON", item)
		}
	} else {
		var raw msgpack.RawMessage
		if err := msgpack.Unmarshal(item, &raw); err != nil || len(raw) != len(item) {
			t.Fatalf("%q: the library reads %d of %d bytes: %v", item, len(raw), len(item), err)
		}
	}
	got, err := libraryFields(item)
	if err != nil && item[0] != '{' {
		return // it can't hold every map and extension that may stand in an unknown field
	}
	want := fieldsOf(d)
	if bytes.Contains(item, absent) { // of one attr given twice, once without a value, the library takes the last
		delete(got, "attrs")
		delete(want, "attrs")
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%q:\n    here %v\nlibrary %v, %v", item, want, got, err)
	}
}

func FuzzDecodeJSONArray(f *testing.F) {
	f.Add([]byte("[" + good + "," + good + "]"))
	f.Add([]byte(`[1,"a",null,{"id":{}},[[]]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var b Batch
		if err := b.DecodeJSONArray(body); err != nil {
			if len(b.Deltas) > 0 || len(b.Bad) > 0 {
				t.Fatalf("an error, and %d deltas", len(b.Deltas))
			}
			return
		}
		sound(t, &b, body)
		var items []json.RawMessage
		if err := json.Unmarshal(body, &items); err != nil || len(items) != len(b.Deltas) {
			t.Fatalf("%d items to the library (%v), %d here", len(items), err, len(b.Deltas))
		}
		for i, item := range items {
			if s := b.Spans[i]; !bytes.Equal(body[s.Start:s.End], item) {
				t.Fatalf("item %d is %q, want %q", i, body[s.Start:s.End], item)
			}
			var alone Batch
			if alone.Decode(item); !reflect.DeepEqual(alone.Deltas, b.Deltas[i:i+1]) {
				t.Fatalf("item %d is %+v, and alone %+v", i, b.Deltas[i], alone.Deltas)
			}
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

// FuzzDecodeCommand: a command that can be read can be written, and from then on its bytes stay the same.
func FuzzDecodeCommand(f *testing.F) {
	for _, e := range []Encoding{JSON, Msgpack} {
		data, err := EncodeCommand(&command, e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x81\xa8evidence\x82\xa1a\xd6\xff\x00\x00\x00\x01\xa1b\xca\x00\x00\x00\x01"))
	f.Add([]byte(`{"confidence":1e-9,"evidence":{"n":18446744073709551615,"list":[1,{}]},"event_time":null,"expires_at":5}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommand(data)
		if err != nil {
			return
		}
		packed, err := EncodeCommand(&c, Msgpack)
		if err != nil {
			t.Fatalf("%+v can be read and not written: %v", c, err)
		}
		settles(t, packed, Msgpack)
		written := func(m inventory.Millis) bool { return m >= 0 && m <= inventory.MillisMax }
		if !written(c.EventTime) || !written(c.IssuedAt) || !written(c.ExpiresAt) {
			return // RFC 3339 has no such year
		}
		if text, err := EncodeCommand(&c, JSON); err == nil { // evidence in msgpack may hold what JSON can't
			settles(t, text, JSON)
		}
	})
}

// settles wants data to be read, and what is written then to be the same bytes again and again.
// The first time, JSON replaces bad UTF-8 and the digits that a float64 has not.
func settles(t *testing.T, data []byte, e Encoding) {
	t.Helper()
	for round := range 3 {
		c, err := DecodeCommand(data)
		if err != nil {
			t.Fatalf("%q was written and can't be read: %v", data, err)
		}
		again, err := EncodeCommand(&c, e)
		if err != nil {
			t.Fatalf("%q can be read and not written: %v", data, err)
		}
		if !bytes.Equal(data, again) && (round > 0 || e == Msgpack) {
			t.Fatalf("%s: %q is written as %q", e, data, again)
		}
		data = again
	}
}

// FuzzDecodeStory: an exception or a decision that can be read can be written, and from then on its bytes stay the same.
func FuzzDecodeStory(f *testing.F) {
	for _, encode := range []func() ([]byte, error){
		func() ([]byte, error) { return EncodeException(&exception) },
		func() ([]byte, error) { return EncodeDecision(&decision) },
	} {
		data, err := encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"evidence":{"n":1e400},"history":[{"at":5}],"opened_at":null,"sla_due":"9999-12-31T23:59:59Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, err := DecodeException(data); err == nil {
			stays(t, &x, EncodeException, DecodeException)
		}
		if d, err := DecodeDecision(data); err == nil {
			stays(t, &d, EncodeDecision, DecodeDecision)
		}
	})
}

// stays wants v to be the same bytes again and again, once JSON has replaced what it can't write. A time that
// RFC 3339 can't write is no time that was ever written.
func stays[T any](t *testing.T, v *T, encode func(*T) ([]byte, error), decode func([]byte) (T, error)) {
	t.Helper()
	data, err := encode(v)
	if err != nil {
		t.Fatalf("%+v can be read and not written: %v", v, err)
	}
	for round := range 3 {
		again, err := decode(data)
		if err != nil {
			return
		}
		next, err := encode(&again)
		if err != nil {
			t.Fatalf("%q can be read and not written: %v", data, err)
		}
		if round > 0 && !bytes.Equal(data, next) {
			t.Fatalf("%q is written as %q", data, next)
		}
		data = next
	}
}
