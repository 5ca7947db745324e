package bench

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-atp/holdfast/bench/drive"
	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
)

func TestGrowthLooksAtWhatIsMeasured(t *testing.T) {
	series := func(values ...float64) report.Series {
		s := report.Series{Value: values}
		for i := range values {
			s.At = append(s.At, float64(i))
		}
		return s
	}
	for _, test := range []struct {
		name string
		s    report.Series
		from float64
		want float64
	}{
		{"flat", series(5, 5, 5, 5, 5, 5, 5, 5), 0, 1},
		{"twice", series(4, 4, 5, 6, 7, 7, 8, 8), 0, 2},
		{"the warm-up is left out", series(1, 2, 3, 6, 6, 6, 6, 6), 3, 1},
		{"a spike between is none", series(2, 2, 90, 2, 2, 90, 2, 2), 0, 1},
		{"too little to say", series(1, 2, 3), 0, 0},
		{"nothing", series(), 0, 0},
		{"all in the warm-up", series(1, 2, 3, 4, 5), 99, 0},
		{"from nothing", series(0, 0, 0, 1), 0, 0},
	} {
		if got := growth(test.s, test.from); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestPerCoreSecond(t *testing.T) {
	broker := report.Process{Name: role.Broker, CPU: 2 * time.Second}
	holdfast := report.Process{Name: role.Holdfast, CPU: 500 * time.Millisecond}
	values := func(metrics []report.Metric) map[string]float64 {
		all := map[string]float64{}
		for _, m := range metrics {
			all[m.Name] = m.Value
		}
		return all
	}
	got := values(perCoreSecond(1000, []report.Process{broker, holdfast}))
	if len(got) != 3 || got["per core-second"] != 400 || got["per core-second of broker"] != 500 || got["per core-second of holdfast"] != 2000 {
		t.Errorf("got %v", got)
	}
	holdfast.CPU = 0 // not known, so neither is the sum
	got = values(perCoreSecond(1000, []report.Process{broker, holdfast}))
	if len(got) != 1 || got["per core-second of broker"] != 500 {
		t.Errorf("got %v", got)
	}
}

func TestDirBytes(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"x": 10, "a/y": 200, "a/b/z": 3000} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := dirBytes(dir); err != nil || got != 3210 {
		t.Errorf("%d, %v", got, err)
	}
	if got, err := dirBytes(filepath.Join(dir, "gone")); err != nil || got != 0 {
		t.Errorf("of a folder that is gone: %d, %v", got, err)
	}
}

func TestMachineSaysWhereItIs(t *testing.T) {
	dir := t.TempDir()
	m, err := machine(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.OS == "" || m.Arch == "" || m.Cores < 1 || m.Go == "" || m.DiskSync <= 0 {
		t.Errorf("got %+v", m)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	for text, want := range map[string]int64{"": 0, "12 kB": 12 << 10, "many": 0} {
		if got := kib(text); got != want {
			t.Errorf("%q is %d bytes, want %d", text, got, want)
		}
	}
}

// TestMeterChargesWhatIsMeasured tells a meter of intervals; no process is charged, so what counts
// is for how many deltas.
func TestMeterChargesWhatIsMeasured(t *testing.T) {
	var m meter
	if err := m.begin([]*process.Process{}); err != nil {
		t.Fatal(err)
	}
	for _, i := range []drive.Interval{
		{Published: 10, Warmup: true}, {Published: 20, Warmup: true},
		{Published: 3}, {Published: 4},
		{Published: 0, Commands: 5}, // it waits for the last commands
	} {
		text, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		m.tell(text)
	}
	if deltas, used, err := m.read(); deltas != 7 || used == nil || err != nil {
		t.Errorf("charged %v for %d deltas, %v", used, deltas, err)
	}
	m.tell(json.RawMessage("soon"))
	if _, _, err := m.read(); err == nil {
		t.Error("took soon for an interval")
	}
}

func TestArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{}
		a.came(time.Now())
		go func() { // three more, each before it has been quiet for long enough
			for range 3 {
				time.Sleep(7 * time.Millisecond)
				a.came(time.Now())
			}
		}()
		start := time.Now()
		if err := a.quiet(t.Context(), 10*time.Millisecond); err != nil || time.Since(start) != 31*time.Millisecond {
			t.Errorf("quiet after %v, %v", time.Since(start), err)
		}
		a.expect()
		want := time.Now()
		a.came(want)
		time.Sleep(time.Millisecond)
		a.came(time.Now())
		if at, err := a.first(t.Context()); err != nil || !at.Equal(want) {
			t.Errorf("the first came at %v, %v; want %v", at, err, want)
		}
	})
}

