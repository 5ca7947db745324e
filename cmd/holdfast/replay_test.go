package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/holdfast-atp/holdfast/bench/retail"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

const (
	realFile = "../../../shared/data/online_retail.csv.zst"
	someRows = 20_000
)

// someOfTheRealFile writes the first rows of the real file to a file of its own.
func someOfTheRealFile(t *testing.T) string {
	t.Helper()
	f, err := os.Open(realFile)
	if os.IsNotExist(err) {
		t.Skipf("the UCI Online Retail file is not at %s: see its README for where to get it", realFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var some bytes.Buffer
	lines := bufio.NewScanner(z)
	for n := 0; n <= someRows && lines.Scan(); n++ {
		some.Write(lines.Bytes())
		some.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), "some.csv")
	if err := os.WriteFile(path, some.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// replay runs the program on a file and returns its summary.
func replay(t *testing.T, file, dir string) (s replaySummary) {
	t.Helper()
	cmd := program(t, "replay", file, "--data", dir, "--nats-port", "0", "--partitions", "4", "--sync", "lazy", "--json", "--retention", "0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("replay: %v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

// TestReplayGivesTheStockOfTheOracle: also where it is killed in the middle and run again,
// and running it once more changes nothing.
func TestReplayGivesTheStockOfTheOracle(t *testing.T) {
	file := someOfTheRealFile(t)
	model, published := oracle.New(oracle.Config{Lateness: engine.DefaultLateness, WindowLateness: engine.DefaultWindowLateness}), 0
	source, err := retail.Open(file, retail.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for d, ok := source.Next(); ok; d, ok = source.Next() {
		model.Apply(d, 0)
		published++
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}

	whole := t.TempDir()
	first := replay(t, file, whole)
	if first.Rows != someRows || sum(first.FromRows)+sum(first.Skipped) != someRows {
		t.Errorf("%d rows, %v and %v: want each of %d once", first.Rows, first.FromRows, first.Skipped, someRows)
	}
	if first.Published != published || first.Read != uint64(published) || sum(first.Applied) != uint64(published) {
		t.Errorf("published %d, read %d, applied %v; want %d", first.Published, first.Read, first.Applied, published)
	}
	sameStock(t, model, whole)

	again := replay(t, file, whole)
	if again.Read != uint64(published) || sum(again.Applied) != 0 || again.Duplicates+again.Rejected["late"] != uint64(published) {
		t.Errorf("again: read %d, applied %v, %d duplicates, rejected %v; want %d duplicates or late", again.Read, again.Applied, again.Duplicates, again.Rejected, published)
	}
	if len(again.Commands) != 0 {
		t.Errorf("again: commands %v, want none", again.Commands)
	}
	sameStock(t, model, whole)

	killed := t.TempDir()
	p := start(t, "replay", file, "--data", killed, "--nats-port", "0", "--partitions", "4", "--sync", "lazy",
		"--stay", "--http", "127.0.0.1:0", "--retention", "0")
	eventually(t, "some of it is applied", func() bool {
		var answer struct{ Partitions []struct{ Position uint64 } }
		p.get("/v1/overview", &answer)
		for _, one := range answer.Partitions {
			if one.Position >= 5 {
				return true
			}
		}
		return false
	})
	p.kill()
	replay(t, file, killed)
	sameStock(t, model, killed)
}

// sameStock holds every key of a folder against the model.
func sameStock(t *testing.T, model *oracle.Model, dir string) {
	t.Helper()
	folder, err := state.OpenFolder(filepath.Join(dir, "state"), state.Options{Partitions: 4, Prefix: "holdfast"})
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	dbs := make([]*state.DB, 4)
	for p := range dbs {
		if dbs[p], err = folder.OpenPartition(p); err != nil {
			t.Fatal(err)
		}
		defer dbs[p].Close()
	}
	keys := model.Keys()
	if len(keys) < 100 {
		t.Fatalf("%d keys prove little", len(keys))
	}
	for _, key := range keys {
		got, ok, err := engine.ReadKey(dbs[codec.Partition(key.SKU, 4)], key.SKU, key.Location)
		if err != nil || !ok {
			t.Fatalf("%v: found %v, %v", key, ok, err)
		}
		want := model.Availability(key.SKU, key.Location)
		forgetHolds(&got)
		forgetHolds(&want)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v:\n got %+v\nwant %+v", key, got, want)
		}
	}
}

// forgetHolds leaves out what the model of stock knows nothing of.
func forgetHolds(a *inventory.Availability) {
	for i := range a.Channels {
		a.Channels[i].Held = false
	}
}
