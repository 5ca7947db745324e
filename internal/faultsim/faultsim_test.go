package faultsim

import (
	"flag"
	"fmt"
	"testing"

	"go.uber.org/goleak"
)

var (
	seeds = flag.Int("seeds", seedsDefault, "run seeds 0 to that number")
	seed  = flag.Int("seed", -1, "run this seed alone, and tell its story")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSeeds runs each seed, and tells the shortest story that it finds of each that fails.
func TestSeeds(t *testing.T) {
	if *seed >= 0 {
		p := draw(uint64(*seed))
		t.Log(p.tell(nil))
		check(t, p)
		return
	}
	const share = 25
	for from := 0; from < *seeds; from += share {
		t.Run(fmt.Sprintf("from=%d", from), func(t *testing.T) {
			t.Parallel()
			for n := from; n < min(from+share, *seeds); n++ {
				check(t, draw(uint64(n)))
			}
		})
	}
}

func check(t *testing.T, p *plan) {
	t.Helper()
	if err := p.run(nil); err != nil {
		t.Errorf("seed %d: %v; repeat it with make faultsim SEED=%d\n%s", p.seed, err, p.seed, p.shrink(nil).tell(nil))
	}
}

// TestTheSameSeedGivesTheSameRun: a failure can be repeated.
func TestTheSameSeedGivesTheSameRun(t *testing.T) {
	for n := range uint64(4) {
		if a, b := draw(n).tell(nil), draw(n).tell(nil); a != b {
			t.Errorf("seed %d went\n%s\nand then\n%s", n, a, b)
		}
	}
}

// TestAStoryIsShort: of a mutant's failure is left what it takes.
func TestAStoryIsShort(t *testing.T) {
	m := mutants["a replay says again what was said"]
	p := draw(0)
	least := p.shrink(m)
	if len(least.steps) >= len(p.steps)/2 || least.run(m) == nil {
		t.Errorf("of %d steps are left %d:\n%s", len(p.steps), len(least.steps), least.tell(m))
	}
}
