package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/doctor"
)

// TestDoctor: on the folder of a holdfast that was stopped, well; with one partition's files broken, it says so, mends
// it where it is told to, and is content.
func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	start(t, "run", "--data", dir, "--nats-port", "0", "--http", "127.0.0.1:0", "--partitions", "4", "--sync", "lazy").stop()
	examine := func(flags ...string) (code int, report doctor.Report, said string) {
		var out, errs bytes.Buffer
		code = run(append([]string{"--json", "--quiet", "doctor", "--data", dir, "--partitions", "4"}, flags...), nil, &out, &errs)
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatalf("%v: %s%s", err, out.String(), errs.String())
		}
		return code, report, errs.String()
	}
	if code, report, said := examine(); code != exitDone || !report.OK {
		t.Errorf("it is well: exit %d, %+v, %s", code, report, said)
	}

	partition := filepath.Join(dir, "state", "partitions", "0002")
	manifests, err := filepath.Glob(filepath.Join(partition, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("no manifest in %s: %v", partition, err)
	}
	for _, name := range manifests {
		if err := os.WriteFile(name, []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, report, said := examine(); code != exitFailed || report.OK || !strings.Contains(said, "something is wrong") {
		t.Errorf("a partition is broken: exit %d, %+v, %s", code, report, said)
	}
	if code, report, said := examine("--repair"); code != exitDone || !report.OK || !strings.Contains(said, "partition 2: moving its folder aside") {
		t.Errorf("it is to be repaired: exit %d, %+v, %s", code, report, said)
	}

	var table, errs bytes.Buffer
	if code := run([]string{"--quiet", "doctor", "--data", dir, "--partitions", "4"}, nil, &table, &errs); code != exitDone || !strings.Contains(table.String(), "ok       streams") {
		t.Errorf("exit %d\n%s%s", code, table.String(), errs.String())
	}
}
