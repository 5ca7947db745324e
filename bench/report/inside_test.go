package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestReadHasALimit(t *testing.T) {
	text := `{"format":1}`
	if _, err := read(strings.NewReader(text), int64(len(text))); err != nil {
		t.Errorf("as long as it may be: %v", err)
	}
	if _, err := read(strings.NewReader(text), int64(len(text))-1); err == nil || !strings.Contains(err.Error(), "more than 11 bytes") {
		t.Errorf("a byte longer: error %v", err)
	}
}

// TestCriticalRanks has the table of Mann and Whitney's U at 5 %, two-sided, as textbooks print it; the
// rank is one above the critical value.
func TestCriticalRanks(t *testing.T) {
	for _, c := range []struct{ n, m, u int }{
		{1, 1, -1}, {3, 3, -1}, {4, 3, -1}, {4, 4, 0}, {2, 8, 0}, {5, 3, 0}, {5, 4, 1}, {5, 5, 2}, {6, 5, 3}, {6, 6, 5}, {8, 8, 13}, {10, 10, 23}, {12, 7, 18}, {20, 20, 127},
	} {
		if got := criticalRank(c.n, c.m); got != c.u+1 {
			t.Errorf("%d and %d values: rank %d, want %d", c.n, c.m, got, c.u+1)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		unit  string
		value float64
		full  string
		short string
	}{
		{DeltasPerSec, 1_040_000, "1.04M deltas/s", "1.04M deltas/s"},
		{DeltasPerSec, 1_000_000, "1.00M deltas/s", "1M deltas/s"},
		{DeltasPerSec, 999_600, "1.00M deltas/s", "1M deltas/s"},
		{DeltasPerSec, 999_000, "999k deltas/s", "999k deltas/s"},
		{DeltasPerSec, 50, "50 deltas/s", "50 deltas/s"},
		{DeltasPerSec, -1500, "-1.50k deltas/s", "-1.5k deltas/s"},
		{Nanoseconds, 0, "0 ns", "0 ns"},
		{Nanoseconds, 850, "850 ns", "850 ns"},
		{Nanoseconds, 1234, "1.23 µs", "1.23 µs"},
		{Nanoseconds, 2e6, "2.00 ms", "2 ms"},
		{Nanoseconds, 3600e9, "3600 s", "3600 s"},
		{Bytes, 1536, "1.50 KiB", "1.5 KiB"},
		{Bytes, 2 << 30, "2.00 GiB", "2 GiB"},
		{BytesPerKey, 142.5, "142 B/key", "142 B/key"},
		{Bytes + "/s", 3 << 20, "3.00 MiB/s", "3 MiB/s"},
		{"Bananas", 3, "3 Bananas", "3 Bananas"},
		{Ratio, 0.8333, "0.833×", "0.833×"},
		{Ratio, 10, "10.0×", "10×"},
		{PerDelta, 0.00042, "0.000420 allocs/delta", "0.00042 allocs/delta"},
		{Count, 3, "3", "3"},
		{Count, 4e6, "4.00M", "4M"},
		{Count, 1e-100, "0.000000000", "0"},
	} {
		if got := scaleOf(c.unit, c.value).full(c.value); got != c.full {
			t.Errorf("%v %s: %q, want %q", c.value, c.unit, got, c.full)
		}
		if got := short(c.unit, c.value); got != c.short {
			t.Errorf("%v %s: short %q, want %q", c.value, c.unit, got, c.short)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		unit   string
		target Target
		values []float64
		want   string
	}{
		{DeltasPerSec, Target{AtLeast, 1e6}, []float64{1.2e6}, "reached, 20 % above"},
		{DeltasPerSec, Target{AtLeast, 1e6}, []float64{1e6}, "reached"},
		{DeltasPerSec, Target{AtLeast, 1e6}, []float64{0.6e6, 0.7e6, 0.75e6}, "30 % short"},
		{Nanoseconds, Target{AtMost, 2e6}, []float64{1e6}, "reached, 50 % below"},
		{Nanoseconds, Target{AtMost, 2e6}, []float64{2e6}, "reached"},
		{Nanoseconds, Target{AtMost, 2e6}, []float64{2.09e6}, "4.5 % over"},
		{Nanoseconds, Target{AtMost, 2e6}, []float64{1.9e6, 2.02e6, 2.2e6}, "1.0 % over (within the noise)"},
		{PerDelta, Target{AtMost, 0}, []float64{0}, "reached"},
		{PerDelta, Target{AtMost, 0}, []float64{0.25}, "0.25 allocs/delta over"},
		{Nanoseconds, Target{AtLeast, 0}, []float64{-4e6}, "4 ms short"},
	} {
		s := Summary{Unit: c.unit, Target: &c.target, Values: c.values}
		s.summarize()
		if got := s.verdict(); got != c.want {
			t.Errorf("%v against %s %v: %q, want %q", c.values, c.target.Bound, c.target.Value, got, c.want)
		}
	}
}

// TestMediansNeedNoAssumption has what the binomial distribution says about the order of the values.
func TestMediansNeedNoAssumption(t *testing.T) {
	for _, c := range []struct {
		values            []float64
		median, low, high float64
		level             float64
	}{
		{[]float64{7}, 7, 7, 7, 0},
		{[]float64{3, 1}, 2, 1, 3, 0.5},
		{[]float64{5, 1, 3, 2, 900}, 3, 1, 900, 0.9375},
		{[]float64{1, 2, 3, 4, 5, 6}, 3.5, 1, 6, 0.96875},
		{[]float64{9, 8, 7, 6, 5, 4, 3, 2, 1}, 5, 2, 8, 0.9609375},
	} {
		before := slices.Clone(c.values)
		s := Summary{Values: c.values}
		s.summarize()
		if s.Median != c.median || s.Low != c.low || s.High != c.high || s.Level != c.level {
			t.Errorf("%v: median %v in [%v, %v] at %v; want %+v", before, s.Median, s.Low, s.High, s.Level, c)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("%v came back as %v", before, c.values)
		}
	}
}

func TestTheTypicalRunIsTheMedian(t *testing.T) {
	run := func(v float64) Run { return Run{Metrics: []Metric{{Name: "p99", Unit: "ns", Value: v}}} }
	for _, c := range []struct {
		runs []Run
		want int
	}{
		{nil, -1},
		{[]Run{{}}, 0},
		{[]Run{run(5)}, 0},
		{[]Run{run(5), run(1), run(3)}, 2},
		{[]Run{run(5), run(1), run(3), run(4)}, 2},
		{[]Run{{}, run(1), run(2), run(3)}, 2},
	} {
		if got := (Scenario{Runs: c.runs}).typical(); got != c.want {
			t.Errorf("%+v: run %d, want %d", c.runs, got, c.want)
		}
	}
}

func TestThinLinesKeepTheirPeaks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 500).Draw(t, "values")
		most := 2 * rapid.IntRange(1, 20).Draw(t, "half of most")
		points := make([]point, len(values))
		for i, v := range values {
			points[i] = point{float64(i), v}
		}
		kept := thin(points, most)
		if len(kept) > most {
			t.Fatalf("%d points, at most %d", len(kept), most)
		}
		byValue := func(a, b point) int { return int(math.Copysign(1, a.y-b.y)) }
		if slices.MinFunc(kept, byValue).y != slices.Min(values) || slices.MaxFunc(kept, byValue).y != slices.Max(values) {
			t.Fatalf("%v lost an extreme of %v", kept, values)
		}
		if !slices.IsSortedFunc(kept, func(a, b point) int { return int(a.x - b.x) }) {
			t.Fatalf("%v is not in order", kept)
		}
	})
}

