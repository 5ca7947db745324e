package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestDecodingAllocatesNothing is the proof for the partition's loop: once a Batch has grown,
// a delta in msgpack costs no allocation, whatever it carries.
func TestDecodingAllocatesNothing(t *testing.T) {
	payloads := map[string][]byte{"arrays": manyDeltas(AppendDelta), "maps": manyDeltas(AppendDeltaMap)}
	for _, k := range inventory.Kinds() {
		d := inventory.Delta{
			ID: "1", Source: "pos", SKU: "té", Location: "a b", Kind: k, Quantity: 1 << 40, Time: inventory.MillisMax, Channel: "web", Ref: "r",
			Reason: "x", Counterparty: "york", Due: 2, Price: 3, Attrs: []inventory.Attr{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}},
		}
		payloads[k.String()+" in an array"] = AppendDelta(nil, &d)
		payloads[k.String()+" in a map"] = AppendDeltaMap(nil, &d)
	}
	for name, at := range map[string]any{"text": "2026-11-24T09:30:00.123+01:00", "a timestamp": time.Unix(1_795_500_000, 123e6)} {
		d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Count, Time: 1}
		fields := fieldsOf(&d)
		fields["time"], fields["unknown"] = at, []int{1, 2, 3}
		payload, err := msgpack.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		payloads["a map with its time as "+name] = payload
	}
	for name, payload := range payloads {
		var b Batch
		b.Decode(payload) // grows
		if n := testing.AllocsPerRun(10, func() {
			b.Reset()
			b.Decode(payload)
		}); n != 0 || len(b.Bad) > 0 {
			t.Errorf("%s: %g allocations for %d deltas, bad %v; want none", name, n, len(b.Deltas), b.Bad)
		}
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	d := inventory.Delta{ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: inventory.Count, Time: 1, Attrs: []inventory.Attr{{Name: "a", Value: "1"}}}
	for name, form := range map[string]func([]byte, *inventory.Delta) []byte{"array": AppendDelta, "map": AppendDeltaMap} {
		buf := make([]byte, 0, 256)
		if n := testing.AllocsPerRun(10, func() { form(buf, &d) }); n != 0 {
			t.Errorf("%s: %g allocations, want none", name, n)
		}
	}
}

const deltasBenched = 256

// manyDeltas are the sales of a shop: what most payloads look like.
func manyDeltas(form func([]byte, *inventory.Delta) []byte) (payload []byte) {
	for i := range deltasBenched {
		d := inventory.Delta{
			ID: fmt.Sprint("order-", 1000+i), Source: "pos-117", SKU: fmt.Sprint("sku-", i%50), Location: "store-12",
			Kind: inventory.Sale, Quantity: int64(1 + i%3), Time: 1_795_500_000_000 + inventory.Millis(i), Channel: "web", Price: 1999,
		}
		if i%10 == 0 {
			d.Attrs = []inventory.Attr{{Name: "till", Value: "4"}}
		}
		payload = form(payload, &d)
	}
	return payload
}

// libraryDelta is a delta as a program that uses a library would have it.
type libraryDelta struct {
	ID           string            `msgpack:"id" json:"id"`
	Source       string            `msgpack:"source" json:"source"`
	SKU          string            `msgpack:"sku" json:"sku"`
	Location     string            `msgpack:"location" json:"location"`
	Kind         string            `msgpack:"kind" json:"kind"`
	Quantity     int64             `msgpack:"quantity" json:"quantity"`
	Time         any               `msgpack:"time" json:"time"`
	Channel      string            `msgpack:"channel" json:"channel"`
	Ref          string            `msgpack:"ref" json:"ref"`
	Reason       string            `msgpack:"reason" json:"reason"`
	Counterparty string            `msgpack:"counterparty" json:"counterparty"`
	Due          any               `msgpack:"due" json:"due"`
	Price        int64             `msgpack:"price" json:"price"`
	Attrs        map[string]string `msgpack:"attrs" json:"attrs"`
}

// decode reads the compact array, or the map by name.
func (d *libraryDelta) decode(r *msgpack.Decoder, form string) error {
	if form == "map" {
		return r.Decode(d)
	}
	n, err := r.DecodeArrayLen()
	if err != nil {
		return err
	}
	fields := [...]any{
		&d.ID, &d.Source, &d.SKU, &d.Location, &d.Kind, &d.Quantity, &d.Time, &d.Channel, &d.Ref, &d.Reason, &d.Counterparty, &d.Due, &d.Price, &d.Attrs,
	}
	return r.DecodeMulti(fields[:n]...)
}

// BenchmarkDecode measures a Batch, which validates each delta too, beside what the libraries
// take to fill a struct.
func BenchmarkDecode(b *testing.B) {
	for _, form := range []string{"array", "map", "JSON"} {
		payload := manyDeltas(forms[form])
		var batch Batch
		benchmark(b, form+"/Batch", func() int {
			batch.Reset()
			batch.Decode(payload)
			return len(batch.Deltas) - len(batch.Bad)
		})
		library, decode := "msgpack", func(r io.Reader) func(*libraryDelta) error {
			d := msgpack.NewDecoder(r)
			return func(one *libraryDelta) error { return one.decode(d, form) }
		}
		if form == "JSON" {
			library, decode = "encoding-json", func(r io.Reader) func(*libraryDelta) error {
				d := json.NewDecoder(r)
				return func(one *libraryDelta) error { return d.Decode(one) }
			}
		}
		benchmark(b, form+"/"+library, func() (n int) {
			next := decode(bytes.NewReader(payload))
			for ; ; n++ {
				var one libraryDelta
				if err := next(&one); errors.Is(err, io.EOF) {
					return n
				} else if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchmark runs decode, which returns how many deltas it found.
func benchmark(b *testing.B, name string, decode func() int) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if n := decode(); n != deltasBenched {
				b.Fatalf("%d deltas, want %d", n, deltasBenched)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/deltasBenched, "ns/delta")
	})
}
