package report_test

import (
	"bytes"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/bench/report"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyReport(t)
		var b bytes.Buffer
		if err := report.Write(&b, want); err != nil {
			t.Fatal(err)
		}
		got, err := report.Read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("wrote %+v\nread  %+v", want, got)
		}
	})
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", ``, "unexpected end of JSON"},
		{"cut off", `{"format":1,"scena`, "unexpected end of JSON"},
		{"something behind it", `{"format":1} {}`, "after top-level value"},
		{"another JSON", `{"machine":{"go":"go1.26"}}`, "no format number"},
		{"not even an object", `[1]`, "cannot unmarshal array"},
		{"a later format", `{"format":2,"machine":"told otherwise"}`, "format 2; this program knows 1"},
		{"format 0", `{"format":0}`, "format 0; this program knows 1"},
		{"a wrong type", `{"format":1,"version":7}`, "version"},
		{"an unknown sync", `{"format":1,"settings":{"sync":"now"}}`, `sync "now"; it is "always"`},
		{"what makes no sense", `{"format":1,"scenarios":[{"name":"A b"}]}`, `scenario "A b": the name is not`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := report.Read(strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read report: ") {
				t.Fatalf("read %+v, error %v; want one that says %q", got, err, c.want)
			}
		})
	}
}

func TestCheckNamesThePlace(t *testing.T) {
	for _, c := range []struct {
		want  string
		spoil func(*report.Report)
	}{
		{"format 0", func(r *report.Report) { r.Format = 0 }},
		{"a second scenario", func(r *report.Report) { r.Scenarios[1].Name = r.Scenarios[0].Name }},
		{"without a name", func(r *report.Report) { r.Scenarios[0].Name = "" }},
		{"lower-case words", func(r *report.Report) { r.Scenarios[0].Name = "two words" }},
		{"at most 50", func(r *report.Report) { r.Scenarios[0].Runs = make([]report.Run, 51) }},
		{`scenario "live-90": run 2: metric "p99": value NaN`, func(r *report.Report) { r.Scenarios[1].Runs[1].Metrics[0].Value = math.NaN() }},
		{"value 1e+101", func(r *report.Report) { r.Scenarios[1].Runs[1].Metrics[0].Value = 1e101 }},
		{"value +Inf", func(r *report.Report) { r.Scenarios[1].Runs[1].Metrics[0].Value = math.Inf(1) }},
		{"a second metric", func(r *report.Report) { r.Scenarios[1].Runs[0].Metrics[1].Name = "p99" }},
		{`unit "micro seconds"`, func(r *report.Report) { r.Scenarios[1].Runs[0].Metrics[0].Unit = "micro seconds" }},
		{`better "more"`, func(r *report.Report) { r.Scenarios[1].Runs[0].Metrics[0].Better = "more" }},
		{`bound "about"`, func(r *report.Report) { r.Scenarios[1].Runs[0].Metrics[0].Target.Bound = "about" }},
		{"target NaN", func(r *report.Report) { r.Scenarios[1].Runs[0].Metrics[0].Target.Value = math.NaN() }},
		{"29 times and 30 values", func(r *report.Report) { s := &r.Scenarios[1].Runs[0].Series[0]; s.At = s.At[1:] }},
		{`series "latency/p50": time 1 is 0.5, after 1`, func(r *report.Report) { r.Scenarios[1].Runs[0].Series[0].At[1] = 0.5 }},
		{"time 0 is -1", func(r *report.Report) { r.Scenarios[1].Runs[0].Series[0].At[0] = -1 }},
		{"value 3 is -Inf", func(r *report.Report) { r.Scenarios[1].Runs[0].Series[0].Value[3] = math.Inf(-1) }},
		{`unit ""`, func(r *report.Report) { r.Scenarios[1].Runs[0].Series[0].Unit = "" }},
		{"percentile 101", func(r *report.Report) { r.Scenarios[1].Runs[0].Latencies[0].Percentiles[9].P = 101 }},
		{"percentile NaN", func(r *report.Report) { r.Scenarios[1].Runs[0].Latencies[0].Percentiles[9].P = math.NaN() }},
		{"is 7 ns, after", func(r *report.Report) { r.Scenarios[1].Runs[0].Latencies[0].Percentiles[9].Nanoseconds = 7 }},
		{"count -1", func(r *report.Report) { r.Scenarios[1].Runs[0].Latencies[0].Count = -1 }},
		{`process "broker": CPU -1s`, func(r *report.Report) { r.Scenarios[1].Runs[0].Processes[0].CPU = -time.Second }},
		{"a second process", func(r *report.Report) { r.Scenarios[1].Runs[0].Processes[1].Name = "broker" }},
	} {
		t.Run(c.want, func(t *testing.T) {
			r := sample(1)
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
			c.spoil(&r)
			for name, write := range map[string]func(io.Writer, report.Report) error{
				"JSON": report.Write, "HTML": report.WriteHTML, "benchstat": report.WriteBenchstat} {
				var b bytes.Buffer
				if err := write(&b, r); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: error %v; want one that says %q", name, err, c.want)
				}
				if b.Len() > 0 {
					t.Errorf("%s: %d bytes written all the same", name, b.Len())
				}
			}
		})
	}
}

