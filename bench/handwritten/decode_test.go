package handwritten

import (
	"bytes"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestDecodesWhatProducersWrite: maps and arrays, one after another in one payload.
func TestDecodesWhatProducersWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := gen.Log(gen.Shape{DeltasMax: 20, Lateness: lateness}).Draw(t, "log")
		var payload []byte
		for i := range log {
			if log[i].Kind == inventory.Tick {
				log[i].Quantity = 0 // not on the wire
			}
			log[i].Attrs = []inventory.Attr{{Name: "till", Value: "7"}}[:rapid.IntRange(0, 1).Draw(t, "attrs")]
			if rapid.Bool().Draw(t, "map") {
				payload = codec.AppendDeltaMap(payload, &log[i])
			} else {
				payload = codec.AppendDelta(payload, &log[i])
			}
		}
		reader := bytes.NewReader(payload)
		dec := msgpack.NewDecoder(reader)
		var d delta
		for i := range log {
			if err := d.decode(dec); err != nil {
				t.Fatalf("delta %d: %v", i, err)
			}
			if d.counted != log[i].Kind.NeedsQuantity() {
				t.Fatalf("delta %d, a %s: says a quantity: %v", i, log[i].Kind, d.counted)
			}
			log[i].Attrs = nil // which it skips
			if got, want := codec.AppendDeltaJSON(nil, &d.Delta), codec.AppendDeltaJSON(nil, &log[i]); !bytes.Equal(got, want) {
				t.Fatalf("delta %d:\n got %s\nwant %s", i, got, want)
			}
		}
		if reader.Len() > 0 {
			t.Fatalf("%d bytes are left", reader.Len())
		}
	})
}

func TestDecodesTimesAsTextAndSkipsWhatItDoesNotKnow(t *testing.T) {
	payload, err := msgpack.Marshal(map[string]any{"time": "2026-11-24T09:30:00Z", "due": int64(5), "colour": []int{1}, "quantity": nil})
	if err != nil {
		t.Fatal(err)
	}
	var d delta
	if err := d.decode(msgpack.NewDecoder(bytes.NewReader(payload))); err != nil {
		t.Fatal(err)
	}
	if d.Time != 1795512600000 || d.Due != 5 || d.counted {
		t.Errorf("got time %d, due %d, counted %v", d.Time, d.Due, d.counted)
	}
}

// FuzzDecode: whatever the bytes are, it says a delta or an error, and never reads beyond them.
func FuzzDecode(f *testing.F) {
	d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Sale, Quantity: 1, Time: 1, Channel: "web"}
	f.Add(codec.AppendDelta(nil, &d))
	f.Add(codec.AppendDeltaMap(nil, &d))
	f.Add([]byte(`{"id":1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		reader := bytes.NewReader(payload)
		dec := msgpack.NewDecoder(reader)
		for reader.Len() > 0 {
			before := reader.Len()
			var d delta
			if d.decode(dec) != nil {
				return
			}
			if reader.Len() >= before {
				t.Fatalf("a delta, but nothing of the %d bytes that are left was read", before)
			}
		}
	})
}
