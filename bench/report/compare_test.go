package report_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/perf/benchmath"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// of makes a report with one scenario and one metric, a run for each value.
func of(better report.Direction, values ...float64) report.Report {
	r := report.Report{Format: report.Format, Scenarios: []report.Scenario{{Name: "s"}}}
	for _, v := range values {
		r.Scenarios[0].Runs = append(r.Scenarios[0].Runs, report.Run{
			Metrics: []report.Metric{{Name: "m", Unit: report.DeltasPerSec, Value: v, Better: better}}})
	}
	return r
}

func TestCompareKnownSamples(t *testing.T) {
	for _, c := range []struct {
		name      string
		better    report.Direction
		a, b      []float64
		ratio     float64 // 0: none
		low, high float64 // 0: none
		verdict   report.Verdict
	}{
		// Of five against five, the interval is from the third ratio to the third from above.
		{"faster", report.Higher, []float64{10, 10, 10, 10, 10}, []float64{11, 12, 13, 14, 15}, 1.3, 1.1, 1.5, report.Better},
		{"slower", report.Higher, []float64{11, 12, 13, 14, 15}, []float64{10, 10, 10, 10, 10}, 10.0 / 13, 10.0 / 15, 10.0 / 11, report.Worse},
		{"shorter", report.Lower, []float64{20, 20, 20, 20, 20}, []float64{10, 10, 10, 10, 10}, 0.5, 0.5, 0.5, report.Better},
		{"longer", report.Lower, []float64{10, 10, 10, 10, 10}, []float64{20, 20, 20, 20, 20}, 2, 2, 2, report.Worse},
		{"only told", report.Neither, []float64{10, 10, 10, 10, 10}, []float64{20, 20, 20, 20, 20}, 2, 2, 2, report.Changed},
		{"noise", report.Higher, []float64{8, 9, 10, 11, 12}, []float64{8, 9, 10, 11, 12}, 1, 0.75, 4.0 / 3, report.Noise},
		{"the same", report.Higher, []float64{10, 10, 10, 10, 10}, []float64{10, 10, 10, 10, 10}, 1, 1, 1, report.Noise},
		{"three runs", report.Higher, []float64{1, 1, 1}, []float64{9, 9, 9}, 9, 0, 0, report.TooFew},
		{"one run", report.Higher, []float64{1}, []float64{9}, 9, 0, 0, report.TooFew},
		{"from nothing", report.Lower, []float64{0, 0, 0, 0, 0}, []float64{1, 1, 1, 1, 1}, 0, 0, 0, report.Worse},
		{"to nothing", report.Lower, []float64{1, 1, 1, 1, 1}, []float64{0, 0, 0, 0, 0}, 0, 0, 0, report.Better},
		{"nothing on both sides", report.Lower, []float64{0, 0, 0, 0, 0}, []float64{0, 0, 0, 0, 0}, 0, 0, 0, report.Noise},
		{"below nothing", report.Higher, []float64{-5, -4, -3, -2, -1}, []float64{1, 2, 3, 4, 5}, 0, 0, 0, report.Better},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := report.Compare(of(c.better, c.a...), of(c.better, c.b...)).Scenarios[0].Metrics[0]
			if m.Verdict != c.verdict {
				t.Errorf("verdict %q, want %q", m.Verdict, c.verdict)
			}
			var ratio, low, high float64
			if m.Ratio != nil {
				ratio = *m.Ratio
			}
			if m.Interval != nil {
				low, high = m.Interval.Low, m.Interval.High
			}
			if ratio != c.ratio || low != c.low || high != c.high {
				t.Errorf("ratio %v in [%v, %v], want %v in [%v, %v]", ratio, low, high, c.ratio, c.low, c.high)
			}
		})
	}
}

// TestTheIntervalAgreesWithTheTest holds verdicts against benchstat's: without ties there is a
// difference exactly where its Mann-Whitney test finds one.
func TestTheIntervalAgreesWithTheTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(1, 12).Draw(t, "n"), rapid.IntRange(1, 12).Draw(t, "m")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shift := rapid.Float64Range(0.5, 2).Draw(t, "shift")
		a, b := make([]float64, n), make([]float64, m)
		for i := range a {
			a[i] = 1 + rng.Float64()
		}
		for i := range b {
			b[i] = shift * (1 + rng.Float64())
		}
		got := report.Compare(of(report.Higher, a...), of(report.Higher, b...)).Scenarios[0].Metrics[0]
		p := benchmath.AssumeNothing.Compare(sampleOf(a), sampleOf(b)).P
		differs := got.Verdict == report.Better || got.Verdict == report.Worse
		if differs != (p <= 0.05) {
			t.Fatalf("verdict %q with interval %+v, but p is %v", got.Verdict, got.Interval, p)
		}
		if got.Interval != nil && (got.Interval.Low > *got.Ratio || got.Interval.High < *got.Ratio) {
			t.Fatalf("ratio %v is not in %+v", *got.Ratio, got.Interval)
		}
	})
}

func sampleOf(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}

