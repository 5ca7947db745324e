package stream

import (
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// retailer makes a steady day of one partition: a count that fills each shelf, then mostly sales and
// orders over Zipf-distributed SKUs. Nine orders of ten are shipped or cancelled.
type retailer struct {
	rng    *rand.Rand
	zipf   *rand.Zipf
	now    inventory.Millis
	n      int
	keys   int
	orders []inventory.Delta
}

func newRetailer(keys int, even bool) *retailer {
	rng := rand.New(rand.NewPCG(1, 2))
	r := &retailer{rng: rng, now: 1_795_392_000_000, keys: keys}
	if !even {
		r.zipf = rand.NewZipf(rng, 1.1, 8, uint64(keys/10-1))
	}
	return r
}

func (r *retailer) sku() string {
	if r.zipf == nil {
		return "sku-" + strconv.Itoa(100000+r.rng.IntN(r.keys/10))
	}
	return "sku-" + strconv.Itoa(100000+int(r.zipf.Uint64()))
}

func (r *retailer) next() inventory.Delta {
	r.n++
	d := inventory.Delta{ID: strconv.Itoa(r.n), Source: "bench", Time: r.now}
	if r.n <= r.keys {
		d.SKU, d.Location = "sku-"+strconv.Itoa(100000+r.n/10), "store-"+strconv.Itoa(r.n%10)
		d.Kind, d.Quantity = inventory.Count, 1_000_000
		return d
	}
	r.now += inventory.Millis(r.rng.IntN(3))
	d.Time, d.SKU, d.Location = r.now, r.sku(), "store-"+strconv.Itoa(r.rng.IntN(10))
	d.Quantity = 1 + int64(r.rng.IntN(3))
	channel := [...]string{"web", "store", "amazon"}[r.rng.IntN(3)]
	switch draw := r.rng.IntN(100); {
	case draw < 50:
		d.Kind, d.Channel, d.Price = inventory.Sale, channel, 1999
	case draw < 62:
		d.Kind, d.Channel, d.Ref = inventory.Reserve, "web", "o-"+d.ID
		r.orders = append(r.orders, d)
	case draw < 73 && len(r.orders) > 0:
		at := r.rng.IntN(len(r.orders))
		o := r.orders[at]
		r.orders[at] = r.orders[len(r.orders)-1]
		r.orders = r.orders[:len(r.orders)-1]
		d.SKU, d.Location, d.Ref, d.Quantity, d.Kind = o.SKU, o.Location, o.Ref, o.Quantity, inventory.Ship
		if draw == 72 {
			d.Kind = inventory.Release
		}
	case draw < 82:
		d.Kind, d.Ref = inventory.Receipt, "po-"+d.ID
		d.Quantity *= 40
	case draw < 90:
		d.Kind, d.Channel = inventory.Listing, channel
	case draw < 96:
		d.Kind, d.Reason = inventory.Adjust, "found"
	default:
		d.Kind, d.Quantity = inventory.Count, 1_000_000
	}
	return d
}

// BenchmarkPartition is what a worker does without the broker: decode, apply, commit to Pebble every
// 65,536 deltas, 256 deltas a message. cpu-ns is the process's, flushes, compactions and the collector included.
func BenchmarkPartition(b *testing.B) {
	b.Run("few", func(b *testing.B) { benchmarkPartition(b, 6_250, false) })
	b.Run("many", func(b *testing.B) { benchmarkPartition(b, 625_000, true) })
}

func benchmarkPartition(b *testing.B, keys int, even bool) {
	const packing, cacheBytes = 256, 12 << 20
	folder, err := state.OpenFolder(b.TempDir(), state.Options{Partitions: 1, Prefix: "bench", CacheBytes: 16 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer folder.Close()
	db, err := folder.OpenPartition(0)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	e, err := engine.New(engine.Config{CacheBytes: cacheBytes, DedupeBytes: 4 << 20}, db)
	if err != nil {
		b.Fatal(err)
	}
	r := newRetailer(keys, even)
	batch := db.NewBatch()
	defer batch.Close()
	var decoded codec.Batch
	sequence, open := uint64(0), 0
	run := func(payloads [][]byte) {
		for _, payload := range payloads {
			decoded.Reset()
			decoded.Decode(payload)
			sequence++
			for i := range decoded.Deltas {
				if _, err := e.Apply(engine.At{Sequence: sequence, Index: i, LogTime: decoded.Deltas[i].Time}, &decoded.Deltas[i]); err != nil {
					b.Fatal(err)
				}
			}
			e.ClearOutputs()
			if open += len(decoded.Deltas); open >= OpenDeltasMax || e.CacheBytes() > cacheBytes*3/2 {
				open = 0
				batch.Reset()
				if err := e.Flush(batch); err != nil {
					b.Fatal(err)
				}
				if err := db.Commit(batch); err != nil {
					b.Fatal(err)
				}
				e.Committed()
			}
		}
	}
	make := func(deltas int) (payloads [][]byte) {
		for deltas > 0 {
			var payload []byte
			for range packing {
				d := r.next()
				payload = codec.AppendDelta(payload, &d)
			}
			payloads = append(payloads, payload)
			deltas -= packing
		}
		return payloads
	}
	run(make(keys + 50_000))
	payloads := make(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	run(payloads)
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(db.Metrics().DiskBytes)/float64(keys), "disk-B/key")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
