package engine_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// story is a log as a partition's stream holds it.
type story struct {
	config   engine.Config
	messages []gen.Message
}

// drawnStory draws a log over a few keys, or a long one over a single key.
func drawnStory(t *rapid.T) story {
	config := drawnConfig(t)
	if rapid.Bool().Draw(t, "guarded") {
		config.Policy = guardedPolicy(t)
	}
	shape := gen.Shape{DeltasMax: 80, Lateness: config.Lateness}
	if rapid.Bool().Draw(t, "hot") {
		shape.Hot, shape.DeltasMax = true, 250
	}
	if rapid.Bool().Draw(t, "tight") {
		if config.Policy == nil {
			config.Policy = policy.Default()
		}
		config.Policy = paced(config.Policy, 1, 1)
	}
	log := gen.Log(shape).Draw(t, "log")
	return story{config, gen.Messages(log).Draw(t, "messages")}
}

// guardedPolicy acts on oversells, within bounds that a story meets.
func guardedPolicy(t fataler) *policy.Policy {
	p, err := policy.Parse("name: p\nclasses: {oversell: {autonomy: auto}}\nguards: {commands_per_minute: 2, held_share: 0.5, held_from: 1}")
	if err != nil {
		t.Fatalf("a policy: %v", err)
	}
	return p
}

func (s story) cuts(t *rapid.T) []bool { return gen.Cuts(len(s.messages)).Draw(t, "cuts") }

// run takes the story through a partition without a break.
func (s story) run(t fataler, cuts []bool) *partition {
	p := open(t, partition{config: s.config})
	s.on(t, p, cuts)
	return p
}

func (s story) on(t fataler, p *partition, cuts []bool) {
	for i, m := range s.messages {
		p.take(t, m)
		if cuts[i] {
			p.commit(t)
		}
	}
	counted(t, p.engine.Counters(), p.results)
}

// same fails unless two partitions came to the same: what became of each delta, what was said, with
// which ordinals and ids, and what is kept.
func same(t fataler, got, want *partition) {
	t.Helper()
	sameText(t, "outcomes", outcomes(got.results), outcomes(want.results))
	sameText(t, "outputs", got.transcript(t), want.transcript(t))
	sameText(t, "stores", got.state(t), want.state(t))
}

func TestTheSameLogGivesTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		cuts := s.cuts(t)
		once := s.run(t, cuts)
		// What is kept of a message's bytes after they are gone shows by what they were overwritten with.
		again := open(t, partition{config: s.config, spoil: 0xa5})
		s.on(t, again, cuts)
		same(t, again, once)
		sameText(t, "whole stores", again.store.Dump(), once.store.Dump())
	})
}

func TestBatchBoundariesDoNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		same(t, s.run(t, s.cuts(t)), s.run(t, s.cuts(t)))
	})
}

// TestWhatIsAppliedMeanwhileIsNotInABatch: batches that are written a few values at a time, while the partition goes on, hold what
// one holds that was written at once; and the partition says the same.
func TestWhatIsAppliedMeanwhileIsNotInABatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		freezes := s.cuts(t)
		s.config.CacheBytes = rapid.SampledFrom([]int64{0, 1, 4 << 10}).Draw(t, "cache")
		s.config.DedupeBytes = rapid.SampledFrom([]int64{0, 1}).Draw(t, "dedupe")
		p, at := open(t, partition{config: s.config}), open(t, partition{config: s.config})
		frozen := 0
		for i, m := range s.messages {
			p.take(t, m)
			p.write(t, rapid.IntRange(0, 3).Draw(t, "values"))
			if rapid.Bool().Draw(t, "lands") {
				p.land(t)
			}
			if freezes[i] {
				p.land(t)
				if frozen > 0 {
					sameText(t, "batches", p.state(t), at.state(t))
				}
				p.freeze(t)
				at = s.batch(t, at, frozen, i+1)
				at.commit(t)
				frozen = i + 1
			}
		}
		p.land(t)
		sameText(t, "last batches", p.state(t), at.state(t))
		at = s.batch(t, at, frozen, len(s.messages))
		p.commit(t)
		at.commit(t)
		same(t, p, at)
	})
}

// TestSizesDoNotShow: with no memory to speak of everything is read from the store again and again.
func TestSizesDoNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		cuts := s.cuts(t)
		ample := s.run(t, cuts)
		s.config.CacheBytes = rapid.SampledFrom([]int64{1, 2 << 10, 8 << 10}).Draw(t, "cache")
		s.config.DedupeBytes = rapid.SampledFrom([]int64{1, 1 << 10}).Draw(t, "dedupe")
		same(t, s.run(t, cuts), ample)
	})
}