// TestTheIntervalHoldsTheRatio draws samples of a known ratio many times over: at least 95 in a hundred intervals hold it.
func TestTheIntervalHoldsTheRatio(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const rounds, ratio = 4000, 1.3
	held := 0
	for range rounds {
		a, b := make([]float64, 5), make([]float64, 6)
		for i := range a {
			a[i] = 1 + 0.2*rng.ExpFloat64()
		}
		for i := range b {
			b[i] = ratio * (1 + 0.2*rng.ExpFloat64())
		}
		i := report.Compare(of(report.Higher, a...), of(report.Higher, b...)).Scenarios[0].Metrics[0].Interval
		if i.Low <= ratio && ratio <= i.High {
			held++
		}
	}
	// The exact level for 5 and 6 is 97 %; three standard deviations of the count are 0.8 %.
	if share := float64(held) / rounds; share < 0.955 || share > 0.985 {
		t.Errorf("%.1f %% of the intervals hold the ratio", 100*share)
	}
}

func TestCompareNamesWhatIsIncomparable(t *testing.T) {
	type d = report.Difference
	for _, c := range []struct {
		name   string
		change func(*report.Report)
		hard   []d
		soft   []d
		within []d // of the scenario live-90
	}{
		{name: "nothing", change: func(*report.Report) {}},
		{name: "CPU", change: func(r *report.Report) { r.Machine.CPU = "Other" }, hard: []d{{What: "CPU", A: "Example CPU @ 2.70GHz", B: "Other"}}},
		{name: "cores", change: func(r *report.Report) { r.Machine.Cores = 4 }, hard: []d{{What: "cores", A: "2", B: "4"}}},
		{name: "system", change: func(r *report.Report) { r.Machine.Arch = "arm64" }, hard: []d{{What: "system", A: "linux/amd64", B: "linux/arm64"}}},
		{name: "sync", change: func(r *report.Report) { r.Settings.Sync = report.SyncAlways }, hard: []d{{What: "broker syncs", A: "at intervals", B: "each message"}}},
		{name: "replicas and partitions", change: func(r *report.Report) { r.Settings.Replicas, r.Settings.Partitions = 3, 4 },
			hard: []d{{What: "replicas", A: "1", B: "3"}, {What: "partitions", A: "8", B: "4"}}},
		{name: "accounting", change: func(r *report.Report) { r.Settings.CountsBroker = false },
			hard: []d{{What: "CPU per delta", A: "with the broker's", B: "without the broker's"}}},
		{name: "versions", change: func(r *report.Report) { r.Machine.Go, r.Settings.Pebble = "go1.27", "" },
			soft: []d{{What: "Go", A: "go1.26.8", B: "go1.27"}, {What: "Pebble", A: "v2.1.7", B: "not known"}}},
		{name: "seed", change: func(r *report.Report) { r.Scenarios[1].Seed = 9 }, within: []d{{What: "seed", A: "2", B: "9"}}},
		{name: "config", change: func(r *report.Report) {
			r.Scenarios[1].Config = map[string]any{"rate": 60_000, "skew": 1.1}
		}, within: []d{{What: "linger", A: "1ms", B: "–"}, {What: "rate", A: "50000", B: "60000"}, {What: "skew", A: "–", B: "1.1"}}},
		{name: "the same config, read from JSON", change: func(r *report.Report) {
			r.Scenarios[1].Config = map[string]any{"rate": 50_000, "linger": "1ms"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := sample(1), sample(2)
			c.change(&b)
			got := report.Compare(a, b)
			live := got.Scenarios[1]
			if !slices.Equal(got.Incomparable, c.hard) || !slices.Equal(got.Differs, c.soft) || !slices.Equal(live.Incomparable, c.within) {
				t.Errorf("incomparable %v, differs %v, in the scenario %v;\nwant %v, %v, %v", got.Incomparable, got.Differs, live.Incomparable, c.hard, c.soft, c.within)
			}
			judged := len(c.hard)+len(c.within) == 0
			for _, m := range live.Metrics {
				if (m.Verdict != report.Incomparable) != judged {
					t.Errorf("%s: %q", m.A.Name, m.Verdict)
				}
			}
			if m := got.Scenarios[0].Metrics[0]; (m.Verdict == report.Better) != (len(c.hard) == 0) {
				t.Errorf("the other scenario: %q", m.Verdict)
			}
		})
	}
}

func TestCompareNamesWhatOnlyOneSideHas(t *testing.T) {
	a, b := sample(1), sample(1)
	a.Scenarios = a.Scenarios[1:]
	b.Scenarios = b.Scenarios[:2]
	for i := range b.Scenarios[1].Runs {
		m := b.Scenarios[1].Runs[i].Metrics
		m[0].Unit = "ms" // another quantity
		m[1].Name = "p99.5"
	}
	c := report.Compare(a, b)
	if want := []string{"restart-1g", "soak"}; !slices.Equal(c.OnlyA, want) {
		t.Errorf("only in A %v, want %v", c.OnlyA, want)
	}
	if want := []string{"catch-up-packed"}; !slices.Equal(c.OnlyB, want) {
		t.Errorf("only in B %v, want %v", c.OnlyB, want)
	}
	live := c.Scenarios[0]
	if want := []string{"p99", "p99.9"}; !slices.Equal(live.OnlyA, want) {
		t.Errorf("metrics only in A %v, want %v", live.OnlyA, want)
	}
	if want := []string{"p99", "p99.5"}; !slices.Equal(live.OnlyB, want) {
		t.Errorf("metrics only in B %v, want %v", live.OnlyB, want)
	}
}
