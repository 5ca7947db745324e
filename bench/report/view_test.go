package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/perf/benchfmt"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/bench/report"
)

func TestAnyReportCanBeShown(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { viewAll(t, anyReport(rt)) })
}

// hostile is all that a name could try: to end an attribute, an element, a style, a cell, a line, and to
// write to a terminal behind the reader's back.
const hostile = "x\"><script src=http://evil.example/>alert('1')</script></style><!--{{.}}]]>&amp; \x1b[2J\x07\t\r\n\u202eBenchmarkX 1 1 ns/op\n| =é"

// TestHostileStringsStayText puts them wherever a report has free text: every view must have the
// same structure as without.
func TestHostileStringsStayText(t *testing.T) {
	good, bad := sample(1), sample(1)
	replace := func(text *string) { *text += hostile }
	replace(&bad.Version)
	replace(&bad.Machine.OS)
	replace(&bad.Machine.Arch)
	replace(&bad.Machine.CPU)
	replace(&bad.Machine.Go)
	replace(&bad.Machine.Kernel)
	replace(&bad.Settings.NATS)
	replace(&bad.Settings.Pebble)
	for i := range bad.Scenarios {
		s := &bad.Scenarios[i]
		replace(&s.Title)
		if s.Failed != "" {
			replace(&s.Failed)
		}
		for i := range s.Caveats {
			replace(&s.Caveats[i])
		}
		for name, value := range s.Config {
			delete(s.Config, name)
			s.Config[name+hostile] = []any{value, hostile}
		}
		for j := range s.Runs {
			for k := range s.Runs[j].Metrics {
				replace(&s.Runs[j].Metrics[k].Name)
			}
			for k := range s.Runs[j].Series {
				replace(&s.Runs[j].Series[k].Name)
				if s.Name == "restart-1g" { // a plot that isn't known comes last, and here it is alone
					s.Runs[j].Series[k].Name = strings.ReplaceAll(hostile, "/", "") + "/line"
				}
			}
			for k := range s.Runs[j].Latencies {
				replace(&s.Runs[j].Latencies[k].Name)
			}
			for k := range s.Runs[j].Processes {
				replace(&s.Runs[j].Processes[k].Name)
			}
		}
	}
	if got, want := elementsOf(t, htmlOf(t, bad)), elementsOf(t, htmlOf(t, good)); !slices.Equal(got, want) {
		t.Errorf("the page has %d elements, and without them %d", len(got), len(want))
	}
	table := func(r report.Report) int {
		return len(linesOf(t, func(w io.Writer) error { return report.WriteTable(w, r) }))
	}
	if got, want := table(bad), table(good); got != want {
		t.Errorf("the table has %d lines, and without them %d", got, want)
	}
	if got, want := len(linesOf(t, report.Compare(bad, bad).WriteTable)), len(linesOf(t, report.Compare(good, good).WriteTable)); got != want {
		t.Errorf("the comparison has %d lines, and without them %d", got, want)
	}
	if got, want := len(resultsOf(t, bad)), len(resultsOf(t, good)); got != want {
		t.Errorf("benchstat reads %d results, and without them %d", got, want)
	}
}

// TestBenchstatReadsWhatWasMeasured holds what benchstat's own reader finds against the report.
func TestBenchstatReadsWhatWasMeasured(t *testing.T) {
	results := resultsOf(t, sample(1))
	var names []string
	for _, res := range results {
		names = append(names, string(res.Name))
	}
	want := []string{"CatchUpPacked", "CatchUpPacked", "CatchUpPacked", "CatchUpPacked", "CatchUpPacked",
		"Live_90", "Live_90", "Live_90", "Live_90", "Live_90", "Restart_1g"}
	if !slices.Equal(names, want) {
		t.Errorf("benchmarks %v, want %v", names, want)
	}
	live, run := results[5], sample(1).Scenarios[1].Runs[0]
	if got, ok := live.Value("sec-p99"); !ok || got != run.Metrics[0].Value*1e-9 {
		t.Errorf("p99 is %v s (%v), want %v ns", got, ok, run.Metrics[0].Value)
	}
	if got, ok := results[0].Value("deltas/s"); !ok || got != sample(1).Scenarios[0].Runs[0].Metrics[0].Value {
		t.Errorf("throughput is %v (%v)", got, ok)
	}
	for key, want := range map[string]string{"goos": "linux", "cores": "2", "replicas": "1", "partitions": "8", "broker-syncs": "at intervals"} {
		if got := live.GetConfig(key); got != want {
			t.Errorf("config %s is %q, want %q", key, got, want)
		}
	}
	for _, key := range []string{"started", "version", "go", "kernel", "pebble"} {
		if got := live.GetConfig(key); got != "" {
			t.Errorf("config has %s %q: benchstat would set apart what is to be compared", key, got)
		}
	}
}

