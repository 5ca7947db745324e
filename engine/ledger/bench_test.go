package ledger

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// trade makes the deltas of one key at three channels, one every few seconds.
type trade struct {
	random *rand.Rand
	now    inventory.Millis
	n      int
	ids    [1000]string
}

func newTrade() *trade {
	t := &trade{random: rand.New(rand.NewSource(1)), now: gen.Start}
	for i := range t.ids {
		t.ids[i] = fmt.Sprintf("pos-1-%09d", i)
	}
	return t
}

func (t *trade) next(kinds []inventory.Kind) inventory.Delta {
	r := t.random
	t.n++
	t.now += inventory.Millis(r.ExpFloat64() * 5000)
	return inventory.Delta{
		ID: t.ids[t.n%len(t.ids)], Source: "pos-1", Kind: kinds[t.n%len(kinds)], Quantity: 1 + int64(r.Intn(3)), Price: 1999,
		Time: t.now - inventory.Millis(r.ExpFloat64()*500), Channel: [...]string{"web", "amazon", "store"}[r.Intn(3)],
	}
}

var busy = []inventory.Kind{
	inventory.Sale, inventory.Sale, inventory.Reserve, inventory.Ship, inventory.Listing, inventory.Sale, inventory.Receipt,
	inventory.Sale, inventory.Reserve, inventory.Ship, inventory.Listing, inventory.Sale, inventory.Return, inventory.Safety, inventory.Allocate, inventory.Count,
}

// ledgers are a key that was counted and sold thrice, and one that is busy and holds half a page of moves.
func ledgers(b *testing.B, run func(b *testing.B, l *Ledger, t *trade)) {
	for _, sort := range []struct {
		name  string
		kinds []inventory.Kind
		moves int
	}{{"cold", []inventory.Kind{inventory.Count, inventory.Sale, inventory.Sale, inventory.Sale}, 3}, {"busy", busy, PageMoves / 2}} {
		b.Run(sort.name, func(b *testing.B) {
			t := newTrade()
			var l Ledger
			for l.moves.Len() < sort.moves {
				d := t.next(sort.kinds)
				if err := l.Apply(&d, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, &l, t)
			b.ReportMetric(float64(len(l.Append(nil))), "coded-B")
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	ledgers(b, func(b *testing.B, l *Ledger, _ *trade) {
		var coded []byte
		for range b.N {
			coded = l.Append(coded[:0])
		}
	})
}

func BenchmarkRead(b *testing.B) {
	ledgers(b, func(b *testing.B, l *Ledger, _ *trade) {
		coded := l.Append(nil)
		for range b.N {
			var back Ledger
			back.Read(wire.NewReader(coded))
		}
	})
}

// BenchmarkApply is a delta and its share of the pages that it fills.
func BenchmarkApply(b *testing.B) {
	t := newTrade()
	var deltas [4096]inventory.Delta
	for i := range deltas {
		deltas[i] = t.next(busy)
	}
	var l Ledger
	history := func(inventory.Millis, func(Move)) error { return nil }
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		d := deltas[i%len(deltas)]
		d.Time += inventory.Millis(i/len(deltas)) * (t.now - gen.Start)
		if err := l.Apply(&d, history); err != nil {
			b.Fatal(err)
		}
		if _, _, err := l.ClosePage(d.Time - inventory.Day); err != nil {
			b.Fatal(err)
		}
	}
}

// timelines are an order that was reserved, and one of which half was shipped.
func timelines(b *testing.B, run func(b *testing.B, t *Timeline)) {
	reserve := inventory.Delta{Kind: inventory.Reserve, Quantity: 2, Time: gen.Start, Channel: "amazon", Due: gen.Start + 30*inventory.Minute}
	ship := inventory.Delta{Kind: inventory.Ship, Quantity: 1, Time: gen.Start + 10*inventory.Minute}
	for name, deltas := range map[string][]inventory.Delta{"reserved": {reserve}, "shipped": {reserve, ship}} {
		b.Run(name, func(b *testing.B) {
			t := Timeline{Class: Reservation}
			for i := range deltas {
				t.Apply(&deltas[i], deltas[i].Time, 0, nil)
			}
			t.TimerAt = t.NextTimer(inventory.Day)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, &t)
			b.ReportMetric(float64(len(t.Append(nil))), "coded-B")
		})
	}
}

func BenchmarkAppendTimeline(b *testing.B) {
	timelines(b, func(b *testing.B, t *Timeline) {
		var coded []byte
		for range b.N {
			coded = t.Append(coded[:0])
		}
	})
}

func BenchmarkReadTimeline(b *testing.B) {
	timelines(b, func(b *testing.B, t *Timeline) {
		coded := t.Append(nil)
		for range b.N {
			var back Timeline
			back.Read(wire.NewReader(coded))
		}
	})
}
