package torture

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	minutes = flag.Float64("minutes", 0, "go on for that long with faults as they are drawn; 0: each of the short ones once")
	only    = flag.String("only", "", "only faults that have this in their names")
	seed    = flag.Uint64("seed", 0, "draw from this seed; 0: from the clock's")
)

func TestMain(m *testing.M) {
	if os.Getenv(asBroker) != "" {
		if err := playBroker(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// TestTorture does one fault after the other to real processes, and verifies everything after each.
func TestTorture(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	t.Logf("make torture MINUTES=%v SEED=%d draws the same load and faults", *minutes, *seed)
	w := newWorld(t, build(t), *seed)
	all := faults(t)
	all = slices.DeleteFunc(all, func(f fault) bool {
		return *minutes == 0 && *only == "" && f.long || !strings.Contains(f.name, *only)
	})
	if len(all) == 0 {
		t.Fatalf("no fault has %q in its name", *only)
	}
	draw := rand.New(rand.NewPCG(*seed, 3))
	order := draw.Perm(len(all))
	end := time.Now().Add(time.Duration(*minutes * float64(time.Minute)))
	for n := 0; n < len(all) || time.Now().Before(end); n++ {
		f := all[order[n%len(all)]]
		if n >= len(all) {
			f = all[draw.IntN(len(all))]
		}
		start := time.Now()
		f.happen(w)
		w.verify()
		t.Logf("round %d: %s: all is right, after %v", n, f.name, time.Since(start).Round(time.Millisecond))
		if t.Failed() {
			return
		}
	}
	w.holdfast.stop()
	if failed := w.examined(""); len(failed) > 0 {
		t.Errorf("in the end doctor finds something in partitions %v", failed)
	}
}

// build builds holdfast as it is shipped.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "holdfast")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/holdfast-atp/holdfast/cmd/holdfast")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build holdfast: %v\n%s", err, out)
	}
	return program
}
