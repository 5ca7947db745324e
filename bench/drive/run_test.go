package drive

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/stream"
)

// plan is a run of 1,000 deltas, a fifth of them in the warm-up.
func (w *world) plan() Plan {
	return Plan{
		URL: w.server.URL(), Partitions: w.topology.Partitions,
		Mix:  load.Mix{Seed: 5, Keys: 200, Skew: 1.1, Oversell: 0.05},
		Rate: 2500, Warmup: 80 * time.Millisecond, Duration: 320 * time.Millisecond,
		Packing: 16, Interval: 100 * time.Millisecond, Drain: patience,
	}
}

func (w *world) fill(m load.Mix) {
	w.t.Helper()
	_, err := Fill(testContext(w.t), FillPlan{URL: w.server.URL(), Partitions: w.topology.Partitions, Mix: m, Shelves: true})
	must(w.t, err)
}

// TestRunHearsOfEveryProbe drives a real deployment, packed and one a message.
func TestRunHearsOfEveryProbe(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"packed":        func(p *Plan) { p.Linger = 5 * time.Millisecond },
		"one a message": func(p *Plan) { p.Packing = 1 },
		"disorder":      func(p *Plan) { p.Mix.OutOfOrder, p.Mix.Late, p.Mix.Duplicates = 0.2, 0.05, 0.1 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, stream.Topology{Partitions: 3})
			p := w.plan()
			change(&p)
			w.fill(p.Mix)
			filled := w.payloads()
			w.startHoldfast()
			var told []Interval
			p.Tell = func(i Interval) { told = append(told, i) }
			res, err := Run(testContext(t), p)
			must(t, err)

			if res.Missing != 0 || res.Others != 0 || uint64(res.Latency.TotalCount()) != res.Probes || res.Probes == 0 {
				t.Errorf("%d of %d probes are missing, %d commands are others", res.Missing, res.Probes, res.Others)
			}
			if all := uint64(res.Latency.TotalCount() + res.Warmup.TotalCount()); all != res.Counts.Probes {
				t.Errorf("%d holds were heard, of %d probes", all, res.Counts.Probes)
			}
			if res.Counts.Deltas != 1000 || res.Deltas != 800 || res.Lag.TotalCount() != 800 {
				t.Errorf("%d deltas, %d after the warm-up, %d with a lag, want 1000, 800, 800", res.Counts.Deltas, res.Deltas, res.Lag.TotalCount())
			}
			if res.Reached <= 0 || res.Reached > p.Rate*1.01 {
				t.Errorf("reached %v of %v", res.Reached, p.Rate)
			}
			if uint64(res.Stored.TotalCount()) != res.Messages || res.Bytes == 0 {
				t.Errorf("%d messages, %d with a time", res.Messages, res.Stored.TotalCount())
			}
			var sum Interval
			for _, i := range res.Series {
				sum.Published += i.Published
				sum.Stored += i.Stored
				sum.Commands += i.Commands
			}
			if sum.Published != 1000 || sum.Stored != 1000 || sum.Commands != res.Counts.Probes {
				t.Errorf("the series add up to %+v", sum)
			}
			for i := range told {
				if told[i] != res.Series[i] {
					t.Errorf("interval %d was told as %+v, and is %+v", i, told[i], res.Series[i])
				}
			}
			want := encoded(t, p.Mix, true, 1000, 3)
			for part, of := range w.payloads() {
				if got := bytes.Join(of, nil); !bytes.Equal(got, want[part]) {
					t.Errorf("partition %d has other deltas than the load", part)
				}
				for _, payload := range of[len(filled[part]):] {
					if n := deltasIn(t, payload); n > p.Packing {
						t.Errorf("%d deltas in a message, %d at most", n, p.Packing)
					}
				}
			}
		})
	}
}

// TestRunSaysWhatIsMissing runs where nobody listens: that is a result, and no error.
func TestRunSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t, stream.Topology{Partitions: 2})
	p := w.plan()
	p.Drain = time.Millisecond
	res, err := Run(testContext(t), p)
	must(t, err)
	if res.Probes == 0 || res.Missing != res.Probes || res.Latency.TotalCount() != 0 {
		t.Errorf("%d of %d probes are missing", res.Missing, res.Probes)
	}
}

