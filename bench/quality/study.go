package quality

import (
	"context"
	"fmt"
	"sync"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// Run plays every network and returns what came of it: a scenario each for what holds are worth, for phantom
// inventory at each prevalence, for the other classes, and for what the networks are like. A seed is a run of each.
func Run(ctx context.Context, c Config) (report.Report, error) {
	c = c.withDefaults()
	results, err := measureAll(ctx, &c)
	if err != nil {
		return report.Report{}, err
	}
	r := report.Report{Format: report.Format}
	main := c.main()
	of := with(results, main)
	r.Scenarios = append(r.Scenarios, worth(&c, of), phantoms(&c, main, of), foresightScenario(&c, of), classScenario(&c, of), networkScenario(&c, of), groups(&c, main, of))
	for _, phantom := range c.Phantoms {
		if of := with(results, phantom); phantom != main {
			r.Scenarios = append(r.Scenarios, phantoms(&c, phantom, of), methods(&c, phantom, of))
		} else {
			r.Scenarios = append(r.Scenarios, methods(&c, phantom, of))
		}
	}
	return r, nil
}

// main is the prevalence that the targets, the arms and the classes are about.
func (c *Config) main() float64 {
	for _, p := range c.Phantoms {
		if p == Target {
			return p
		}
	}
	return c.Phantoms[0]
}

// task is a network to be played.
type task struct {
	seed    uint64
	phantom float64
}

// measureAll plays the networks, some at a time; results are in the order of prevalences, then seeds.
func measureAll(ctx context.Context, c *Config) ([]*result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var tasks []task
	for _, phantom := range c.Phantoms {
		for _, seed := range c.Seeds {
			tasks = append(tasks, task{seed, phantom})
		}
	}
	results := make([]*result, len(tasks))
	next := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex // of done and Say
	done := 0
	for range c.Workers {
		workers.Go(func() {
			for i := range next {
				t := tasks[i]
				r, err := measure(ctx, c, t.seed, t.phantom, t.phantom == c.main())
				if err != nil {
					cancel(fmt.Errorf("seed %d at %g %% phantoms: %w", t.seed, 100*t.phantom, err))
					continue
				}
				results[i] = r
				mu.Lock()
				done++
				if c.Say != nil {
					c.Say(fmt.Sprintf("%d of %d networks: seed %d at %g %% phantoms, %d deltas", done, len(tasks), t.seed, 100*t.phantom, r.deltas))
				}
				mu.Unlock()
			}
		})
	}
	for i := range tasks {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return results, context.Cause(ctx)
}

func with(results []*result, phantom float64) (of []*result) {
	for _, r := range results {
		if r.phantom == phantom {
			of = append(of, r)
		}
	}
	return of
}

// describe says of what a scenario's figures are.
func (c *Config) describe() map[string]any {
	return map[string]any{
		"stores": c.Stores, "skus": c.SKUs, "days to learn": c.Warm, "days measured": c.Days, "hours between looks": c.Every,
		"counts a store and day": c.Counts, "seeds": len(c.Seeds),
	}
}