// TestTicksStandInTheFrame wants ticks in their order, inside the chart and few enough to read, whatever the values.
func TestTicksStandInTheFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{Nanoseconds, Bytes, DeltasPerSec, Ratio}).Draw(t, "unit")
		size := rapid.SampledFrom([]float64{1e-3, 1, 1e3, 1e6, 1e12}).Draw(t, "size")
		values := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 10).Draw(t, "values")
		for i := range values {
			values[i] *= size
		}
		a := valueAxis(unit, values)
		for _, v := range values {
			if pixel, ok := a.at(v); ok && (pixel < plotTop-1e-6 || pixel > plotBottom+1e-6) {
				t.Fatalf("%v is at pixel %v", v, pixel)
			}
		}
		marks := a.marks(unit)
		if len(marks) == 0 || len(marks) > 9 {
			t.Fatalf("%d ticks: %v", len(marks), marks)
		}
		for i, m := range marks {
			if m.Pixel < plotTop-1e-6 || m.Pixel > plotBottom+1e-6 || i > 0 && m.Pixel >= marks[i-1].Pixel {
				t.Fatalf("ticks %v", marks)
			}
		}
	})
}

func TestTickLabels(t *testing.T) {
	labels := func(marks []mark) string {
		var all []string
		for _, m := range marks {
			all = append(all, m.Label)
		}
		return strings.Join(all, ", ")
	}
	times := func(end float64) []mark { marks, _ := timeMarks(timeAxis(end)); return marks }
	for _, c := range []struct {
		what  string
		marks []mark
		want  string
	}{
		{"rate", valueAxis(DeltasPerSec, []float64{9e5, 1.2e6}).marks(DeltasPerSec), "0, 500k, 1M, 1.5M"},
		{"memory", valueAxis(Bytes, []float64{400 << 20}).marks(Bytes), "0, 128 MiB, 256 MiB, 384 MiB, 512 MiB"},
		{"short latency", valueAxis(Nanoseconds, []float64{1e6, 2e6}).marks(Nanoseconds), "0, 500 µs, 1 ms, 1.5 ms, 2 ms"},
		{"long latency", valueAxis(Nanoseconds, []float64{1e5, 3e6}).marks(Nanoseconds), "100 µs, 200 µs, 500 µs, 1 ms, 2 ms"},
		{"as far apart as floats go", valueAxis(Nanoseconds, []float64{5e-309, 1e3}).marks(Nanoseconds), "0 ns, 0 ns, 0 ns, 0 ns, 0 ns, 0 ns"},
		{"latency with a stall", valueAxis(Nanoseconds, []float64{1e5, 9e9}).marks(Nanoseconds), "100 µs, 1 ms, 10 ms, 100 ms, 1 s"},
		{"nothing but 0", valueAxis(DeltasPerSec, []float64{0}).marks(DeltasPerSec), "0, 0.2, 0.4, 0.6, 0.8, 1"},
		{"below 0", valueAxis("deltas", []float64{-5, 10}).marks("deltas"), "-5, 0, 5, 10"},
		{"percentiles", percentileMarks(percentileAxis(4.2)), "50 %, 90 %, 99 %, 99.9 %, 99.99 %"},
		{"seconds", times(30), "0, 5, 10, 15, 20, 25, 30"},
		{"minutes", times(3600), "0, 10, 20, 30, 40, 50, 60"},
		{"hours", times(24 * 3600), "0, 5, 10, 15, 20"},
	} {
		if got := labels(c.marks); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// TestAGapIsNoLine has an interval without a command: it has no latency, not one of 0.
func TestAGapIsNoLine(t *testing.T) {
	x := axis{high: 4, first: 0, last: 4}
	y := axis{low: 1, high: 100, log: true, first: 2, last: 0}
	got := path([]point{{0, 1}, {1, 10}, {2, 0}, {3, 100}, {4, 10}}, x, y)
	if want := "M0 2L1 1M3 0L4 1"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}

func TestNines(t *testing.T) {
	for _, c := range []struct {
		p     float64
		count int64
		want  float64
	}{{0, 0, 0}, {90, 0, 1}, {99.9, 0, 3}, {99.9, 100, 2}, {100, 1000, 3}, {50, 1, 0}} {
		if got := nines(c.p, c.count); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("percentile %v of %d: %v nines, want %v", c.p, c.count, got, c.want)
		}
	}
}
