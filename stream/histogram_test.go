package stream

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"
)

// TestBucketsCoverEveryDuration: a duration is in the first bucket whose bound is not below it.
func TestBucketsCoverEveryDuration(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, d time.Duration) {
		want := 0
		for want < bucketBounds && bucketBound(want) < d {
			want++
		}
		if got := bucketOf(d); got != want {
			t.Fatalf("%v is in bucket %d, want %d", d, got, want)
		}
	}
	for i := range bucketBounds {
		for off := time.Duration(-2); off <= 2; off++ {
			check(t, bucketBound(i)+off)
		}
		if i > 0 {
			if ratio := float64(bucketBound(i)) / float64(bucketBound(i-1)); ratio < 1.41 || ratio > 1.42 {
				t.Errorf("bound %d is %.3f times the one before", i, ratio)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, time.Duration(rapid.Int64Min(0).Draw(t, "ns")))
		check(t, time.Duration(rapid.Int64Range(0, 2e11).Draw(t, "ns")))
	})
}

func TestAHistogramAllocatesNothing(t *testing.T) {
	var h histogram
	if n := testing.AllocsPerRun(100, func() { h.observe(3 * time.Millisecond); h.observe(-1); h.observe(time.Hour) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if h.counts[0].Load() != 101 || h.counts[bucketBounds].Load() != 101 || h.counts[bucketOf(3*time.Millisecond)].Load() != 101 {
		t.Error("not all were counted where they belong")
	}
	if want := 101 * (3*time.Millisecond + time.Hour); time.Duration(h.nanos.Load()) != want {
		t.Errorf("together %v, want %v", time.Duration(h.nanos.Load()), want)
	}
}

// BenchmarkStages is what the metrics add to the work on a fetch, most of which are four looks at the clock: the
// sample of the decoder, and what is seen when the worker takes it and has applied it. Scraped is the same while
// another goroutine does nothing but scrape.
func BenchmarkStages(b *testing.B) {
	run := func(b *testing.B, s *stages) {
		f := &Fetch{Messages: []Message{{UnixNanos: time.Now().UnixNano()}}}
		b.ReportAllocs()
		for range b.N {
			began := time.Now()
			f.decoding = time.Since(began)
			s.applied(s.taken(f))
		}
	}
	b.Run("alone", func(b *testing.B) { run(b, &stages{}) })
	b.Run("scraped", func(b *testing.B) {
		var s stages
		desc := prometheus.NewDesc("seconds", "", nil, nil)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, h := range []*histogram{&s.inStream, &s.decode, &s.apply, &s.commit} {
					h.metric(desc)
				}
			}
		}()
		run(b, &s)
		close(stop)
		<-stopped
	})
}

// BenchmarkObserve is a histogram without the clock.
func BenchmarkObserve(b *testing.B) {
	var h histogram
	for i := range b.N {
		h.observe(time.Duration(i))
	}
}

// BenchmarkCommandTimes is what the metrics add to a command that is stored by itself; those that are stored
// together share the look at the clock.
func BenchmarkCommandTimes(b *testing.B) {
	var c commandTimes
	said := []Output{{Kind: Command, cause: time.Now().UnixNano()}}
	b.ReportAllocs()
	for range b.N {
		said[0].said = time.Now()
		c.stored(said)
	}
}