// FuzzRead wants of any bytes an error or a report that can be shown in every way.
func FuzzRead(f *testing.F) {
	f.Add([]byte(writtenOf(f, tiny())))
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1,"scenarios":[{"name":"a","config":{"x":null},"runs":[{},{"metrics":[{"name":"m","unit":"B","value":-1e100}]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := report.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		once := writtenOf(t, r)
		back, err := report.Read(strings.NewReader(once))
		if err != nil {
			t.Fatalf("what was read and written can't be read: %v", err)
		}
		if twice := writtenOf(t, back); twice != once {
			t.Fatalf("written once %s\ntwice %s", once, twice)
		}
		viewAll(t, r)
	})
}

func writtenOf(t testing.TB, r report.Report) string {
	t.Helper()
	var b strings.Builder
	if err := report.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// viewAll shows a report in every way, and holds what comes against what no report may change.
func viewAll(t testing.TB, r report.Report) {
	t.Helper()
	elementsOf(t, htmlOf(t, r))
	linesOf(t, func(w io.Writer) error { return report.WriteTable(w, r) })
	resultsOf(t, r)
	c := report.Compare(r, r)
	linesOf(t, c.WriteTable)
	if err := c.WriteJSON(io.Discard); err != nil {
		t.Fatal(err)
	}
}

// tiny is a report with one of each.
func tiny() report.Report {
	return report.Report{Format: report.Format, Scenarios: []report.Scenario{{
		Name: "a-1", Title: "t", Config: map[string]any{"k": "v"},
		Runs: []report.Run{{
			Metrics:   []report.Metric{{Name: "p99", Unit: "ns", Value: 2e6, Better: report.Lower, Target: &report.Target{Bound: report.AtMost, Value: 1e6}}},
			Series:    []report.Series{{Name: "memory/x", Unit: "B", At: []float64{0, 1}, Value: []float64{5, 9}}},
			Latencies: []report.Latency{{Name: "c", Count: 3, Max: 9, Percentiles: []report.Percentile{{P: 50, Nanoseconds: 3}, {P: 100, Nanoseconds: 9}}}},
			Processes: []report.Process{{Name: "p", CPU: 1, RSSMax: 1}},
		}},
	}}}
}

// anyReport draws a report that [report.Report.Check] takes.
func anyReport(t *rapid.T) report.Report {
	text := rapid.StringN(0, 12, 40)
	number := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(1e-100, 1e100), rapid.Float64Range(-1e100, -1e-100), rapid.Float64Range(1, 1e12))
	unit := rapid.SampledFrom([]string{"ns", "B", "B/key", "deltas/s", "ratio", "count", "deltas/core-s"})
	named := func(n int) []string {
		return rapid.SliceOfNDistinct(rapid.StringN(1, 8, 32), n, n, rapid.ID[string]).Draw(t, "names")
	}
	drawRun := func() report.Run {
		names := named(4)
		run := report.Run{Metrics: []report.Metric{}}
		for _, name := range names {
			m := report.Metric{Name: name, Unit: unit.Draw(t, "unit"), Value: number.Draw(t, "value"),
				Better: rapid.SampledFrom([]report.Direction{report.Higher, report.Lower, report.Neither}).Draw(t, "better")}
			if rapid.Bool().Draw(t, "target") {
				m.Target = &report.Target{Bound: rapid.SampledFrom([]report.Bound{report.AtLeast, report.AtMost}).Draw(t, "bound"), Value: number.Draw(t, "bound's")}
			}
			run.Metrics = append(run.Metrics, m)
		}
		series := report.Series{Name: names[0], Unit: unit.Draw(t, "unit"), At: []float64{}, Value: []float64{}}
		at := 0.0
		for range rapid.IntRange(0, 5).Draw(t, "points") {
			at += rapid.Float64Range(1e-9, 1e6).Draw(t, "at")
			series.At, series.Value = append(series.At, at), append(series.Value, number.Draw(t, "value"))
		}
		run.Series = []report.Series{series}
		latency := report.Latency{Name: names[1], Percentiles: []report.Percentile{}, Count: rapid.Int64Range(0, 1e12).Draw(t, "count")}
		p, ns := 0.0, int64(0)
		for range rapid.IntRange(0, 5).Draw(t, "percentiles") {
			p += (100 - p) * rapid.Float64Range(0, 1).Draw(t, "p")
			ns += rapid.Int64Range(0, 1e12).Draw(t, "ns")
			latency.Percentiles = append(latency.Percentiles, report.Percentile{P: min(p, 100), Nanoseconds: ns})
		}
		run.Latencies = []report.Latency{latency}
		run.Processes = []report.Process{{Name: names[2], CPU: time.Duration(rapid.Int64Min(0).Draw(t, "CPU")), RSSMax: rapid.Int64Min(0).Draw(t, "RSS")}}
		return run
	}
	r := report.Report{
		Format: report.Format, Version: text.Draw(t, "version"),
		Started:   time.Unix(rapid.Int64Range(0, 1e10).Draw(t, "started"), 0).UTC(),
		Machine:   report.Machine{OS: text.Draw(t, "os"), CPU: text.Draw(t, "cpu"), Cores: rapid.Int().Draw(t, "cores"), MemoryBytes: rapid.Int64().Draw(t, "memory")},
		Settings:  report.Settings{Sync: rapid.SampledFrom([]report.Sync{"", report.SyncAlways, report.SyncLazy, report.SyncMixed}).Draw(t, "sync"), Replicas: rapid.Int().Draw(t, "replicas"), NATS: text.Draw(t, "nats")},
		Scenarios: []report.Scenario{},
	}
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9]{1,4}(-[a-z0-9]{1,3}){0,2}`), 0, 3, rapid.ID[string]).Draw(t, "scenarios")
	for _, name := range names {
		s := report.Scenario{Name: name, Title: text.Draw(t, "title"), Seed: rapid.Uint64().Draw(t, "seed"), Failed: text.Draw(t, "failed"),
			Config: map[string]any{text.Draw(t, "key"): number.Draw(t, "setting"), "nested": map[string]any{"on": true, "list": []any{"a", nil}}},
			Runs:   []report.Run{}}
		for range rapid.IntRange(0, 2).Draw(t, "caveats") {
			s.Caveats = append(s.Caveats, text.Draw(t, "caveat"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "runs") {
			s.Runs = append(s.Runs, drawRun())
		}
		r.Scenarios = append(r.Scenarios, s)
	}
	return r
}
