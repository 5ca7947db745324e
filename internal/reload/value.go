package reload

import (
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// lookEvery is how long a change may go unseen.
const lookEvery = time.Second

// Value is what was read from some files. It is safe for concurrent use.
type Value[T any] struct {
	load  func() (T, error)
	paths []string
	log   *slog.Logger

	mu     sync.Mutex
	value  T
	seen   []os.FileInfo // of paths, when value was loaded or failed to be; nil: could not be looked at
	looked time.Time
}

// New loads the value for the first time, and returns load's error where that fails. load
// reads the files at paths and nothing else; it is called by one goroutine at a time.
func New[T any](log *slog.Logger, load func() (T, error), paths ...string) (*Value[T], error) {
	v := &Value[T]{load: load, paths: paths, log: log, looked: time.Now()}
	v.seen = stat(paths) // before loading: a change in between is then seen the next time
	var err error
	v.value, err = load()
	return v, err
}

// Get returns the value, loaded anew where a file has changed.
func (v *Value[T]) Get() T {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	if now.Sub(v.looked) < lookEvery {
		return v.value
	}
	v.looked = now
	seen := stat(v.paths)
	if same(seen, v.seen) {
		return v.value
	}
	v.seen = seen
	value, err := v.load()
	if err != nil {
		v.log.Error("a file was changed and can't be used; what was read before stays in force", "files", strings.Join(v.paths, ", "), "error", err)
		return v.value
	}
	v.value = value
	v.log.Info("read again after a change", "files", strings.Join(v.paths, ", "))
	return v.value
}

func stat(paths []string) []os.FileInfo {
	infos := make([]os.FileInfo, len(paths))
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			infos[i] = info
		}
	}
	return infos
}

func same(a, b []os.FileInfo) bool {
	for i := range a {
		switch {
		case a[i] == nil || b[i] == nil:
			if a[i] != b[i] {
				return false
			}
		case !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || a[i].Mode() != b[i].Mode() || !a[i].ModTime().Equal(b[i].ModTime()):
			return false
		}
	}
	return true
}