// TestReceiverTellsHoldsOfProbesFromOthers hears two holds of probes, and three commands that are none.
func TestReceiverTellsHoldsOfProbesFromOthers(t *testing.T) {
	w := newWorld(t, stream.Topology{Partitions: 1})
	nc, err := w.connect("receiver")
	must(t, err)
	t.Cleanup(nc.Close)
	r := newRecord(&schedule{rate: 10, warm: 2, total: 5}, time.Second, 200*time.Millisecond)
	must(t, receive(nc, w.topology.Prefix, "probe-1-", r))
	r.begin()
	r.made(0, 0, 5, []int{1, 3})
	for _, c := range []struct{ action, body string }{
		{"hold", `{"sku":"tea"}`},
		{"hold", `{"sku":"probe-1-1"}`},
		{"release", `{"sku":"probe-1-3"}`},
		{"hold", `{"sku":"probe-1-4"}`},
		{"hold", `{"sku":"probe-1-3"}`},
	} {
		_, err := w.js.Publish(testContext(t), w.topology.CommandSubject(0, "web", c.action), []byte(c.body))
		must(t, err)
	}
	for ctx := testContext(t); !r.answered(); pause(time.Millisecond) {
		must(t, ctx.Err())
	}
	r.close(time.Second)
	if r.others != 3 || r.warm.TotalCount() != 1 || r.took.TotalCount() != 1 {
		t.Errorf("%d others, %d holds in the warm-up and %d after it, want 3, 1, 1", r.others, r.warm.TotalCount(), r.took.TotalCount())
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	w := newWorld(t, stream.Topology{Partitions: 2})
	p := w.plan()
	p.Duration = time.Hour
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(testContext(t))
	p.Tell = func(Interval) { cancel(why) }
	if _, err := Run(ctx, p); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
}

func TestRunFailsWithItsBroker(t *testing.T) {
	w := newWorld(t, stream.Topology{Partitions: 2})
	p := w.plan()
	p.Duration = time.Hour
	var stopping sync.WaitGroup // the server waits for its clients, of which this callback is one
	p.Tell = func(i Interval) {
		if i.At == p.Interval {
			stopping.Go(w.stop)
		}
	}
	_, err := Run(testContext(t), p)
	// A server that shuts down lets go of its streams, then of its clients, which may be writing to it.
	ends := []error{nats.ErrConnectionClosed, nats.ErrNoResponders, syscall.EPIPE, syscall.ECONNRESET}
	if !slices.ContainsFunc(ends, func(end error) bool { return errors.Is(err, end) }) {
		t.Errorf("%v, want that the streams or the connection are gone", err)
	}
	stopping.Wait()
}

func TestRunNeedsStreamsThatTakeIt(t *testing.T) {
	t.Run("none", func(t *testing.T) {
		w := newWorld(t, stream.Topology{Partitions: 1})
		p := w.plan()
		p.Partitions = 2 // of which one is not there
		_, err := Run(testContext(t), p)
		if !errors.Is(err, nats.ErrNoResponders) || !strings.Contains(err.Error(), "holdfast.delta.1") {
			t.Errorf("%v, want that nobody takes holdfast.delta.1", err)
		}
	})
	t.Run("full", func(t *testing.T) {
		w := newWorld(t, stream.Topology{Partitions: 1, DeltaMaxBytes: 10_000})
		_, err := Run(testContext(t), w.plan())
		if err == nil || !strings.Contains(err.Error(), "maximum bytes") {
			t.Errorf("%v, want that the stream is full", err)
		}
	})
	t.Run("no broker", func(t *testing.T) {
		_, err := Run(testContext(t), Plan{URL: "nats://127.0.0.1:1", Partitions: 1, Rate: 1, Duration: time.Second})
		if err == nil || !strings.Contains(err.Error(), "connect to nats://127.0.0.1:1") {
			t.Errorf("%v", err)
		}
	})
}

// TestLimitSaysWhoseItIs holds runs of 1,000 deltas/s for ten seconds against what is said of them.
func TestLimitSaysWhoseItIs(t *testing.T) {
	for _, of := range []struct {
		reached float64
		lag     time.Duration
		held    bool
		want    string // what it begins with
	}{
		{1000, 900 * time.Microsecond, false, ""},
		{991, 900 * time.Microsecond, false, ""},
		{989, 900 * time.Microsecond, false, "the broker took 989 of 1000"},
		{989, 2 * time.Second, true, "the broker took 989 of 1000"},
		{989, 2 * time.Second, false, "the driver reached 989 of 1000"},
		{1000, 2 * time.Millisecond, false, "the driver made the 99th percentile"},
	} {
		r := &run{plan: Plan{Rate: 1000}, held: of.held}
		res := &Result{Reached: of.reached, Lag: newHistogram()}
		res.Lag.record(of.lag, 10_000)
		if got := r.limit(res); !strings.HasPrefix(got, of.want) || (got == "") != (of.want == "") {
			t.Errorf("%+v: %q", of, got)
		}
	}
}

// TestDriverWaitsForABrokerThatTakesNothing fills what may wait, and sees the driver stop and say so.
func TestDriverWaitsForABrokerThatTakesNothing(t *testing.T) {
	l, err := load.New(load.Mix{})
	must(t, err)
	r := &run{load: l, schedule: schedule{rate: 1e9, total: 2000}, publisher: &publisher{lanes: make([]lane, 1), packing: 8}}
	r.record = newRecord(&r.schedule, time.Second, 0)
	if n := r.make(time.Second); n != burstMost || r.publisher.waiting == 0 || r.held {
		t.Fatalf("%d deltas were made, %d bytes wait, held %v", n, r.publisher.waiting, r.held)
	}
	r.publisher.waiting += waitingMost
	if n := r.make(time.Second); n != 0 || r.made != burstMost || !r.held {
		t.Errorf("%d deltas were made, of %d, held %v", n, r.made, r.held)
	}
	r.publisher.waiting -= waitingMost
	if n := r.make(time.Second); n != burstMost || r.made != 2*burstMost {
		t.Errorf("%d deltas were made, of %d", n, r.made)
	}
}

func TestPlansAreChecked(t *testing.T) {
	good := Plan{URL: "nats://127.0.0.1:1", Partitions: 1, Rate: 100, Duration: time.Second}
	for want, change := range map[string]func(*Plan){
		"a rate of 0":           func(p *Plan) { p.Rate = 0 },
		"a rate of -1":          func(p *Plan) { p.Rate = -1 },
		"a warm-up of -1s":      func(p *Plan) { p.Warmup = -time.Second },
		"a duration of 0s":      func(p *Plan) { p.Duration = 0 },
		"not one is due":        func(p *Plan) { p.Rate = 0.1 },
		"a run has 17179869184": func(p *Plan) { p.Rate = 1e12 },
		"linger -1ns":           func(p *Plan) { p.Linger = -1 },
		"in flight -1":          func(p *Plan) { p.InFlight = -1 },
		"interval -1ns":         func(p *Plan) { p.Interval = -1 },
		"drain -1ns":            func(p *Plan) { p.Drain = -1 },
		"no URL":                func(p *Plan) { p.URL = "" },
		"0 partitions":          func(p *Plan) { p.Partitions = 0 },
		"-1 deltas a message":   func(p *Plan) { p.Packing = -1 },
		"5000 deltas a message": func(p *Plan) { p.Packing = 5000 },
		"load: skew 0.5":        func(p *Plan) { p.Mix.Skew = 0.5 },
	} {
		p := good
		change(&p)
		if _, err := Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", p, err, want)
		}
	}
	for want, p := range map[string]FillPlan{
		"no URL":                {Partitions: 1},
		"0 partitions":          {URL: "x"},
		"5000 deltas a message": {URL: "x", Partitions: 1, Packing: 5000},
		"load: hot_share 2":     {URL: "x", Partitions: 1, Mix: load.Mix{HotShare: 2}},
	} {
		if _, err := Fill(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", p, err, want)
		}
	}
}
