package dedupe

import (
	"strconv"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// BenchmarkSet is an id that is new, looked for and added, beside four runs of 65,536 ids each and more.
func BenchmarkSet(b *testing.B) {
	const ids = 1 << 18
	w := newWorld(b, inventory.Day, 16*ids)
	for i := range 4 * ids {
		w.Add(w.id(i), start)
		if w.recent.used > w.idsMax {
			w.flush(b)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	known := 0
	for i := range b.N {
		id := w.Hash(&inventory.Delta{Source: "bench", ID: strconv.Itoa(i)})
		found, err := w.Known(id, start)
		if err != nil {
			b.Fatal(err)
		}
		if found {
			known++
		}
		w.Add(id, start)
		if len(w.fresh) == 1<<16 {
			b.StopTimer()
			w.flush(b)
			b.StartTimer()
		}
	}
	if known != 0 {
		b.Errorf("%d of %d new ids were known", known, b.N)
	}
}
