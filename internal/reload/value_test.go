package reload

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAValueFollowsItsFile: in a bubble, where a second passes at once.
func TestAValueFollowsItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write := func(text string) {
		t.Helper()
		// A file of its own under the name, as an editor or a mounted secret leaves it.
		if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	loads := 0
	load := func() (string, error) {
		loads++
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "bad") {
			return "", errors.New("it is bad")
		}
		return string(text), err
	}
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		if _, err := New(slog.New(slog.NewTextHandler(&log, nil)), load, path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without a file: %v", err)
		}
		write("one")
		v, err := New(slog.New(slog.NewTextHandler(&log, nil)), load, path)
		if err != nil {
			t.Fatal(err)
		}
		loads = 0
		want := func(what, value string, loaded int) {
			t.Helper()
			if got := v.Get(); got != value || loads != loaded {
				t.Errorf("%s: %q after %d loads, want %q after %d", what, got, loads, value, loaded)
			}
		}
		want("at once", "one", 0)
		time.Sleep(lookEvery)
		want("unchanged", "one", 0)
		write("two")
		want("changed within the second", "one", 0)
		time.Sleep(lookEvery)
		want("changed", "two", 1)
		write("bad")
		time.Sleep(lookEvery)
		want("spoilt", "two", 2)
		time.Sleep(lookEvery)
		want("still spoilt", "two", 2)
		if n := strings.Count(log.String(), "it is bad"); n != 1 {
			t.Errorf("the failure was logged %d times, want once:\n%s", n, log.String())
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery)
		want("gone", "two", 3)
		write("three")
		time.Sleep(lookEvery)
		want("back", "three", 4)
	})
}