func TestBenchstatKnowsWhatIsBetter(t *testing.T) {
	var b bytes.Buffer
	if err := report.WriteBenchstat(&b, sample(1)); err != nil {
		t.Fatal(err)
	}
	reader := benchfmt.NewReader(&b, "report.txt")
	for reader.Scan() {
	}
	for unit, want := range map[string]int{"deltas/s": 1, "ns-p99": -1, "B/key-disk": -1, "deltas/core-s": 1, "count-deltas": 0} {
		if got := reader.Units().GetBetter(unit); got != want {
			t.Errorf("%s: better %d, want %d", unit, got, want)
		}
	}
}

// TestWritersPassErrorsOn has a disk that is full at once.
func TestWritersPassErrorsOn(t *testing.T) {
	full := errors.New("no space left")
	r := sample(1)
	c := report.Compare(r, r)
	for name, write := range map[string]func(io.Writer) error{
		"JSON":             func(w io.Writer) error { return report.Write(w, r) },
		"table":            func(w io.Writer) error { return report.WriteTable(w, r) },
		"benchstat":        func(w io.Writer) error { return report.WriteBenchstat(w, r) },
		"HTML":             func(w io.Writer) error { return report.WriteHTML(w, r) },
		"comparison":       c.WriteTable,
		"comparison, JSON": c.WriteJSON,
	} {
		if err := write(failing{full}); !errors.Is(err, full) {
			t.Errorf("%s: error %v, want %v", name, err, full)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func htmlOf(t testing.TB, r report.Report) string {
	t.Helper()
	var b strings.Builder
	if err := report.WriteHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elementsOf parses the page strictly, as XML, and returns its elements in order. Nothing in it may run,
// be fetched or lead elsewhere, and every link must arrive.
func elementsOf(t testing.TB, page string) (elements []string) {
	t.Helper()
	var links, ids []string
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Entity = xml.HTMLEntity
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		name := element.Name.Local
		elements = append(elements, name)
		if slices.Contains([]string{"script", "link", "img", "image", "iframe", "object", "embed", "form", "base", "use", "foreignObject"}, name) {
			t.Errorf("the page has an element %s", name)
		}
		for _, a := range element.Attr {
			switch key := a.Name.Local; {
			case key == "href":
				links = append(links, a.Value)
			case key == "id":
				ids = append(ids, a.Value)
			case key == "src" || key == "style" || key == "srcset" || strings.HasPrefix(key, "on"):
				t.Errorf("%s has an attribute %s=%q", name, key, a.Value)
			}
		}
	}
	for _, link := range links {
		if !slices.Contains(ids, strings.TrimPrefix(link, "#")) || !strings.HasPrefix(link, "#") {
			t.Errorf("a link to %q, which is not on the page", link)
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("an id is there twice: %v", ids)
	}
	style := page[strings.Index(page, "<style>"):strings.Index(page, "</style>")]
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style sheet fetches something")
	}
	return elements
}

// linesOf returns the lines of a table, in which a terminal must find nothing to obey.
func linesOf(t testing.TB, write func(io.Writer) error) []string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("the table has a %q", r)
		}
	}
	return strings.Split(b.String(), "\n")
}

// resultsOf reads a report as benchstat does.
func resultsOf(t testing.TB, r report.Report) (results []*benchfmt.Result) {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteBenchstat(&b, r); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	reader := benchfmt.NewReader(&b, "report.txt")
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			results = append(results, record.Clone())
		case *benchfmt.SyntaxError:
			t.Fatalf("%v in\n%s", record, text)
		}
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	return results
}