func TestTrackIsThroughputOverTime(t *testing.T) {
	var k track
	for _, s := range []role.HoldfastStatus{
		{After: time.Second, Applied: 100},
		{After: time.Second, Applied: 100}, // no time has gone by
		{After: 3 * time.Second, Applied: 500},
	} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		k.add(text)
	}
	k.add(json.RawMessage("soon")) // a point less
	all := k.series()
	if len(all) != 1 || len(all[0].At) != 2 || all[0].Value[0] != 100 || all[0].Value[1] != 200 {
		t.Errorf("got %+v", all)
	}
	if none := (&track{}).series(); none != nil {
		t.Errorf("from nothing came %+v", none)
	}
}

func TestSettingsAreWhatHoldsInAll(t *testing.T) {
	always, lazy, few := &Header{Partitions: 16, SyncAlways: true}, &Header{Partitions: 16}, &Header{Partitions: 4}
	for _, test := range []struct {
		headers    []*Header
		sync       report.Sync
		partitions int
	}{
		{[]*Header{always}, report.SyncAlways, 16},
		{[]*Header{lazy, lazy}, report.SyncLazy, 16},
		{[]*Header{always, lazy, always}, report.SyncMixed, 16},
		{[]*Header{lazy, few, lazy}, report.SyncLazy, 0},
	} {
		var scenarios []*Scenario
		for _, h := range test.headers {
			scenarios = append(scenarios, &Scenario{Header: h})
		}
		s := settings(scenarios)
		if s.Sync != test.sync || s.Partitions != test.partitions || !s.CountsBroker || s.Replicas != 1 {
			t.Errorf("got %+v, want %+v", s, test)
		}
	}
}

func TestAnAmountIsInTheUnitOfItsMetric(t *testing.T) {
	for text, want := range map[string]float64{"5": 5, "0.6": 0.6, "1e6": 1e6, "1_000_000": 1e6, "2ms": 2e6, "3MiB": 3 << 20, "2GiB": 2 << 30} {
		s, err := Parse("f", []byte(good[:len(good)-len("1e6}\n")]+text+"}\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := s.Targets["throughput"].target(); got.Value != want || got.Bound != report.AtLeast {
			t.Errorf("%s is %+v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"much", "5 apples", ".inf", ".nan", "1e999", "MiB", "[1]"} {
		if _, err := Parse("f", []byte(good[:len(good)-len("1e6}\n")]+text+"}\n")); err == nil {
			t.Errorf("%s is an amount", text)
		}
	}
	if b := (Bound{AtMost: new(Amount)}).target(); b.Bound != report.AtMost || math.Abs(b.Value) > 0 {
		t.Errorf("got %+v", b)
	}
}

// TestWhatCannotBeMeasuredSaysWhy gives a program that is none.
func TestWhatCannotBeMeasuredSaysWhy(t *testing.T) {
	scenarios, err := Select([]string{"smoke"})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	r, err := Run(t.Context(), scenarios, Options{
		Program: []string{filepath.Join(t.TempDir(), "nobody")},
		Version: "v0.0.0-test",
		Seed:    42,
		Runs:    3,
		Say:     func(line string) { said = append(said, line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	if len(r.Scenarios) != len(scenarios) || len(said) != len(scenarios) || r.Version != "v0.0.0-test" {
		t.Fatalf("%d of %d scenarios, said %q", len(r.Scenarios), len(scenarios), said)
	}
	for _, s := range r.Scenarios {
		if s.Failed == "" || len(s.Runs) > 0 || s.Seed != 42 {
			t.Errorf("%+v", s)
		}
	}
}
