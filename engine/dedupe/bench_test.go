package dedupe

import (
	"strconv"
	"testing"
	"unsafe"

	"github.com/holdfast-atp/holdfast/inventory"
)

// BenchmarkSet is an id that is new, hashed, looked for and added, beside some runs of others, and the same and its share of the
// flush of a batch of 500.
func BenchmarkSet(b *testing.B) {
	for _, c := range []struct {
		name    string
		flushed bool
	}{{"asked", false}, {"flushed", true}} {
		b.Run(c.name, func(b *testing.B) {
			const ids, batch = 1 << 18, 500
			w := newWorld(b, inventory.Day, 16*ids)
			d := inventory.Delta{Source: "bench"}
			var text []byte
			add := func(i int) {
				text = strconv.AppendInt(append(text[:0], "pos-1-"...), int64(i), 10)
				d.ID = unsafe.String(&text[0], len(text))
				id := w.Hash(&d)
				if known, err := w.Known(id, start); err != nil || known {
					b.Fatalf("new id %s is known: %v, %v", d.ID, known, err)
				}
				w.Add(id, start)
			}
			for i := range 4 * ids {
				if add(i); i%batch == 0 {
					w.flush(b)
				}
			}
			w.flush(b)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				add(4*ids + i)
				if i%batch != 0 {
					continue
				}
				if !c.flushed {
					b.StopTimer()
				}
				taken := w.store.Batch()
				if err := w.Flush(w.sequence+1, taken); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				w.sequence++
				taken.Commit()
				b.StartTimer()
			}
			b.ReportMetric(float64(len(w.runs)), "runs")
		})
	}
}
