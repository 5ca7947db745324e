package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// asks is a configuration under which a person has to say yes to what an oversell holds.
func asks() engine.Config {
	rule := policy.Default().Rule(inventory.Oversell)
	rule.Autonomy = policy.Recommend
	return engine.Config{Policy: policy.New("asks", map[inventory.Class]policy.Rule{inventory.Oversell: rule})}
}

// decided plays a story: lines of a table, and between them what people decide, as in
//
//	kim approve 0      the exception that opened first
//
// It returns what was said, a line each. Every message is committed, and taken up again by a new engine.
func decided(t *testing.T, config engine.Config, story string) (*partition, string) {
	t.Helper()
	p := open(t, partition{config: config, only: inventory.Oversell})
	var opened []string
	deltas := 0
	for line := range strings.Lines(story) {
		before := len(p.said)
		var person, action string
		var which int
		if n, _ := fmt.Sscan(line, &person, &action, &which); n == 3 && person == "kim" {
			id := "x-unknown"
			if which < len(opened) {
				id = opened[which]
			}
			p.control(t, control.Message{ID: fmt.Sprint(p.messages), By: person, Decision: control.Decision{Exception: id, Action: control.Action(action), Owner: "lee"}})
		} else {
			for _, d := range tableLog(t, line) {
				deltas++
				d.ID = fmt.Sprint(deltas)
				p.take(t, gen.Message{d})
			}
		}
		for _, o := range p.said[before:] {
			if x := o.Exception; x != nil && len(x.History) == 1 {
				opened = append(opened, x.ID)
			}
		}
		p.commit(t)
		p = open(t, *p)
	}
	var said []string
	for _, o := range p.said {
		switch {
		case o.Exception != nil:
			x := o.Exception
			last := x.History[len(x.History)-1]
			said = append(said, fmt.Sprintf("%s@%s is %s, by %s, owner %s", x.Class, x.Location, x.Status, last.By, x.Owner))
		case o.Command != nil:
			c := o.Command
			said = append(said, fmt.Sprintf("  %s %s@%s, %s %s", c.Action, c.Channel, c.Location, c.Autonomy, c.ApprovedBy))
		case o.Decision.Refused != "":
			said = append(said, fmt.Sprintf("%s refused: %s", o.Decision.Decision, o.Decision.Refused))
		}
	}
	return p, strings.Join(said, "\n")
}

func TestDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		config engine.Config
		story  string
		said   string
		stands engine.Standing
	}{
		"a hold waits for a person's yes, and its renewals are on that person's word, too": {asks(), `
			0 sale 2
			kim approve 0
			kim approve 0
			130 tick
			131 receipt 5 ref=po`, `
oversell@leeds is awaiting_approval, by holdfast, owner channel-operations
oversell@leeds is acting, by kim, owner lee
  hold web@leeds, approved kim
approve refused: it acts already
  hold web@leeds, approved kim
oversell@leeds is resolved, by holdfast, owner lee
  release web@leeds, approved kim`, engine.Standing{}},

		"what is rejected is released, and said again only once it was over": {engine.Config{}, `
			0 sale 2
			kim reject 0
			kim resolve 0
			1 sale 1
			2 receipt 5 ref=po
			3 sale 3`, `
oversell@leeds is acting, by holdfast, owner channel-operations
  hold web@leeds, auto 
oversell@leeds is dismissed, by kim, owner lee
  release web@leeds, approved kim
resolve refused: it is dismissed already
oversell@leeds is acting, by holdfast, owner channel-operations
  hold web@leeds, auto `, engine.Standing{Exceptions: 1, Exposure: 1, Held: 1}},

		"the network is held and released by decisions, too": {asks(), `
			0 sale 2
			0 sale 1 at=york
			kim approve 2
			kim resolve 2
			kim assign 0
			1 receipt 9 ref=po`, `
oversell@leeds is awaiting_approval, by holdfast, owner channel-operations
oversell@york is awaiting_approval, by holdfast, owner channel-operations
oversell@* is awaiting_approval, by holdfast, owner channel-operations
oversell@* is acting, by kim, owner lee
  hold web@*, approved kim
oversell@* is resolved, by kim, owner lee
  release web@*, approved kim
oversell@leeds is awaiting_approval, by kim, owner lee
oversell@leeds is resolved, by holdfast, owner lee`, engine.Standing{Exceptions: 1, Exposure: 1}},

		"nobody decides about what there is not": {engine.Config{}, `
			kim approve 0
			0 tick
			kim reject 0`, `
approve refused: there is no such exception
reject refused: there is no such exception`, engine.Standing{}},
	} {
		t.Run(name, func(t *testing.T) {
			p, said := decided(t, c.config, c.story)
			sameText(t, "what was said", said, strings.TrimPrefix(c.said, "\n"))
			if got := p.engine.Standing(); got != c.stands {
				t.Errorf("%+v stands, want %+v", got, c.stands)
			}
			counted(t, p.engine.Counters(), p.results)
		})
	}
}

