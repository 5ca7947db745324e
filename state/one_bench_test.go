package state

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// BenchmarkPebbles holds one Pebble for all partitions against one for each, with the same memory, the same batches
// and the same reads: sixteen owners that each commit 4,096 values of 200 bytes, of 60,000 keys by Zipf's law, and look up a
// thousand others. An op is a value; cpu-ns is the process's, flushes and compactions included.
func BenchmarkPebbles(b *testing.B) {
	const partitions, keys, values, gets = 16, 60_000, 4096, 1000
	for _, databases := range []int{partitions, 1} {
		b.Run(fmt.Sprintf("databases=%d", databases), func(b *testing.B) {
			folder, err := OpenFolder(b.TempDir(), Options{Partitions: databases, Prefix: "bench"})
			if err != nil {
				b.Fatal(err)
			}
			defer folder.Close()
			var all []*DB
			for p := range databases {
				db, err := folder.OpenPartition(p)
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				all = append(all, db)
			}
			before := cpuTime(b)
			b.ResetTimer()
			var owners sync.WaitGroup
			for p := range partitions {
				owners.Go(func() {
					kv := all[p%databases].pebble
					rng := rand.New(rand.NewPCG(1, uint64(p)))
					zipf := rand.NewZipf(rng, 1.1, 8, keys-1)
					key := binary.BigEndian.AppendUint64([]byte{spaceEngine, 'r', byte(p)}, 0)
					value := make([]byte, 200)
					for range b.N/partitions/values + 1 {
						batch := kv.NewBatch()
						for range values {
							binary.BigEndian.PutUint64(key[3:], zipf.Uint64())
							binary.BigEndian.PutUint64(value, rng.Uint64())
							if err := batch.Set(key, value, nil); err != nil {
								b.Error(err)
							}
						}
						if err := batch.Commit(pebble.NoSync); err != nil {
							b.Error(err)
						}
						for range gets {
							binary.BigEndian.PutUint64(key[3:], rng.Uint64N(keys))
							if _, closer, err := kv.Get(key); err == nil {
								_ = closer.Close()
							}
						}
					}
				})
			}
			owners.Wait()
			b.StopTimer()
			written := uint64(0)
			for _, db := range all {
				written += db.Metrics().WrittenBytes
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(written)/float64(b.N), "written-B/op")
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
