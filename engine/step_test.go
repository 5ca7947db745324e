package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestWhereAStepLeavesOffDoesNotShow: in steps of a timer or two, between which the partition is committed, or is
// lost and taken up within the delta, the same comes of a log as in steps that know no end.
func TestWhereAStepLeavesOffDoesNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		cuts := s.cuts(t)
		s.config.SliceTimers = 1 << 30
		once := s.run(t, cuts)

		s.config.SliceTimers = rapid.IntRange(1, 3).Draw(t, "slice")
		then := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 8).Draw(t, "then")
		n := 0
		p := open(t, partition{config: s.config, unfinished: func(p *partition) {
			n++
			switch then[n%len(then)] {
			case 1:
				p.commit(t)
			case 2:
				p.commit(t)
				p.flush(t) // and lost
				*p = *open(t, *p)
				if done, want := p.engine.Done(p.messages), len(p.results)-p.before; done != want {
					t.Fatalf("taken up within message %d, %d of its items are done, want %d", p.messages, done, want)
				}
			}
		}})
		s.on(t, p, cuts)
		same(t, p, once)
	})
}

// TestManyTimersOfOneMomentFireInSteps: two hundred reservations lapse in one millisecond. After a crash between any
// two of them none is forgotten and none lapses twice.
func TestManyTimersOfOneMomentFireInSteps(t *testing.T) {
	const promises = 200
	due := inventory.Millis(1_764_000_000_000)
	for slice := range 3 {
		steps := 0
		p := open(t, partition{config: engine.Config{SliceTimers: 1 + slice, CacheBytes: 1}, unfinished: func(p *partition) {
			steps++
			p.commit(t)
			*p = *open(t, *p)
		}})
		var promised gen.Message
		for i := range promises {
			promised = append(promised, inventory.Delta{
				ID: fmt.Sprint(i), Source: "web", SKU: fmt.Sprintf("tea %d", i%7), Location: "leeds", Kind: inventory.Reserve, Channel: "web",
				Ref: fmt.Sprint("o", i), Quantity: 1, Time: due - inventory.Hour, Due: due,
			})
		}
		p.take(t, promised)
		p.commit(t)
		p.take(t, gen.Message{{ID: "t", Source: "web", Kind: inventory.Tick, Time: due}})
		p.commit(t)
		if want := promises / (1 + slice); steps < want || steps > want+7 { // and the alarms of seven keys
			t.Errorf("in slices of %d it left off %d times, want %d", 1+slice, steps, want)
		}
		for i := range 7 {
			sku := fmt.Sprintf("tea %d", i)
			if got, _, err := engine.ReadKey(p.store, sku, "leeds"); err != nil || got.Reserved != 0 {
				t.Errorf("%s: %d are reserved after all lapsed, %v", sku, got.Reserved, err)
			}
		}
	}
}

// TestOnlyTheDeltaThatIsUnfinishedComesNext: who goes on with another has lost something.
func TestOnlyTheDeltaThatIsUnfinishedComesNext(t *testing.T) {
	p := open(t, partition{config: engine.Config{SliceTimers: 1}})
	at := inventory.Millis(1_764_000_000_000)
	p.take(t, gen.Message{{ID: "1", Source: "web", SKU: "tea", Location: "leeds", Kind: inventory.Reserve, Channel: "web", Ref: "o", Quantity: 1, Time: at, Due: at + 1}})
	tick := inventory.Delta{ID: "t", Source: "web", Kind: inventory.Tick, Time: at + 1}
	if r, err := p.engine.Step(engine.At{Sequence: 2}, &tick); err != nil || r.Outcome != engine.Unfinished {
		t.Fatalf("the tick is %s, %v", r.Outcome, err)
	}
	tick.ID = "u"
	if _, err := p.engine.Step(engine.At{Sequence: 3}, &tick); err == nil || !strings.Contains(err.Error(), "item 0 of message 2 is unfinished") {
		t.Errorf("another delta was applied in between: %v", err)
	}
}