// TestADecisionMovesNoTime: nor does it fire what is due.
func TestADecisionMovesNoTime(t *testing.T) {
	p, _ := decided(t, asks(), "0 sale 2\nkim approve 0")
	if got := p.engine.Watermark(); got != hourOf(0) {
		t.Errorf("event time is %v, want %v", got, hourOf(0))
	}
}

// TestWhatIsRejectedBehindAHoldLeavesItToTheOther: where two exceptions hold a channel, the hold stands for the one that
// is left, and its renewals name that.
func TestWhatIsRejectedBehindAHoldLeavesItToTheOther(t *testing.T) {
	p := open(t, partition{})
	for _, d := range tableLog(t, fiveWeeks+`
		840..951/1 tick
		950 reserve 600 ref=r`) {
		p.take(t, gen.Message{d})
	}
	behind := ""
	for _, o := range p.said {
		if x := o.Exception; x != nil && x.SKU == "tea" && x.Class == inventory.PhantomInventory {
			behind = x.ID
		}
	}
	before := len(p.said)
	p.control(t, control.Message{ID: "1", By: "kim", Decision: control.Decision{Exception: behind, Action: control.Reject}})
	for _, d := range tableLog(t, "952..1100/1 tick") {
		d.ID = "later" + d.ID
		p.take(t, gen.Message{d})
	}
	var said []string
	for _, o := range p.said[before:] {
		if c := o.Command; c != nil && c.SKU == "tea" {
			said = append(said, fmt.Sprintf("%s for %s, %s", c.Action, c.Class, c.Autonomy))
		}
	}
	sameText(t, "commands", strings.Join(said, "\n"), "hold for oversell, auto")
}

// TestAPolicyTakesEffectAtOnePlaceInTheLog: what opens before it follows the old one, what opens after it the new one, also
// once the partition is taken up again; a repeat and one that is none change nothing.
func TestAPolicyTakesEffectAtOnePlaceInTheLog(t *testing.T) {
	const asking = "name: asking\nclasses:\n  oversell: {autonomy: recommend, owner: desk}\noverrides:\n  - {class: oversell, when: exposure > 500, set: {autonomy: observe, owner: boss}}\n"
	p := open(t, partition{only: inventory.Oversell})
	set := func(id, text string) engine.Result {
		t.Helper()
		result := p.control(t, control.Message{ID: id, By: "kim", Policy: text})
		p.commit(t)
		p = open(t, *p)
		return result
	}
	sells := func(hour int, sku string, n int) {
		t.Helper()
		for _, d := range tableLog(t, fmt.Sprintf("%d sale %d sku=%s", hour, n, sku)) {
			d.ID = sku
			p.take(t, gen.Message{d})
		}
		p.commit(t)
		p = open(t, *p)
	}
	sells(0, "a", 1)
	outcomes := []engine.Result{set("1", asking), set("1", policy.Default().Text)}
	sells(1, "b", 1)
	sells(2, "c", 600)
	outcomes = append(outcomes, set("2", "name: broken\nclasses: [a]"), set("3", policy.Default().Text))
	sells(3, "d", 1)
	var got []string
	for _, o := range outcomes {
		got = append(got, outcome(o))
	}
	sameText(t, "outcomes", strings.Join(got, " "), "applied duplicate out_of_range applied")
	var said []string
	for _, o := range p.said {
		switch {
		case o.Exception != nil:
			said = append(said, fmt.Sprintf("%s is %s, owner %s", o.Exception.SKU, o.Exception.Status, o.Exception.Owner))
		case o.Command != nil:
			said = append(said, fmt.Sprintf("  %s under %s", o.Command.Action, strings.Split(o.Command.Policy, "@")[0]))
		case o.Decision != nil && o.Decision.Decision == "policy":
			said = append(said, fmt.Sprintf("%s sets %s", o.Decision.By, strings.Split(o.Decision.Policy, "@")[0]))
		}
	}
	sameText(t, "what was said", strings.Join(said, "\n"), `a is acting, owner channel-operations
  hold under builtin
kim sets asking
b is awaiting_approval, owner desk
c is open, owner boss
kim sets builtin
d is acting, owner channel-operations
  hold under builtin`)
	if inForce, err := engine.ReadPolicy(p.store); err != nil || inForce.Version != policy.Default().Version {
		t.Errorf("in force is %+v, %v", inForce, err)
	}
	counted(t, p.engine.Counters(), p.results)
}

