//go:build !race

package faultsim

import (
	"strings"
	"testing"
)

// seedsDefault is how many seeds a run without flags takes.
const seedsDefault = 500

// mutantSeeds is within how many seeds each mutant has to be noticed.
const mutantSeeds = 500

// TestMutantsAreCaught: what is checked would be in vain if nothing could fail it.
func TestMutantsAreCaught(t *testing.T) {
	for name, m := range mutants {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			for n := range uint64(mutantSeeds) {
				if err := draw(n).run(m); err != nil {
					t.Logf("seed %d: %v", n, err)
					return
				}
			}
			t.Errorf("%d seeds did not notice it", mutantSeeds)
		})
	}
}
