package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// tight is the policy that is built in, with few exceptions that are told of.
func tight(perSecond, atOnce int64) *policy.Policy {
	return paced(policy.Default(), perSecond, atOnce)
}

func paced(of *policy.Policy, perSecond, atOnce int64) *policy.Policy {
	p := *of
	p.ExceptionsPerSecond, p.ExceptionsAtOnce = perSecond, atOnce
	return &p
}

// TestThePaceOfExceptionsHoldsNothingUpButThem: whatever comes and whatever people decide, a partition that tells of few exceptions
// a second gives the commands and decisions of one that tells of all, at the same places. It tells of no more than it may,
// in the order in which they opened, forgets none across crashes, and in the end has told of each what the other has.
func TestThePaceOfExceptionsHoldsNothingUpButThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStory(t)
		s.config.AheadMax = inventory.MillisMax / 2
		perSecond, atOnce := rapid.Int64Range(1, 3).Draw(t, "per second"), rapid.Int64Range(1, 4).Draw(t, "at once")
		if s.config.Policy == nil {
			s.config.Policy = policy.Default()
		}
		s.config.Policy = paced(s.config.Policy, 1_000_000, 1_000_000)
		all := open(t, partition{config: s.config, logTime: gen.Start})
		s.config.Policy = paced(s.config.Policy, perSecond, atOnce)
		s.config.CacheBytes = rapid.SampledFrom([]int64{0, 1}).Draw(t, "cache")
		few := open(t, partition{config: s.config, logTime: gen.Start})
		var told tellings
		cuts := s.cuts(t)
		for i, m := range s.messages {
			now := few.logTime + inventory.Millis(rapid.SampledFrom([]int64{0, 1, 100, 999, 5000, -3000}).Draw(t, "goes by"))
			told.passed += max(now-few.logTime, 0)
			all.logTime, few.logTime = now, now
			all.take(t, m)
			few.take(t, m)
			if rapid.IntRange(0, 5).Draw(t, "a person decides") == 0 && len(all.said) > 0 {
				m := control.Message{ID: fmt.Sprint(i), By: "kim", Decision: control.Decision{
					Exception: someException(t, all), Action: rapid.SampledFrom(control.Actions()).Draw(t, "action"), Owner: "lee",
				}}
				all.control(t, m)
				few.control(t, m)
			}
			told.hear(t, few)
			if cuts[i] {
				few.commit(t)
				few = open(t, *few)
			}
		}
		sameText(t, "commands and decisions", orders(t, few), orders(t, all))
		last, opened := latest(t, all)
		if untold := few.engine.Standing().Untold; untold != int64(opened-told.known()) {
			t.Fatalf("%d exceptions opened, %d are told of, and %d are said to wait", opened, told.known(), untold)
		}
		told.bounded(t, perSecond, atOnce)

		for i := 0; few.engine.Standing().Untold > 0; i++ {
			if i > opened {
				t.Fatalf("%d still wait after %d quiet seconds", few.engine.Standing().Untold, i)
			}
			few.logTime += inventory.Second
			few.take(t, gen.Message{{ID: fmt.Sprint("tick", i), Source: "holdfast", Kind: inventory.Tick, Time: few.engine.Watermark()}})
			few.commit(t)
			few = open(t, *few)
		}
		got, _ := latest(t, few)
		for id, want := range last {
			if got[id] != want {
				t.Fatalf("of %s was told last\n%s\nwant\n%s", id, got[id], want)
			}
		}
	})
}

func someException(t *rapid.T, p *partition) string {
	ids := []string{"x-nobody-knows"}
	for i := range p.said {
		if x := p.said[i].Exception; x != nil {
			ids = append(ids, x.ID)
		}
	}
	return rapid.SampledFrom(ids).Draw(t, "exception")
}

// tellings are when exceptions were told of for the first time, those left out that do not wait.
type tellings struct {
	heard int
	first map[string]bool
	order []inventory.Cause

	passed inventory.Millis   // by the log's clock; where that is set back, none passes
	times  []inventory.Millis // of it
}

