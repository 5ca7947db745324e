package golden

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files that are missing")

// Bytes returns the content of a golden file. Where it is missing, and -update is given, it is written first.
func Bytes(t testing.TB, name string, now []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	kept, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && *update {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, now, 0o644)
		}
		kept = now
	}
	if err != nil {
		t.Fatalf("%v: a new format has its golden file written with go test -update", err)
	}
	return kept
}

// Updating reports whether golden files that are missing are to be written.
func Updating() bool { return *update }
