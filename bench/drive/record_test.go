package drive

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestScheduleAgreesWithItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Plan{
			Rate:     rapid.Float64Range(0.1, 1e7).Draw(t, "rate"),
			Warmup:   time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "warmup")),
			Duration: time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "duration")),
		}
		s := p.schedule()
		i := rapid.IntRange(0, s.total-1).Draw(t, "delta")
		due := s.due(i)
		if n := s.dueBy(due); n < i+1 || n < s.total && s.due(n) <= due {
			t.Fatalf("delta %d is due at %v, but %d are due by then", i, due, n)
		}
		if n := s.dueBy(due - 1); n > 0 && s.due(n-1) > due-1 {
			t.Fatalf("%d are due by %v, but the last at %v", n, due-1, s.due(n-1))
		}
		if s.dueBy(time.Hour) != s.total {
			t.Fatalf("%d are due in all, want %d", s.dueBy(time.Hour), s.total)
		}
		if (i < s.warm) != (due < p.Warmup) && due != p.Warmup {
			t.Fatalf("of %d in the warm-up of %v, delta %d is due at %v", s.warm, p.Warmup, i, due)
		}
	})
}

// TestRecordCountsEachThingOnce tells a story of ten deltas, one each 100 ms, four of them in the warm-up.
func TestRecordCountsEachThingOnce(t *testing.T) {
	const ms = time.Millisecond
	s := &schedule{rate: 10, warm: 4, total: 10}
	r := newRecord(s, 500*ms, 400*ms)
	r.begin()
	at := func(d time.Duration) time.Time { return s.start.Add(d) }

	r.hold(at(0), 2) // before it was made
	r.made(300*ms, 0, 4, []int{2})
	r.stored(350*ms, message{bytes: 90, deltas: 3, first: 0})
	r.hold(at(360*ms), 2) // 160 ms
	r.made(620*ms, 4, 7, []int{4, 6})
	r.stored(700*ms, message{bytes: 40, deltas: 4, counted: 3, first: 300 * ms})
	r.hold(at(710*ms), 4) // 310 ms
	r.hold(at(711*ms), 4) // again
	r.hold(at(711*ms), 5) // no probe
	r.hold(at(711*ms), 1<<40)
	r.other()
	r.made(900*ms, 7, 10, []int{9})
	if r.answered() {
		t.Error("all is answered, it says, with two probes open")
	}
	r.hold(at(2100*ms), 6) // 1.5 s
	r.close(2200 * ms)
	for _, late := range []func(){
		func() { r.hold(at(2300*ms), 9) }, func() { r.stored(2300*ms, message{deltas: 3, counted: 3}) }, r.other,
	} {
		late() // nobody hears it
	}

	for what, got := range map[string][2]uint64{
		"probes":           {r.probes, 3},
		"others":           {r.others, 5},
		"messages":         {r.messages, 1},
		"bytes":            {r.bytes, 40},
		"deltas":           {r.deltas, 3},
		"answered in time": {uint64(r.took.TotalCount()), 2},
		"in the warm-up":   {uint64(r.warm.TotalCount()), 1},
		"stored":           {uint64(r.kept.TotalCount()), 1},
		"with a lag":       {uint64(r.lag.TotalCount()), 6},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", what, got[0], got[1])
		}
	}
	about := func(d time.Duration) time.Duration { return d.Round(2 * ms) }
	if about(r.took.at(100)) != 1500*ms || about(r.took.at(50)) != 310*ms || about(r.warm.at(100)) != 160*ms {
		t.Errorf("latencies %v, %v, in the warm-up %v", r.took.at(50), r.took.at(100), r.warm.at(100))
	}
	if about(r.lag.at(100)) != 220*ms || about(r.kept.at(100)) != 400*ms {
		t.Errorf("lag %v, stored %v", r.lag.at(100), r.kept.at(100))
	}
	want := []Interval{
		{At: 500 * ms, Published: 4, Stored: 3, Commands: 1, P50: 160 * ms, P99: 160 * ms, Max: 160 * ms},
		{At: 1000 * ms, Published: 6, Stored: 4, Commands: 1, P50: 310 * ms, P99: 310 * ms, Max: 310 * ms},
		{At: 1500 * ms},
		{At: 2000 * ms},
		{At: 2200 * ms, Commands: 1, P50: 1500 * ms, P99: 1500 * ms, Max: 1500 * ms},
	}
	got := r.over(2200*ms, 0)
	if len(got) != len(want) {
		t.Fatalf("%d intervals, want %d: %+v", len(got), len(want), got)
	}
	for i := range got {
		got[i].P50, got[i].P99, got[i].Max = about(got[i].P50), about(got[i].P99), about(got[i].Max)
		if got[i] != want[i] {
			t.Errorf("interval %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestIntervalsOfTheWarmUpAreMarked(t *testing.T) {
	r := newRecord(&schedule{rate: 10, warm: 20, total: 40}, time.Second, 2*time.Second)
	r.turn(4 * time.Second)
	for i, want := range []bool{true, true, false, false} {
		if got := r.done[i]; got.Warmup != want {
			t.Errorf("%+v", got)
		}
	}
}

func TestProbeIsFoundInItsCommand(t *testing.T) {
	const sku = "probe-7-"
	for _, encoding := range []codec.Encoding{codec.JSON, codec.Msgpack} {
		rapid.Check(t, func(t *rapid.T) {
			number := rapid.Uint64Range(0, math.MaxInt64).Draw(t, "number")
			c := inventory.Command{
				ID: "3-17-0-1", Action: inventory.Hold, Channel: "web", SKU: sku + jsonNumber(number), Location: "store-10",
				Reason:   "store-10 has promised 1 unit more of " + sku + jsonNumber(number) + " than it has.",
				Evidence: map[string]any{"atp": -1},
			}
			coded, err := codec.EncodeCommand(&c, encoding)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := probeIn(coded, []byte(sku)); !ok || got != number {
				t.Fatalf("%d, %v, want %d in %q", got, ok, number, coded)
			}
			c.SKU, c.Reason = "probe-8-1", ""
			if coded, err = codec.EncodeCommand(&c, encoding); err != nil {
				t.Fatal(err)
			}
			if got, ok := probeIn(coded, []byte(sku)); ok {
				t.Fatalf("probe %d in %q", got, coded)
			}
		})
	}
	if _, ok := probeIn([]byte(`{"sku":"probe-7-"}`), []byte(sku)); ok {
		t.Error("a probe without a number")
	}
}

func jsonNumber(n uint64) string {
	text, _ := json.Marshal(n)
	return string(text)
}

func TestResultIsReadBackFromJSON(t *testing.T) {
	res := Result{Deltas: 3, Latency: newHistogram(), Limit: "none", Series: []Interval{{At: time.Second, P99: 7}}}
	for _, took := range []time.Duration{-5, 1, time.Millisecond, time.Minute, 3 * time.Hour} {
		res.Latency.record(took, 2)
	}
	coded, err := json.Marshal(res)
	must(t, err)
	var back Result
	must(t, json.Unmarshal(coded, &back))
	if !back.Latency.Equals(res.Latency.Histogram) || back.Latency.TotalCount() != 10 {
		t.Errorf("the histogram came back with %d values", back.Latency.TotalCount())
	}
	if least, most := time.Duration(back.Latency.Min()), back.Latency.at(100); least > 1 || most < time.Hour || most > time.Hour+time.Minute {
		t.Errorf("from %v to %v, want from 1ns to 1h, whatever was recorded", least, most)
	}
	if back.Warmup.Histogram != nil || back.Series[0] != res.Series[0] || back.Limit != res.Limit {
		t.Errorf("came back as %+v", back)
	}
	for _, bad := range []string{`{"latency": 7}`, `{"latency": "HISTFAAA"}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil || !strings.Contains(err.Error(), "histogram") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
