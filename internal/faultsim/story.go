package faultsim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/codec"
)

// shrinkRuns bounds how often a plan is tried to make its story short.
const shrinkRuns = 1500

// shrink returns a plan that fails as well, without the faults, steps and messages that it fails without.
func (p *plan) shrink(m *mutant) *plan {
	least, left := p, shrinkRuns
	try := func(change func(*plan)) bool {
		smaller := *least
		smaller.payloads = slices.Clone(least.payloads)
		smaller.steps = slices.Clone(least.steps)
		change(&smaller)
		if left--; left < 0 || smaller.run(m) == nil {
			return false
		}
		least = &smaller
		return true
	}
	for n := range p.payloads {
		for cut := len(p.payloads[n]); cut > 0; cut /= 2 {
			for cut <= len(least.payloads[n]) && try(func(s *plan) { s.payloads[n] = s.payloads[n][:len(s.payloads[n])-cut] }) {
			}
		}
	}
	for i := len(p.steps) - 1; i >= 0; i-- {
		if p.steps[i].do.fault() {
			try(func(s *plan) { s.steps = slices.Delete(s.steps, i, i+1) })
		}
	}
	for cut := len(least.steps) / 2; cut > 0; cut /= 2 {
		for from := len(least.steps) - cut; from >= 0; from -= cut {
			try(func(s *plan) { s.steps = slices.Delete(s.steps, from, from+cut) })
			from = min(from, len(least.steps))
		}
	}
	return least
}

// tell is the story of a failing plan: its messages, what happened, and what is wrong in the end.
func (p *plan) tell(m *mutant) string {
	var story strings.Builder
	c := &p.config
	fmt.Fprintf(&story, "seed %d: lateness %d ms, of windows %d ms, cache %d bytes, ids %d bytes, groups of %d outputs at most (0: any number)\n",
		p.seed, c.Lateness, c.WindowLateness, c.CacheBytes, c.DedupeBytes, p.groupMax)
	for n, payloads := range p.payloads {
		for i, message := range payloads {
			var b codec.Batch
			b.Decode(message.data)
			for _, d := range b.Deltas {
				fmt.Fprintf(&story, "  partition %d, message %d: %s %q %s@%s ×%d at %v\n", n, i+1, d.Kind, d.ID, d.SKU, d.Location, d.Quantity, d.Time)
			}
		}
	}
	err := p.follow(m, func(n int, s step, w *world) {
		fmt.Fprintf(&story, "  %3d. %-60s %s\n", n, s, w)
	})
	fmt.Fprintf(&story, "  %v\n", err)
	return story.String()
}

// String is where everything is: the logs' ends, what the owners have applied, what the streams hold.
func (w *world) String() string {
	var s strings.Builder
	for n := range w.logs {
		fmt.Fprintf(&s, "log %d:", len(w.logs[n].messages))
		for _, o := range w.owners[n] {
			switch {
			case o == nil:
			case o.up():
				fmt.Fprintf(&s, " at %d", o.applied.Position().Sequence)
			default:
				s.WriteString(" down")
			}
		}
		s.WriteString("; ")
	}
	s.WriteString("streams:")
	for _, stream := range w.outputs {
		fmt.Fprintf(&s, " %d", len(stream.messages))
	}
	return s.String()
}