// TestAFixedPolicyStays: a backtest asks what one policy would have done, whatever came through the log.
func TestAFixedPolicyStays(t *testing.T) {
	p := open(t, partition{only: inventory.Oversell, config: engine.Config{PolicyFixed: true}})
	p.control(t, control.Message{ID: "1", By: "kim", Policy: "name: quiet\nclasses: {}\n"})
	for _, d := range tableLog(t, "0 sale 1") {
		p.take(t, gen.Message{d})
	}
	if got := p.engine.Standing().Held; got != 1 {
		t.Errorf("%d holds, want the built-in policy's one", got)
	}
}

// TestWhatComesAndGoesDwells: an exception stands for as long as its policy wants, and what it holds with it.
func TestWhatComesAndGoesDwells(t *testing.T) {
	p, err := policy.Parse("name: dwell\nclasses:\n  oversell: {autonomy: auto, dwell: 10h}\n")
	if err != nil {
		t.Fatal(err)
	}
	_, said := decided(t, engine.Config{Policy: p}, `
		0 sale 2
		1 receipt 5 ref=po
		2 sale 1
		9 tick
		11 tick
		12 sale 9
		30 receipt 9 ref=po`)
	sameText(t, "what was said", said, `oversell@leeds is acting, by holdfast, owner inventory-control
  hold web@leeds, auto 
oversell@leeds is resolved, by holdfast, owner inventory-control
  release web@leeds, auto 
oversell@leeds is acting, by holdfast, owner inventory-control
  hold web@leeds, auto 
oversell@leeds is resolved, by holdfast, owner inventory-control
  release web@leeds, auto `)
}

// TestAThresholdVariesByPlace: an override changes when silence is taken for a phantom, there alone.
func TestAThresholdVariesByPlace(t *testing.T) {
	early, err := policy.Parse("name: early\nclasses:\n  phantom_inventory: {autonomy: auto, raise: 0.8, clear: 0.4}\noverrides:\n  - {location: leeds, set: {raise: 0.5, clear: 0.2}}\n")
	if err != nil {
		t.Fatal(err)
	}
	opens := func(config engine.Config) inventory.Millis {
		p := open(t, partition{config: config})
		for _, d := range tableLog(t, fiveWeeks+"\n840..1100/1 tick") {
			p.take(t, gen.Message{d})
		}
		for _, o := range p.said {
			if x := o.Exception; x != nil && x.Class == inventory.PhantomInventory && x.Location == "leeds" {
				return x.OpenedAt
			}
		}
		t.Fatal("nothing opened")
		return 0
	}
	if a, b := opens(engine.Config{Policy: early}), opens(engine.Config{}); a >= b {
		t.Errorf("at 50 %% it opens at %v, at 80 %% at %v", a, b)
	}
}
