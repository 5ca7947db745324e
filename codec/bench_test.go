package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestDecodingAllocatesNothing is the proof for the partition's loop.
func TestDecodingAllocatesNothing(t *testing.T) {
	for name, form := range map[string]func([]byte, *inventory.Delta) []byte{"array": AppendDelta, "map": AppendDeltaMap} {
		payload := manyDeltas(form)
		var b Batch
		b.Decode(payload) // grows
		if n := testing.AllocsPerRun(100, func() {
			b.Reset()
			b.Decode(payload)
		}); n != 0 || len(b.Bad) > 0 || len(b.Deltas) != 256 {
			t.Errorf("%s: %g allocations for %d deltas, %d bad; want none", name, n, len(b.Deltas), len(b.Bad))
		}
	}
}

func manyDeltas(form func([]byte, *inventory.Delta) []byte) (payload []byte) {
	for i := range 256 {
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

// benchmarks of the decoder beside the libraries.
func BenchmarkDecode(b *testing.B) {
	for name, form := range forms {
		payload := manyDeltas(form)
		b.Run(fmt.Sprint(name, "/ours"), func(b *testing.B) {
			var batch Batch
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				batch.Decode(payload)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/delta")
		})
	}
	b.Run("map/msgpack.v5", func(b *testing.B) { benchLibrary(b, libraryMaps) })
	b.Run("array/msgpack.v5", func(b *testing.B) { benchLibrary(b, libraryArrays) })
	b.Run("JSON/encoding.json", func(b *testing.B) { benchLibrary(b, libraryJSON) })
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

func benchLibrary(b *testing.B, decode func(b *testing.B) int) {
	b.ReportAllocs()
	for b.Loop() {
		if n := decode(b); n != 256 {
			b.Fatalf("%d deltas", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/delta")
}

func libraryMaps(b *testing.B) int {
	d := msgpack.NewDecoder(bytes.NewReader(manyDeltasOf["map"]))
	return count(b, func() error {
		var one libraryDelta
		return d.Decode(&one)
	})
}

func libraryArrays(b *testing.B) int {
	d := msgpack.NewDecoder(bytes.NewReader(manyDeltasOf["array"]))
	return count(b, func() error {
		n, err := d.DecodeArrayLen()
		if err != nil {
			return err
		}
		var one libraryDelta
		for i := range n {
			switch field(i) {
			case fieldID:
				one.ID, err = d.DecodeString()
			case fieldSource:
				one.Source, err = d.DecodeString()
			case fieldSKU:
				one.SKU, err = d.DecodeString()
			case fieldLocation:
				one.Location, err = d.DecodeString()
			case fieldKind:
				one.Kind, err = d.DecodeString()
			case fieldQuantity:
				one.Quantity, err = d.DecodeInt64()
			case fieldTime, fieldDue, fieldPrice:
				one.Price, err = d.DecodeInt64()
			case fieldAttrs:
				_, err = d.DecodeMap()
			default:
				one.Ref, err = d.DecodeString()
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func libraryJSON(b *testing.B) int {
	d := json.NewDecoder(bytes.NewReader(manyDeltasOf["JSON"]))
	return count(b, func() error {
		var one libraryDelta
		return d.Decode(&one)
	})
}

func count(b *testing.B, next func() error) (n int) {
	for ; ; n++ {
		if err := next(); errors.Is(err, io.EOF) {
			return n
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

var manyDeltasOf = map[string][]byte{
	"array": manyDeltas(AppendDelta), "map": manyDeltas(AppendDeltaMap), "JSON": manyDeltas(AppendDeltaJSON),
}
