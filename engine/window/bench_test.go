package window

import (
	"math/rand"
	"testing"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// trades are keys by how often something happens to them.
var trades = []struct {
	name  string
	every inventory.Millis // on average
}{
	{"hot", 10},
	{"brisk", inventory.Second},
	{"usual", 3 * inventory.Minute},
	{"cold", 5 * inventory.Hour},
}

// trade makes a key's events: two thirds of them sales, the time between them and their lateness exponential.
type trade struct {
	events [4096]struct {
		after, late inventory.Millis
		mask        uint8
		units       int64
	}
	n         int
	watermark inventory.Millis
}

func newTrade(every inventory.Millis) *trade {
	random := rand.New(rand.NewSource(1))
	t := &trade{watermark: start}
	masks := [...]uint8{Sales.Bit() | Demand.Bit(), Demand.Bit(), Cancels.Bit(), Returns.Bit(), Adjustments.Bit(), PickFailures.Bit()}
	shares := [...]int{40, 16, 3, 3, 2, 1}
	for i := range t.events {
		e := &t.events[i]
		e.after = inventory.Millis(random.ExpFloat64() * float64(every))
		e.late = min(inventory.Millis(random.ExpFloat64()*500), 5*inventory.Minute)
		e.units = 1 + int64(random.Intn(3))
		kind, share := 0, random.Intn(65)
		for share >= shares[kind] {
			share -= shares[kind]
			kind++
		}
		e.mask = masks[kind]
	}
	return t
}

func (t *trade) add(w *Windows) {
	e := &t.events[t.n%len(t.events)]
	t.n++
	t.watermark += e.after
	w.Add(t.watermark-e.late, t.watermark, e.mask, e.units)
}

// each runs a benchmark for each sort of key, whose windows have come into their steady state: of a hot
// key that is to say an hour of panes, of the others five weeks or all they ever get.
func each(b *testing.B, run func(b *testing.B, t *trade, w *Windows)) {
	for _, sort := range trades {
		b.Run(sort.name, func(b *testing.B) {
			t := newTrade(sort.every)
			var w Windows
			for range min(36*inventory.Day/sort.every, 400_000) {
				t.add(&w)
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, t, &w)
			b.ReportMetric(float64(len(w.Append(nil))), "coded-B")
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	each(b, func(b *testing.B, t *trade, w *Windows) {
		for range b.N {
			t.add(w)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	each(b, func(b *testing.B, _ *trade, w *Windows) {
		var coded []byte
		for range b.N {
			coded = w.Append(coded[:0])
		}
	})
}

func BenchmarkRead(b *testing.B) {
	each(b, func(b *testing.B, _ *trade, w *Windows) {
		coded := w.Append(nil)
		for range b.N {
			var back Windows
			back.Read(wire.NewReader(coded))
		}
	})
}

// BenchmarkSum is what a detector may ask for at every look: the last minutes of a day, and all of a tier.
func BenchmarkSum(b *testing.B) {
	each(b, func(b *testing.B, t *trade, w *Windows) {
		for range b.N {
			w.Sum(Minutes, Demand, 10, t.watermark)
			w.Sum(Days, Demand, Days.Panes(), t.watermark)
		}
	})
}

// BenchmarkAddAmongMany is Add as a partition sees it: each event is another key's, of so many that
// none is in the processor's cache.
func BenchmarkAddAmongMany(b *testing.B) {
	const keys = 1 << 13
	windows := make([]Windows, keys)
	t := newTrade(2 * inventory.Second)
	key := uint32(0)
	add := func() {
		key = key*1664525 + 1013904223
		t.add(&windows[key>>(32-13)])
	}
	for range 100 * keys {
		add()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		add()
	}
}
