package engine_test

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// trade makes the deltas of a retailer's day: 2,500 SKUs at four locations, a few of which make most of
// the traffic, a hundred deltas a second of event time, some of them late.
type trade struct {
	random *rand.Rand
	skus   *rand.Zipf
	names  []string
	kinds  []inventory.Kind
	orders []inventory.Delta // reserved and neither shipped nor released yet
	n      int
}

func newTrade() *trade {
	random := rand.New(rand.NewSource(1))
	t := &trade{random: random, skus: rand.NewZipf(random, 1.1, 20, 2499)}
	for i := range 2500 {
		t.names = append(t.names, fmt.Sprintf("sku-%06d", i))
	}
	for _, k := range []struct {
		kind  inventory.Kind
		share int
	}{
		{inventory.Sale, 40}, {inventory.Reserve, 16}, {inventory.Ship, 13}, {inventory.Release, 3},
		{inventory.Return, 3}, {inventory.Receipt, 6}, {inventory.ASN, 2}, {inventory.Listing, 8},
		{inventory.Snapshot, 3}, {inventory.Adjust, 2}, {inventory.Count, 1}, {inventory.PickFailed, 1},
		{inventory.TransferOut, 1}, {inventory.Tick, 1},
	} {
		for range k.share {
			t.kinds = append(t.kinds, k.kind)
		}
	}
	return t
}

var places = [...]string{"leeds", "york", "hull", "bath"}

// next makes one delta.
func (t *trade) next() inventory.Delta {
	t.n++
	r := t.random
	d := inventory.Delta{
		ID:       fmt.Sprintf("pos-1-%09d", t.n),
		Source:   "pos-1",
		SKU:      t.names[t.skus.Uint64()],
		Location: places[r.Intn(len(places))],
		Kind:     t.kinds[r.Intn(len(t.kinds))],
		Quantity: 1 + int64(r.Intn(3)),
		Time:     gen.Start + inventory.Day + inventory.Millis(t.n)*10 - inventory.Millis(r.ExpFloat64()*500),
		Channel:  [...]string{"web", "amazon", "store"}[r.Intn(3)],
		Price:    1999,
	}
	switch d.Kind {
	case inventory.Reserve:
		d.Ref = fmt.Sprintf("order-%09d", t.n)
		d.Due = d.Time + 30*inventory.Minute
		t.orders = append(t.orders, d)
	case inventory.Ship, inventory.Release:
		d.Ref = "none"
		if n := len(t.orders); n > 0 {
			order := t.orders[n-1]
			t.orders = t.orders[:n-1]
			d.SKU, d.Location, d.Ref, d.Quantity = order.SKU, order.Location, order.Ref, order.Quantity
		}
	case inventory.Receipt, inventory.ASN:
		d.Ref, d.Quantity = fmt.Sprintf("po-%d", t.n/100), 40
	case inventory.Count:
		d.Quantity = 500
	case inventory.TransferOut:
		d.Ref, d.Counterparty = fmt.Sprintf("move-%d", t.n), "hub"
	case inventory.PickFailed:
		d.Ref = fmt.Sprintf("order-%09d", t.n)
	case inventory.Tick:
		d.SKU, d.Location = "", ""
	}
	return d
}

// tape is an engine.Writer that costs next to nothing: it copies into memory that it has already.
type tape struct {
	bytes []byte
	verbs []verb
}

type verb struct {
	replay     func(batch *enginetest.Batch, key, value []byte) error
	start, mid int // key is bytes[start:mid]
	end        int // value is bytes[mid:end]
}

func (t *tape) add(replay func(*enginetest.Batch, []byte, []byte) error, key, value []byte) error {
	start := len(t.bytes)
	t.bytes = append(append(t.bytes, key...), value...)
	t.verbs = append(t.verbs, verb{replay, start, start + len(key), len(t.bytes)})
	return nil
}

func (t *tape) Set(key, value []byte) error { return t.add((*enginetest.Batch).Set, key, value) }

func (t *tape) Delete(key []byte) error {
	return t.add(func(b *enginetest.Batch, key, _ []byte) error { return b.Delete(key) }, key, nil)
}

func (t *tape) DeleteRange(lower, upper []byte) error {
	return t.add((*enginetest.Batch).DeleteRange, lower, upper)
}

// replay puts what was taken into the store and empties the tape.
func (t *tape) replay(store *enginetest.Store) error {
	batch := store.Batch()
	for _, v := range t.verbs {
		if err := v.replay(batch, t.bytes[v.start:v.mid], t.bytes[v.mid:v.end]); err != nil {
			return err
		}
	}
	batch.Commit()
	t.bytes, t.verbs = t.bytes[:0], t.verbs[:0]
	return nil
}

// BenchmarkApply is one delta through the engine in steady state, its share of the Flush of a batch of
// 500 included and the store's own work left out: 10,000 keys with stock, all in the cache.
func BenchmarkApply(b *testing.B) {
	const batch = 500
	p := open(b, partition{config: engine.Config{CacheBytes: 1 << 30}})
	t := newTrade()
	deltas := make([]inventory.Delta, batch)
	var flushed tape
	run := func(timed bool, fill func(i int) inventory.Delta) {
		for i := range deltas {
			deltas[i] = fill(i)
		}
		p.messages++
		if timed {
			b.StartTimer()
		}
		for i := range deltas {
			if _, err := p.engine.Apply(engine.At{Sequence: p.messages, Index: i}, &deltas[i]); err != nil {
				b.Fatal(err)
			}
		}
		p.engine.ClearOutputs()
		if err := p.engine.Flush(&flushed); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := flushed.replay(p.store); err != nil {
			b.Fatal(err)
		}
		p.engine.Committed()
	}
	b.StopTimer()
	for key := 0; key < len(t.names)*len(places); key += batch {
		run(false, func(i int) inventory.Delta {
			d := inventory.Delta{Kind: inventory.Count, Quantity: 5000, Source: "wms", Time: gen.Start + inventory.Day}
			d.ID, d.SKU, d.Location = fmt.Sprint(key+i), t.names[(key+i)/len(places)], places[(key+i)%len(places)]
			return d
		})
	}
	for range 200 {
		run(false, func(int) inventory.Delta { return t.next() })
	}
	before := p.engine.Counters()
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += batch {
		run(true, func(int) inventory.Delta { return t.next() })
	}
	after := p.engine.Counters()
	if read := after.Read - before.Read; after.Applied-before.Applied < read*99/100 {
		b.Fatalf("of %d deltas %d were applied, want nearly all", read, after.Applied-before.Applied)
	}
}
