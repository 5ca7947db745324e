package stream

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// histogram counts durations in buckets whose bounds rise by about √2, from 1 µs to 67 s. Any goroutine
// may observe or read. To observe costs two atomic additions and no allocation; what a reader gets may
// lack what is observed meanwhile.
type histogram struct {
	counts [bucketBounds + 1]atomic.Uint64 // by bucket; the last is for what is above all bounds
	nanos  atomic.Int64                    // all durations together
}

// bucketBounds is how many buckets have an upper bound.
const bucketBounds = 2*26 + 1

// bucketBound is the greatest duration that is in bucket i < bucketBounds: 1 µs · 2^(i/2), with 1.414 for √2 so
// that every bound is a whole number of nanoseconds and short to write.
func bucketBound(i int) time.Duration {
	bound := time.Microsecond << (i / 2)
	if i%2 == 1 {
		bound = bound * 1414 / 1000
	}
	return bound
}

// bucketOf returns the first bucket whose bound is not below d.
func bucketOf(d time.Duration) int {
	if d <= time.Microsecond {
		return 0
	}
	octave := bits.Len64(uint64(d-1) / uint64(time.Microsecond)) // d is in (bound of it - 1, bound of it]
	i := 2 * octave
	switch {
	case i >= bucketBounds:
		return bucketBounds
	case d <= bucketBound(i-1):
		return i - 1
	}
	return i
}

// observe counts d. What is below zero, as between two clocks, counts as zero.
func (h *histogram) observe(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(d)].Add(1)
	h.nanos.Add(int64(d))
}

// metric returns what was counted, in seconds.
func (h *histogram) metric(desc *prometheus.Desc, labels ...string) prometheus.Metric {
	upTo := make(map[float64]uint64, bucketBounds)
	nanos, count := h.nanos.Load(), uint64(0)
	for i := range h.counts {
		count += h.counts[i].Load()
		if i < bucketBounds {
			upTo[bucketBound(i).Seconds()] = count
		}
	}
	return prometheus.MustNewConstHistogram(desc, count, time.Duration(nanos).Seconds(), upTo, labels...)
}
