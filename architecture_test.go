package holdfast_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/holdfast-atp/holdfast"

// rooms says which rooms of ours a room may import; a package belongs to the room with
// the longest matching path. Imports point down, never back. Tests may import more.
var rooms = map[string][]string{
	"inventory":         {},
	"internal/wire":     {},
	"internal/hugepage": {},
	"internal/reload":   {},
	"access":            {"internal/reload"},
	"codec":             {"inventory"},
	"control":           {"inventory"},
	"detectors":         {"inventory", "internal/wire"},
	"policy":            {"inventory"},
	"engine":            {"inventory", "internal/wire", "codec", "control", "detectors", "policy", "engine"},
	"state":             {"inventory"},
	"stream":            {"inventory", "internal/wire", "codec", "control", "engine", "state", "policy", "stream"},
	"client":            {"inventory", "codec", "client"},
	"console":           {"inventory", "codec", "control", "access", "console"},
	"internal/oracle":   {"inventory", "internal/oracle"},
	"internal/faultsim": {"inventory", "codec", "control", "engine", "policy", "state", "stream", "internal/oracle"},
	"internal/torture":  {},
	"internal/golden":   {},
	"bench/report":      {},
	"bench/load":        {"inventory"},
	"bench/drive":       {"inventory", "codec", "bench/load"},
	"bench/process":     {},
	"bench/role":        {"inventory", "codec", "client", "stream", "bench/drive", "bench/handwritten", "bench/process", "bench/reference"},
	"bench":             {"inventory", "codec", "client", "stream", "state", "engine", "policy", "bench", "bench/drive", "bench/handwritten", "bench/load", "bench/process", "bench/reference", "bench/report", "bench/role"},
	"bench/sim":         {"inventory"}, // the truth shares nothing with those that look for it
	"bench/handwritten": {"inventory"}, // what any team would have: the vocabulary
	"bench/reference":   {"inventory", "stream", "engine", "state"},
	"backtest":          {"inventory", "codec", "engine", "policy", "state", "stream"},
	"doctor":            {"state", "stream", "engine"},
	"cmd/holdfast":      {"backtest", "inventory", "codec", "control", "policy", "engine", "state", "stream", "client", "doctor", "access", "internal/hugepage", "internal/reload", "console", "bench", "bench/quality", "bench/report", "bench/role", "bench/sim", "cmd/holdfast"},

	"bench/quality":          {"inventory", "policy", "engine", "bench/sim", "bench/report", "bench/quality/baseline", "bench/quality/score"},
	"bench/quality/baseline": {"inventory"},
	"bench/quality/score":    {},
}

// TestImportsPointDown reads the imports of every file and holds them against rooms.
func TestImportsPointDown(t *testing.T) {
	walkGo(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		room := roomOf(dir)
		if dir == "." {
			return
		}
		if room == "" {
			t.Errorf("%s: the folder is in no room; add it to rooms, in ARCHITECTURE.md and in doc.go", path)
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			ours, ok := strings.CutPrefix(imported, module+"/")
			if !ok {
				continue
			}
			if to := roomOf(ours); !slices.Contains(rooms[room], to) {
				t.Errorf("%s: %s may not import %s (room %q); it may import %v", path, room, ours, to, rooms[room])
			}
		}
	})
}

// TestEveryPackageSaysWhatItIs wants a doc.go in each package.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	seen := map[string]bool{}
	walkGo(t, func(path string) {
		dir := filepath.Dir(path)
		if seen[dir] || strings.HasSuffix(path, "_test.go") {
			return
		}
		seen[dir] = true
		if _, err := os.Stat(filepath.Join(dir, "doc.go")); err != nil {
			t.Errorf("%s has no doc.go", dir)
		}
	})
}

// TestThePureRoomsArePure keeps clocks, randomness and goroutines out of what must be deterministic.
func TestThePureRoomsArePure(t *testing.T) {
	pure := []string{"inventory", "control", "detectors", "policy", "engine"}
	forbidden := []string{"math/rand", "math/rand/v2", "crypto/rand", "os", "net", "sync", "context"}
	walkGo(t, func(path string) {
		dir := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") || !slices.Contains(pure, strings.Split(dir, "/")[0]) || strings.HasSuffix(dir, "test") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if p, _ := strconv.Unquote(spec.Path.Value); slices.Contains(forbidden, p) {
				t.Errorf("%s imports %s: a partition has no clock, no randomness, no goroutine and no I/O", path, p)
			}
		}
		for _, call := range []string{"time.Now(", "time.Since(", "\tgo func"} {
			if strings.Contains(string(text), call) {
				t.Errorf("%s calls %s: a partition has no clock, no randomness, no goroutine and no I/O", path, strings.TrimSpace(call))
			}
		}
	})
}

func roomOf(dir string) string {
	best := ""
	for room := range rooms {
		if (dir == room || strings.HasPrefix(dir, room+"/")) && len(room) > len(best) {
			best = room
		}
	}
	return best
}

func walkGo(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
