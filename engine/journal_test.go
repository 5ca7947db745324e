package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestALateCountReachesThroughTheJournal: a key moves once a second, for many pages of its journal,
// and counts and ring-fences keep coming from a while ago, from as long ago as is allowed too. Pages that nothing can ask
// for any more go.
func TestALateCountReachesThroughTheJournal(t *testing.T) {
	const (
		lateness  = 20 * inventory.Minute
		movements = 3000
	)
	for _, batch := range []int{1, 50, 700, movements} {
		t.Run(fmt.Sprintf("%d movements a batch", batch), func(t *testing.T) {
			config := engine.Config{Lateness: lateness, CacheBytes: 1}
			p := open(t, partition{config: config, only: "none"})
			model := oracle.New(oracle.Config{Lateness: lateness, WindowLateness: engine.DefaultWindowLateness})
			pagesMost := 0
			for i := range movements {
				now := gen.Start + inventory.Millis(i)*inventory.Second
				log := []inventory.Delta{{Kind: inventory.Sale, Quantity: 1 + int64(i%3), Channel: []string{"web", "amazon"}[i%2], Time: now}}
				if i%90 == 89 {
					ago := []inventory.Millis{lateness, lateness / 3, 75 * inventory.Second}[i/90%3]
					late := inventory.Delta{Kind: inventory.Count, Quantity: int64(i), Time: max(now-ago, gen.Start)}
					if i%4 == 1 {
						late.Kind, late.Channel = inventory.Allocate, "web"
					}
					log = append(log, late)
				}
				for j := range log {
					d := &log[j]
					d.ID, d.Source, d.SKU, d.Location = fmt.Sprintf("d%05d-%d", i, j), "pos", "tea", "leeds"
				}
				for _, r := range p.take(t, log) {
					if r.Outcome != engine.Applied {
						t.Fatalf("movement %d: %s", i, outcome(r))
					}
				}
				for _, d := range log {
					model.Apply(d, 0)
				}
				if i%batch == batch-1 {
					p.commit(t)
				}
				if i%batch == batch-1 && i%90 >= 88 {
					pagesMost = max(pagesMost, strings.Count(p.store.Dump(), "\n\"j"))
					equalStock(t, fmt.Sprintf("movement %d: ", i), p, model)
				}
			}
			p.commit(t)
			equalStock(t, "at last: ", p, model)
			// 1200 movements lie within the lateness, 64 a page; each sixteenth page sweeps.
			if batch == 1 && pagesMost > 1200/64+16+2 {
				t.Errorf("%d pages at most, though no more than %d can be asked for or wait to be swept", pagesMost, 1200/64+16+2)
			}
		})
	}
}
