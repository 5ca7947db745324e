package engine_test

import (
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// guarded is a configuration that acts on oversells, within bounds.
func guarded(t *testing.T, guards string) engine.Config {
	t.Helper()
	p, err := policy.Parse("name: p\nclasses: {oversell: {autonomy: auto, owner: desk}}\nguards: " + guards)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Config{Policy: p, Partitions: 1}
}

// TestGuards: what stops acting, what goes out all the same, and what ends that.
func TestGuards(t *testing.T) {
	for name, c := range map[string]struct {
		guards string
		story  string
		said   string
		stands engine.Standing
	}{
		"more than two commands a minute are not given; the third minute is calm": {"{commands_per_minute: 2}", `
			0 sale 1 sku=a
			0 sale 1 sku=b
			0 sale 1 sku=c
			0 receipt 5 sku=a ref=po
			0.02 tick
			0.04 tick
			0.04 sale 1 sku=d`, `
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto 
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto 
guard_breach@* is awaiting_approval, by holdfast, owner inventory-control
oversell@leeds is awaiting_approval, by holdfast, owner desk
oversell@leeds is resolved, by holdfast, owner desk
  release web@leeds, auto 
guard_breach@* is resolved, by holdfast, owner inventory-control
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto `, engine.Standing{Exceptions: 3, Exposure: 3, Held: 2}},

		"of five listings two may be held; other channels are nobody's business": {"{held_share: 0.4, held_from: 0, owner: boss}", `
			0 listing 1 sku=a
			0 listing 1 sku=b
			0 listing 1 sku=c
			0 listing 1 sku=d
			0 listing 1 sku=e
			0.1 block 1 sku=a
			0.2 block 1 sku=b
			0.3 block 1 sku=c
			0.4 sale 1 sku=f channel=store
			0.5 receipt 5 sku=a ref=po
			0.6 block 1 sku=d`, `
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto 
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto 
guard_breach@* is awaiting_approval, by holdfast, owner boss
oversell@leeds is awaiting_approval, by holdfast, owner desk
guard_breach@* is awaiting_approval, by holdfast, owner boss
oversell@leeds is awaiting_approval, by holdfast, owner desk
oversell@leeds is resolved, by holdfast, owner desk
  release web@leeds, auto 
guard_breach@* is resolved, by holdfast, owner boss
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto `, engine.Standing{Exceptions: 5, Exposure: 4, Held: 2, Guarded: 1}},

		"a person approves what waits, and lets policy act": {"{commands_per_minute: 1, channels: {store: {commands_per_minute: 9}}}", `
			0 sale 1 sku=a
			0 sale 1 sku=b
			0 sale 1 sku=c channel=store
			kim approve 2
			kim approve 1
			0 sale 1 sku=d
			kim resolve 1
			0 sale 1 sku=e
			kim reject 1`, `
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto 
guard_breach@* is awaiting_approval, by holdfast, owner inventory-control
oversell@leeds is awaiting_approval, by holdfast, owner desk
oversell@leeds is acting, by holdfast, owner desk
  hold store@leeds, auto 
oversell@leeds is acting, by kim, owner lee
  hold web@leeds, approved kim
guard_breach@* is acting, by kim, owner lee
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto 
guard_breach@* is resolved, by kim, owner lee
oversell@leeds is acting, by holdfast, owner desk
  hold web@leeds, auto 
reject refused: it is resolved already`, engine.Standing{Exceptions: 5, Exposure: 5, Held: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			p, said := decided(t, guarded(t, c.guards), c.story)
			sameText(t, "what was said", said, strings.TrimPrefix(c.said, "\n"))
			if got := p.engine.Standing(); got != c.stands {
				t.Errorf("%+v stands, want %+v", got, c.stands)
			}
		})
	}
}

// TestTheBuiltInGuardsLetAStormThrough: a hundred thousand oversells at once on one channel of sixteen partitions is what a
// bench and a very bad feed make.
func TestTheBuiltInGuardsLetAStormThrough(t *testing.T) {
	guards := policy.Default().Guards()
	const inOne = 100_000/16 + 1000
	if b := guards.Of("web", 16); b.Commands < inOne || b.From < inOne {
		t.Errorf("a partition's bounds are %+v, and a storm brings %d to one", b, inOne)
	}
}

// TestAnIncidentSaysWhatIsToBeKnown: in its sentence and its figures, and what waits for it names it.
func TestAnIncidentSaysWhatIsToBeKnown(t *testing.T) {
	p, _ := decided(t, guarded(t, "{commands_per_minute: 1, sla: 5m}"), "0 sale 1 sku=a\n0 sale 1 sku=b")
	var incident, waits *inventory.Exception
	for _, o := range p.said {
		switch x := o.Exception; {
		case x != nil && x.Class == inventory.GuardBreach:
			incident = x
		case x != nil && x.SKU == "b":
			waits = x
		}
	}
	sameText(t, "reason", incident.Reason, "Acting on web has stopped in partition 0: 1 holds and throttles within a minute are as many as its guard allows.")
	if incident.SLADue != hourOf(0)+5*inventory.Minute || incident.Evidence["commands"] != int64(1) || incident.Evidence["commands_bound"] != int64(1) {
		t.Errorf("the incident is %+v", incident)
	}
	if waits.Evidence["guard"] != incident.ID || !strings.Contains(waits.History[0].Note, incident.ID) {
		t.Errorf("what waits does not name %s: %+v", incident.ID, waits)
	}
}