// TestCrashAtEveryBatch: the partition is lost once with each batch, after it has said what it
// says but before anything is durable, and once after each commit. It begins again from the
// stored position and says the same with the same ids.
func TestCrashAtEveryBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		cuts := s.cuts(t)
		p := open(t, partition{config: s.config})
		for from := 0; from < len(s.messages); {
			end := from + 1
			for !cuts[end-1] {
				end++
			}
			saved := *p
			p = s.batch(t, p, from, end)
			p.flush(t) // and lost

			lost := p
			p = s.batch(t, open(t, saved), from, end)
			sameText(t, "outputs after the crash", p.transcript(t), lost.transcript(t))
			p.commit(t)
			p = open(t, *p)
			status, err := engine.ReadStatus(p.store)
			if err != nil || status.Sequence != uint64(end) || status.Counters != p.engine.Counters() || status.Watermark != p.engine.Watermark() {
				t.Fatalf("after message %d the store's status is %+v, %v", end, status, err)
			}
			from = end
		}
		same(t, p, s.run(t, cuts))
		counted(t, p.engine.Counters(), p.results)
	})
}

// batch takes the messages [from, end) without a commit.
func (s story) batch(t fataler, p *partition, from, end int) *partition {
	for _, m := range s.messages[from:end] {
		p.take(t, m)
	}
	return p
}

// TestOrderOfArrivalDoesNotShowInStock: an orderly log in any order within the lateness.
func TestOrderOfArrivalDoesNotShowInStock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := drawnConfig(t)
		config.WindowLateness = config.Lateness
		log := gen.Log(gen.Shape{DeltasMax: 80, Lateness: config.Lateness, Orderly: true, Hot: rapid.Bool().Draw(t, "hot")}).Draw(t, "log")
		in := arrive(t, config, gen.InOrder(log))
		shuffled := arrive(t, config, gen.Shuffled(log, config.Lateness).Draw(t, "arrival"))
		for _, sku := range skus(log) {
			sameText(t, "stock", stock(t, shuffled, sku), stock(t, in, sku))
		}
	})
}

// arrive takes a log of which every delta is good.
func arrive(t *rapid.T, config engine.Config, log []inventory.Delta) *partition {
	p := open(t, partition{config: config})
	for i, d := range log {
		if got := p.take(t, gen.Message{d})[0]; got.Outcome != engine.Applied {
			t.Fatalf("delta %d, a %s %q: %s", i, d.Kind, d.ID, outcome(got))
		}
		if i%7 == 0 {
			p.commit(t)
		}
	}
	p.commit(t)
	return p
}

func skus(log []inventory.Delta) []string {
	var all []string
	seen := map[string]bool{"": true} // of a tick
	for _, d := range log {
		if !seen[d.SKU] {
			seen[d.SKU] = true
			all = append(all, d.SKU)
		}
	}
	return all
}

// stock is every figure of a SKU but for the holds and throttles: with hysteresis these depend on the way there.
func stock(t *rapid.T, p *partition, sku string) string {
	all, _, err := engine.ReadSKU(p.store, sku)
	if err != nil {
		t.Fatalf("read %q: %v", sku, err)
	}
	all.Channels = nil
	for i := range all.Locations {
		for j := range all.Locations[i].Channels {
			all.Locations[i].Channels[j].Held = false
			all.Locations[i].Channels[j].Throttled = nil
		}
	}
	return pretty(t, all)
}

// TestSecondPassChangesNothing: what was accepted once is a duplicate or too late ever after.
func TestSecondPassChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		s.config.Policy = nil // no exception waits for the second pass to be told of
		p := s.run(t, s.cuts(t))
		before := p.store.Dump(append(engine.LaidOutByBatch(), engine.MetaPrefix)...)
		first := p.results
		said := len(p.said)
		i := 0
		for _, m := range s.messages {
			for _, d := range m {
				accepted := first[i].Outcome == engine.Applied
				i++
				if !accepted {
					continue // it may be good now: another count has made room, or its id is forgotten
				}
				if got := outcome(p.take(t, gen.Message{d})[0]); got != "duplicate" && got != "late" {
					t.Fatalf("%s %q came twice: %s", d.Kind, d.ID, got)
				}
			}
		}
		p.commit(t)
		for _, o := range p.said[said:] {
			if o.Rejected == nil {
				t.Fatalf("the second pass says %s", line(t, &o))
			}
		}
		sameText(t, "stores but for ids and counters", p.store.Dump(append(engine.LaidOutByBatch(), engine.MetaPrefix)...), before)
		counted(t, p.engine.Counters(), p.results)
	})
}
