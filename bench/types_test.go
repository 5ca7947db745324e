package bench

import (
	"context"
	"os"
	"runtime"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
)

// asRole makes the test's own binary play the role that its first argument names.
const asRole = "HOLDFAST_TEST_AS_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(asRole) != "" {
		if err := role.Play(context.Background(), os.Args[1], os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// little is what the scenarios below have in common.
const little = `
title: Little
seed: 3
partitions: 1
sync_always: false
cache_mib: 32
packing: 64
`

// TestEveryTypeIsMeasured measures something little of each type, but for those of which
// cmd/holdfast's test does, with all that the type says of itself.
func TestEveryTypeIsMeasured(t *testing.T) {
	t.Setenv(asRole, "yes")
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector sleeps for a second otherwise
	for _, text := range []string{`
name: live
type: live
load: {keys: 200, locations: 2, oversell: 0.1}
share_of_sustainable: 0.5
warmup: 100ms
duration: 400ms
`, `
name: sinks-slow
type: sinks-slow
load: {keys: 200, locations: 2, oversell: 0.2}
rate: 500
warmup: 0s
duration: 500ms
hang_after: 3
`, `
name: soak
type: soak
load: {keys: 200, locations: 2, oversell: 0.1}
rate: 500
warmup: 100ms
duration: 900ms
lateness: 10m
retention: 5m
`, `
name: storm
type: storm
load: {keys: 200, locations: 2, oversell: 0.1}
rate: 500
warmup: 100ms
duration: 500ms
exceptions: 200
`, `
name: many-keys
type: many-keys
load: {keys: 400, locations: 2}
baseline_keys: 100
deltas: 500
`} {
		s, err := Parse("little.yaml", []byte(text[1:]+little[1:]))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			r, err := Run(t.Context(), []*Scenario{s}, Options{
				Program:     []string{""},
				Sustainable: 1000,
				Say:         func(line string) { t.Log(line) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Check(); err != nil {
				t.Error(err)
			}
			if failed := r.Scenarios[0].Failed; failed != "" {
				t.Fatal(failed)
			}
			var said []string
			for _, m := range r.Scenarios[0].Runs[0].Metrics {
				if !slices.Contains(s.plan.metrics(), m.Name) {
					t.Errorf("%s is none of the metrics that a target may be for", m.Name)
				}
				said = append(said, m.Name)
			}
			unknown := lessThanATick(r.Scenarios[0].Runs[0].Processes)
			for _, name := range s.plan.metrics() {
				if runtime.GOOS == "linux" && !slices.Contains(said, name) && !unknown[name] { // elsewhere the system says less
					t.Errorf("nothing is said of %s, which a target may be for", name)
				}
			}
			if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// lessThanATick names the metrics that cannot be known where a process used so little that the
// system charged it with nothing.
func lessThanATick(used []report.Process) map[string]bool {
	unknown := map[string]bool{}
	for _, p := range used {
		if p.CPU == 0 {
			unknown[coreSecond], unknown[coreSecond+" of "+p.Name] = true, true
		}
	}
	return unknown
}
