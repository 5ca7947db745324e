package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestSimulateWritesDeltasAndTheTruth: what it writes can be published, and the truth is apart.
func TestSimulateWritesDeltasAndTheTruth(t *testing.T) {
	dir := t.TempDir()
	deltas, truth := filepath.Join(dir, "deltas"), filepath.Join(dir, "truth")
	var out, complaints bytes.Buffer
	args := []string{"simulate", "--deltas", deltas, "--truth", truth, "--stores", "2", "--skus", "12", "--days", "9", "--seed", "3"}
	if code := run(args, nil, &out, &complaints); code != exitDone {
		t.Fatalf("exit %d: %s", code, &complaints)
	}
	if !strings.Contains(out.String(), "records wrong") || !strings.Contains(out.String(), "published") {
		t.Errorf("no table of what the network is like:\n%s", &out)
	}
	f, err := os.Open(deltas)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	err = readDeltas(f, func(d *inventory.Delta, where string, bad error) error {
		n++
		if bad != nil {
			t.Errorf("%s: %v", where, bad)
		}
		return nil
	})
	if err != nil || n < 1000 {
		t.Errorf("%d deltas, %v", n, err)
	}
	text, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var line map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for kind := range line {
			kinds[kind]++
		}
	}
	if kinds["fault"] == 0 || kinds["episode"] == 0 || kinds["totals"] != 1 {
		t.Errorf("the truth has %v", kinds)
	}
	if code := run([]string{"simulate", "--phantom", "0.9"}, nil, &out, &complaints); code != exitUsage {
		t.Errorf("nine in ten phantoms: exit %d, want %d", code, exitUsage)
	}
}