// hear takes in what p said since.
func (told *tellings) hear(t fataler, p *partition) {
	t.Helper()
	if told.first == nil {
		told.first = map[string]bool{}
	}
	for _, o := range p.said[told.heard:] {
		x := o.Exception
		if x == nil || told.first[x.ID] {
			continue
		}
		told.first[x.ID] = true
		atOnce := x.Class == inventory.GuardBreach // that channels are no longer acted on is told at once
		for _, c := range x.History {
			atOnce = atOnce || c.Decision != ""
		}
		if atOnce {
			continue
		}
		told.times = append(told.times, told.passed)
		if n := len(told.order); n > 0 && (told.order[n-1].Sequence > x.Cause.Sequence ||
			told.order[n-1].Sequence == x.Cause.Sequence && told.order[n-1].Index > x.Cause.Index) {
			t.Fatalf("%s is told of after one that opened later", x.ID)
		}
		told.order = append(told.order, x.Cause)
	}
	told.heard = len(p.said)
}

func (told *tellings) known() int { return len(told.first) }

// bounded wants no span of the log's time to have more of them than it may.
func (told *tellings) bounded(t fataler, perSecond, atOnce int64) {
	t.Helper()
	for i := range told.times {
		for j := i; j < len(told.times); j++ {
			passed := told.times[j] - told.times[i]
			if n, most := int64(j-i+1), atOnce+int64(passed)*perSecond/1000; n > most {
				t.Fatalf("%d exceptions within %d ms, %d at most", n, passed, most)
			}
		}
	}
}

// orders are the commands and decisions that were said, without their ordinals.
func orders(t fataler, p *partition) string {
	var lines strings.Builder
	for i := range p.said {
		if p.said[i].Exception == nil {
			_, text, _ := strings.Cut(line(t, &p.said[i]), " ")
			fmt.Fprintln(&lines, text)
		}
	}
	return lines.String()
}

// latest is what was told last of each exception, and how many there are.
func latest(t fataler, p *partition) (map[string]string, int) {
	last := map[string]string{}
	for i := range p.said {
		if x := p.said[i].Exception; x != nil {
			_, last[x.ID], _ = strings.Cut(line(t, &p.said[i]), " ")
		}
	}
	return last, len(last)
}

