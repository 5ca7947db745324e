package load_test

import (
	"testing"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

var benched = []struct {
	name string
	mix  load.Mix
}{
	{"default", load.Mix{Seed: 1}},
	{"skewed", load.Mix{Seed: 1, Skew: 1.1, Oversell: 0.01}},
	{"hot", load.Mix{Seed: 1, Skew: 1.1, HotShare: 0.5}},
	{"10Mkeys", load.Mix{Seed: 1, Skew: 1.1, Keys: 10_000_000}},
	{"disorder", load.Mix{Seed: 1, Skew: 1.1, OutOfOrder: 0.2, Late: 0.02, Duplicates: 0.02}},
}

// BenchmarkNext is what a driver pays to make a delta.
func BenchmarkNext(b *testing.B) {
	for _, bench := range benched {
		b.Run(bench.name, func(b *testing.B) {
			l := mustNew(b, bench.mix)
			var d inventory.Delta
			b.ReportAllocs()
			for b.Loop() {
				l.Next(&d)
			}
		})
	}
}

// BenchmarkEncoded is what it pays to make one and write it behind others.
func BenchmarkEncoded(b *testing.B) {
	const packing = 256
	for _, bench := range benched {
		b.Run(bench.name, func(b *testing.B) {
			l := mustNew(b, bench.mix)
			var d inventory.Delta
			var payload []byte
			bytes, n := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				if n++; n%packing == 0 {
					bytes += len(payload)
					payload = payload[:0]
				}
				l.Next(&d)
				payload = codec.AppendDelta(payload, &d)
			}
			b.ReportMetric(float64(bytes+len(payload))/float64(b.N), "bytes/delta")
		})
	}
}
