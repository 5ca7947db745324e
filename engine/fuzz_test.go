package engine_test

import (
	"testing"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// FuzzApply: any bytes whatever as a message, twice, with the partition lost in between. Nothing
// panics, every item has one outcome, the outputs count up from one, and all that is kept can be read.
func FuzzApply(f *testing.F) {
	for seed := range 8 {
		f.Add(encode(gen.Log(gen.Shape{DeltasMax: 40, Lateness: inventory.Hour}).Example(seed)))
	}
	f.Add([]byte(`{"id":"1","source":"pos","sku":"tea","location":"leeds","kind":"sale","quantity":1,"channel":"web","time":"9999-12-31T23:59:59.999Z"}`))
	f.Add([]byte(`{"id":"1","source":"pos","sku":"tea","location":"leeds","kind":"reserve","quantity":9007199254740991,"channel":"web","ref":"o","time":1,"due":1}{`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, message []byte) {
		p := open(t, partition{config: engine.Config{Lateness: inventory.Hour, CacheBytes: 1, DedupeBytes: 1}})
		var named codec.Batch
		named.Decode(append([]byte(nil), message...))
		for range 2 {
			p.messages++
			if got := len(p.apply(t, append([]byte(nil), message...))); got != len(named.Deltas) {
				t.Fatalf("%d outcomes of %d items", got, len(named.Deltas))
			}
			p.commit(t)
			p = open(t, *p)
		}
		counted(t, p.engine.Counters(), p.results)
		p.transcript(t)
		for i := range p.said {
			if p.said[i].Ordinal != uint64(i)+1 {
				t.Fatalf("output %d has ordinal %d", i, p.said[i].Ordinal)
			}
		}
		for i, first := range p.results[:len(named.Deltas)] {
			if d := &named.Deltas[i]; first.Outcome == engine.Applied && d.Kind != inventory.Tick {
				if _, found, err := engine.ReadKey(p.store, d.SKU, d.Location); err != nil || !found {
					t.Fatalf("%q at %q: found %v, %v", d.SKU, d.Location, found, err)
				}
				if _, found, err := engine.ReadSKU(p.store, d.SKU); err != nil || !found {
					t.Fatalf("%q: found %v, %v", d.SKU, found, err)
				}
			}
		}
		if err := engine.ReadExceptions(p.store, "", func(engine.Rank, *inventory.Exception) bool { return true }); err != nil {
			t.Fatal(err)
		}
	})
}
