package report_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/report"
)

var update = flag.Bool("update", false, "write what is there now into testdata")

// TestGolden holds everything that people see of the samples against testdata.
func TestGolden(t *testing.T) {
	slow, fast, elsewhere := sample(1), sample(1.1), sample(1.3)
	elsewhere.Machine.CPU, elsewhere.Machine.Cores, elsewhere.Machine.Go = "Another CPU", 4, "go1.27.0"
	elsewhere.Scenarios = elsewhere.Scenarios[1:]
	elsewhere.Scenarios[0].Config["rate"] = 60_000.0
	for _, c := range []struct {
		file  string
		write func(io.Writer) error
	}{
		{"report.json", func(w io.Writer) error { return report.Write(w, slow) }},
		{"report.table", func(w io.Writer) error { return report.WriteTable(w, slow) }},
		{"report.txt", func(w io.Writer) error { return report.WriteBenchstat(w, slow) }},
		{"report.html", func(w io.Writer) error { return report.WriteHTML(w, slow) }},
		{"compare.table", report.Compare(slow, fast).WriteTable},
		{"elsewhere.table", report.Compare(slow, elsewhere).WriteTable},
		{"compare.json", report.Compare(slow, fast).WriteJSON},
	} {
		t.Run(c.file, func(t *testing.T) {
			var got bytes.Buffer
			if err := c.write(&got); err != nil {
				t.Fatal(err)
			}
			golden(t, c.file, got.Bytes())
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is written now; look at the difference, and run with -update if it is meant:\n%s", path, firstDifference(got, want))
	}
}

func firstDifference(got, want []byte) string {
	lines, others := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i, line := range lines {
		if i >= len(others) || !bytes.Equal(line, others[i]) {
			return "got " + string(line)
		}
	}
	return "what is written now ends earlier"
}