// TestAFeedGoneWrongBuriesNobody: it sells what is not there of three hundred SKUs at once. All of them are held at once, and are told of by and
// by: with each delta that comes as many as the log's clock allows.
func TestAFeedGoneWrongBuriesNobody(t *testing.T) {
	const skus = 300
	p := open(t, partition{config: engine.Config{Policy: tight(10, 20)}, logTime: gen.Start, only: inventory.Oversell})
	deltas := 0
	take := func(kind inventory.Kind, sku int, quantity int64) (exceptions []*inventory.Exception, commands int) {
		t.Helper()
		deltas++
		d := inventory.Delta{ID: fmt.Sprint(deltas), Source: "pos", Kind: kind, SKU: fmt.Sprint("sku-", sku), Location: "leeds", Channel: "web", Quantity: quantity, Time: gen.Start}
		if kind == inventory.Tick {
			d = inventory.Delta{ID: d.ID, Source: d.Source, Kind: kind, Time: d.Time}
		}
		before := len(p.said)
		p.take(t, gen.Message{d})
		p.commit(t)
		p = open(t, *p)
		for _, o := range p.said[before:] {
			if o.Exception != nil {
				exceptions = append(exceptions, o.Exception)
			}
			if o.Command != nil {
				commands++
			}
		}
		return exceptions, commands
	}
	stands := func(untold, deferred int64) {
		t.Helper()
		if s := p.engine.Standing(); s.Untold != untold || s.Deferred != deferred {
			t.Fatalf("standing is %+v, want %d untold of %d that waited", s, untold, deferred)
		}
	}
	told := 0
	for sku := range skus {
		exceptions, commands := take(inventory.Sale, sku, 1)
		told += len(exceptions)
		if commands != 1 {
			t.Fatalf("SKU %d was held by %d commands", sku, commands)
		}
	}
	if told != 20 {
		t.Errorf("%d exceptions were told of at once, want 20", told)
	}
	stands(280, 280)

	// What ends before it is told of is released at once, and told of in its turn, once.
	if exceptions, commands := take(inventory.Count, 20, 5); len(exceptions) != 0 || commands != 1 {
		t.Errorf("an end gives %d exceptions and %d commands, want a release alone", len(exceptions), commands)
	}
	// What was told of is ended at once.
	if exceptions, _ := take(inventory.Count, 0, 5); len(exceptions) != 1 || exceptions[0].Status != inventory.Resolved {
		t.Errorf("an end behind others that wait: %+v, want it at once", exceptions)
	}
	// What a person decides is told at once, and not again.
	var id string
	if err := engine.ReadExceptions(p.store, "", func(_ engine.Rank, x *inventory.Exception) bool { id = x.ID; return x.SKU != "sku-21" }); err != nil {
		t.Fatal(err)
	}
	before := len(p.said)
	p.control(t, control.Message{ID: "m", By: "kim", Decision: control.Decision{Exception: id, Action: control.Resolve}})
	if x := p.said[before].Exception; x == nil || x.ID != id || x.Status != inventory.Resolved {
		t.Errorf("a person's decision is told as %s", line(t, &p.said[before]))
	}
	stands(279, 280)

	p.logTime += inventory.Second
	exceptions, commands := take(inventory.Tick, 0, 0)
	if len(exceptions) != 10 || commands != 0 || exceptions[0].SKU != "sku-20" || exceptions[0].Status != inventory.Resolved || len(exceptions[0].History) != 2 || exceptions[1].SKU != "sku-22" {
		t.Errorf("a second later there are %d exceptions, the first %+v, want 10 from sku-20 on, but for sku-21, and that resolved", len(exceptions), exceptions)
	}
	stands(269, 280)

	// Another policy, another pace: from the next delta on.
	text := strings.Replace(policy.Default().Text, "exceptions_at_once: 10000", "exceptions_at_once: 400", 1)
	p.control(t, control.Message{ID: "p", By: "kim", Policy: text})
	p.logTime += inventory.Second
	if exceptions, _ = take(inventory.Sale, skus, 1); len(exceptions) != 270 || exceptions[269].SKU != fmt.Sprint("sku-", skus) {
		t.Errorf("the new policy lets %d be told of, want those 269 and one that opens", len(exceptions))
	}
	stands(0, 280)
}

// TestWhatWaitsIsNotForgotten: an exception that ended as long ago as they are kept is still told of in its turn, and those behind it.
func TestWhatWaitsIsNotForgotten(t *testing.T) {
	p := open(t, partition{config: engine.Config{Policy: tight(1, 1)}, logTime: gen.Start + 365*inventory.Day, only: inventory.Oversell})
	sale := func(id, sku string, kind inventory.Kind, at inventory.Millis) inventory.Delta {
		return inventory.Delta{ID: id, Source: "pos", Kind: kind, SKU: sku, Location: "leeds", Channel: "web", Quantity: 5, Time: gen.Start + at}
	}
	tick := func(id string, at inventory.Millis) inventory.Delta {
		return inventory.Delta{ID: id, Source: "pos", Kind: inventory.Tick, Time: gen.Start + at}
	}
	p.take(t, gen.Message{
		sale("1", "a", inventory.Sale, 0), sale("2", "b", inventory.Sale, 0), sale("3", "c", inventory.Sale, 0),
		sale("4", "b", inventory.Count, 1), tick("5", 100*inventory.Day),
	})
	before := len(p.said)
	for i := range 2 {
		p.logTime += inventory.Second
		p.take(t, gen.Message{tick(fmt.Sprint("t", i), 100*inventory.Day)})
	}
	var told []string
	for _, o := range p.said[before:] {
		if x := o.Exception; x != nil {
			told = append(told, fmt.Sprint(x.SKU, " ", x.Status))
		}
	}
	if got := strings.Join(told, ", "); got != "b resolved, c acting" {
		t.Errorf("told of %s, want b, which ended long ago, and then c", got)
	}
	// Once it is told of, it is forgotten in its time.
	p.take(t, gen.Message{tick("last", 140*inventory.Day)})
	p.commit(t)
	left := 0
	if err := engine.ReadExceptions(p.store, "", func(engine.Rank, *inventory.Exception) bool { left++; return true }); err != nil || left != 2 {
		t.Errorf("%d exceptions are kept, %v; want those that stand", left, err)
	}
}
