package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

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
