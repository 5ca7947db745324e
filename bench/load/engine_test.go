package load_test

import (
	"testing"
	"time"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// deployment is all partitions' engines.
type deployment struct {
	t        *testing.T
	engines  []*engine.Engine
	stores   []*enginetest.Store
	sequence uint64
	commands []inventory.Command
}

func newDeployment(t *testing.T, partitions int) *deployment {
	dep := &deployment{t: t}
	for p := range partitions {
		store := enginetest.NewStore()
		e, err := engine.New(engine.Config{Partition: p, Partitions: partitions}, store)
		if err != nil {
			t.Fatal(err)
		}
		dep.engines, dep.stores = append(dep.engines, e), append(dep.stores, store)
	}
	return dep
}

// apply gives d to its partition.
func (dep *deployment) apply(d *inventory.Delta) {
	dep.t.Helper()
	dep.sequence++
	e := dep.engines[codec.Partition(d.SKU, len(dep.engines))]
	if _, err := e.Apply(engine.At{Sequence: dep.sequence}, d); err != nil {
		dep.t.Fatal(err)
	}
	for _, o := range e.Outputs() {
		if o.Command != nil {
			dep.commands = append(dep.commands, *o.Command)
		}
	}
	e.ClearOutputs()
}

// commit writes down what every engine has in memory.
func (dep *deployment) commit() {
	dep.t.Helper()
	for p, e := range dep.engines {
		batch := dep.stores[p].Batch()
		if err := e.Flush(batch); err != nil {
			dep.t.Fatal(err)
		}
		batch.Commit()
		e.Committed()
	}
}

func (dep *deployment) counters() (sum engine.Counters) {
	for _, e := range dep.engines {
		c := e.Counters()
		sum.Read += c.Read
		sum.Applied += c.Applied
		sum.Duplicates += c.Duplicates
		sum.Rejected += c.Rejected
	}
	return sum
}

// TestEachProbeMakesOneHold drives engines with loads: nothing but the probes makes a command, each makes exactly one, and
// duplicates and late deltas are taken for what they are.
func TestEachProbeMakesOneHold(t *testing.T) {
	for name, of := range map[string]struct {
		deltas uint64
		mix    load.Mix
	}{
		"steady":   {8000, load.Mix{Keys: 1000, Skew: 1.1, Oversell: 0.01}},
		"hot":      {8000, load.Mix{Keys: 100, HotShare: 0.5, Oversell: 0.01}},
		"disorder": {8000, load.Mix{Keys: 100, Skew: 1.1, OutOfOrder: 0.2, Late: 0.02, Duplicates: 0.02, Oversell: 0.01}},
		"storm":    {1000, load.Mix{Keys: 100, Oversell: 1}},
		"slow":     {8000, load.Mix{Keys: 100, Skew: 1.1, Late: 0.1, Duplicates: 0.1, Oversell: 0.01, Step: time.Second}},
	} {
		n, m := of.deltas, of.mix
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dep := newDeployment(t, 3)
			l := mustNew(t, m)
			for d := range l.Fill {
				dep.apply(d)
			}
			dep.commit()
			due := map[string]bool{}
			var d inventory.Delta
			for i := range n {
				l.Next(&d)
				dep.apply(&d)
				if isProbe(&d, m) {
					due[told(&d).SKU] = true
				}
				if i%500 == 0 {
					dep.commit()
				}
			}
			for _, c := range dep.commands {
				if c.Action != inventory.Hold || !due[c.SKU] {
					t.Errorf("%s of %s at %s for %s, which is no probe's first hold: %s", c.Action, c.SKU, c.Location, c.Channel, c.Reason)
				}
				delete(due, c.SKU)
			}
			if len(due) > 0 {
				t.Errorf("%d probes made no hold", len(due))
			}
			said, got := l.Counts(), dep.counters()
			want := engine.Counters{
				Read: n + uint64(l.Keys()), Duplicates: said.Duplicates, Rejected: said.Late,
				Applied: n + uint64(l.Keys()) - said.Duplicates - said.Late,
			}
			if got != want {
				t.Errorf("the engines count %+v, want %+v", got, want)
			}
		})
	}
}
