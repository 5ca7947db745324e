package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// outcome is what a run of the network through the engine comes to.
type outcome struct {
	opened, right map[inventory.Class]int
	commands      []string
	counters      engine.Counters
}

// throughEngine plays the network through the engine in some partitions, whose commands it obeys, and holds
// what is held against the truth. A phantom is right where nothing is to be found, an oversell at a
// location where less is to be found than was promised or set apart.
func throughEngine(t *testing.T, c sim.Config, partitions int, days inventory.Millis) outcome {
	t.Helper()
	s := sim.New(c)
	engines := make([]*engine.Engine, partitions)
	for p := range engines {
		var err error
		if engines[p], err = engine.New(engine.Config{Partition: p, Partitions: partitions}, enginetest.NewStore()); err != nil {
			t.Fatal(err)
		}
	}
	out := outcome{opened: map[inventory.Class]int{}, right: map[inventory.Class]int{}}
	look := func(o *engine.Output) {
		if c := o.Command; c != nil {
			s.Obey(c)
			out.commands = append(out.commands, fmt.Sprint(c.ID, c.Action, c.Channel, c.SKU, c.Location, c.Sellable, c.Reason))
		}
		x := o.Exception
		if x == nil || len(x.History) > 1 || x.Location == inventory.Network || len(x.Channels) == 1 && x.Class == inventory.Oversell {
			return
		}
		out.opened[x.Class]++
		owed := int64(1)
		if x.Class == inventory.Oversell {
			owed = x.Evidence["reserved"].(int64) + x.Evidence["safety"].(int64)
		}
		if s.Truth(inventory.Key{SKU: x.SKU, Location: x.Location}, x.OpenedAt) < owed {
			out.right[x.Class]++
		}
		if out.opened[x.Class] <= 4 {
			t.Logf("%s: %s", x.Class, x.Reason)
		}
		if x.SKU != inventory.Network && !strings.Contains(x.Reason, x.SKU) || !strings.Contains(x.Reason, x.Location) {
			t.Errorf("%q names not both %s and %s", x.Reason, x.SKU, x.Location)
		}
	}
	var sequence uint64
	until(s, c.Start+days*inventory.Day, func(d inventory.Delta, arrives inventory.Millis) {
		sequence++
		for p, e := range engines {
			if d.SKU != "" && codec.Partition(d.SKU, partitions) != p { // ticks are for all
				continue
			}
			if _, err := e.Apply(engine.At{Sequence: sequence, LogTime: arrives}, &d); err != nil {
				t.Fatal(err)
			}
			for _, o := range e.Outputs() {
				look(&o)
			}
			e.ClearOutputs()
		}
	})
	for _, e := range engines {
		c := e.Counters()
		out.counters.Read += c.Read
		out.counters.Applied += c.Applied
		out.counters.Duplicates += c.Duplicates
		out.counters.Rejected += c.Rejected
	}
	return out
}

// mostlyRight fails unless both classes were found, and three in four of each rightly.
func mostlyRight(t *testing.T, out outcome) {
	t.Helper()
	t.Logf("%d deltas, opened %v, right %v", out.counters.Read, out.opened, out.right)
	for _, class := range []inventory.Class{inventory.Oversell, inventory.PhantomInventory} {
		if n, right := out.opened[class], out.right[class]; n == 0 || 4*right < 3*n {
			t.Errorf("%d of %d of %s were right, want some, and three in four right", right, n, class)
		}
	}
}

func TestTheEngineFindsWhatIsWrong(t *testing.T) {
	config := sim.Config{Seed: 7, Start: start, Stores: 8, SKUs: 150}
	out := throughEngine(t, config, 1, 3)
	mostlyRight(t, out)
	if !slices.ContainsFunc(out.commands, func(c string) bool { return strings.Contains(c, string(inventory.Unhold)) }) {
		t.Error("nothing was ever released")
	}
	c := out.counters
	if c.Read != c.Applied+c.Duplicates+c.Rejected || c.Rejected != 0 || c.Duplicates == 0 {
		t.Errorf("counters %+v, want them to add up, some duplicates and nothing rejected", c)
	}
	if again := throughEngine(t, config, 1, 3); !slices.Equal(out.commands, again.commands) {
		t.Error("the same seed and the same engine gave other commands")
	}
}

// TestPartitionsThatSeeLittleFindItToo: each sees a sixteenth of a location's sales, and learns its hours
// from that, into the second week.
func TestPartitionsThatSeeLittleFindItToo(t *testing.T) {
	mostlyRight(t, throughEngine(t, sim.Config{Seed: 1, Start: start, Stores: 4, SKUs: 80}, 16, 9))
}
