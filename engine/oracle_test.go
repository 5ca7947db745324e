package engine_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// drawnConfig draws how late deltas may be; a quarter of a minute lets panes of seconds meet, a day
// is what holdfast runs with.
func drawnConfig(t *rapid.T) engine.Config {
	lateness := rapid.SampledFrom([]inventory.Millis{inventory.Minute, inventory.Hour, inventory.Day}).Draw(t, "lateness")
	return engine.Config{
		Lateness:       lateness,
		WindowLateness: lateness / rapid.SampledFrom([]inventory.Millis{1, 12, 300}).Draw(t, "of it for windows"),
	}
}

// limited draws limits that the log of a test meets.
func limited(t *rapid.T, c engine.Config) engine.Config {
	c.AheadMax = c.Lateness / rapid.SampledFrom([]inventory.Millis{1, 12, 300}).Draw(t, "of it ahead")
	c.ChannelsMax = rapid.IntRange(1, 4).Draw(t, "channels at most")
	return c
}

func oracleConfig(c engine.Config) oracle.Config {
	return oracle.Config{
		Lateness: c.Lateness, WindowLateness: c.WindowLateness, AheadMax: c.AheadMax, ChannelsMax: c.ChannelsMax,
	}
}

// governed draws a policy under which an oversell, and the risk of one, awaits a person's approval now and then, and guards that the log of a
// test meets. Channels are throttled at drawn risks, with drawn patience.
func governed(t *rapid.T, c engine.Config) (engine.Config, oracle.Config) {
	autonomy := rapid.SampledFrom([]string{"recommend", "auto", "auto"})
	risk := oracle.Risk{
		Raise:     rapid.SampledFrom([]float64{0.001, 0.01, 0.2}).Draw(t, "risk"),
		Step:      rapid.SampledFrom([]float64{0.01, 0.2, 1}).Draw(t, "step"),
		Dwell:     inventory.Second * rapid.SampledFrom([]inventory.Millis{1, 60, 300}).Draw(t, "calm"),
		LagMean:   inventory.Second * rapid.SampledFrom([]inventory.Millis{1, 60, 600}).Draw(t, "lag"),
		LagWeight: 3,
	}
	risk.Clear = risk.Raise / 4
	text := fmt.Sprintf("name: p\nclasses:\n  oversell: {autonomy: %s}\n  oversell_risk: {autonomy: %s, raise: %g, clear: %g, thresholds: {step: %g, calm: %ds, lag: %ds}}\n",
		autonomy.Draw(t, "autonomy"), autonomy.Draw(t, "autonomy at risk"), risk.Raise, risk.Clear, risk.Step, risk.Dwell/inventory.Second, risk.LagMean/inventory.Second)
	if rapid.Bool().Draw(t, "guarded") {
		text += fmt.Sprintf("guards: {commands_per_minute: %d, held_share: %g, held_from: %d}",
			rapid.IntRange(1, 6).Draw(t, "commands a minute"), rapid.SampledFrom([]float64{0.1, 0.3, 0.5, 1}).Draw(t, "share"), rapid.IntRange(0, 3).Draw(t, "held from"))
	}
	p, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	c.Policy = p
	of := oracleConfig(c)
	of.Asks = p.Rule(inventory.Oversell).Autonomy == policy.Recommend
	risk.Asks = p.Rule(inventory.OversellRisk).Autonomy == policy.Recommend
	of.Risk = &risk
	guards := p.Guards()
	b := guards.Of("any", max(c.Partitions, 1))
	of.Guard = oracle.Guard{Commands: b.Commands, Share: b.Share, From: b.From}
	return c, of
}

// logTime draws when the log takes d in, where the one before came at a time: then or later, with d as far
// ahead of it as it may be, nearly so, a little more, or by any clock that is wrong.
func logTime(t *rapid.T, before inventory.Millis, d *inventory.Delta, aheadMax inventory.Millis) inventory.Millis {
	ahead := rapid.SampledFrom([]inventory.Millis{0, 0, 0, aheadMax - 1, aheadMax, aheadMax + 1, 100 * inventory.Day}).Draw(t, "ahead")
	return max(before, d.Time-ahead)
}

// TestEngineEqualsModel: whatever is thrown at it and whatever people decide, the engine says of each delta, of stock,
// windows, exceptions and holds what the naive model says.
func TestEngineEqualsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config, ofModel := governed(t, limited(t, drawnConfig(t)))
		log := gen.Log(gen.Shape{DeltasMax: 60, Lateness: config.Lateness}).Draw(t, "log")
		p := open(t, partition{config: config, only: inventory.Oversell})
		ofModel.Risk = nil
		equalsDirecting(t, p, oracle.NewOversell(ofModel), log)
	})
}

// TestEngineEqualsModelOfRisk: likewise where channels are throttled as well as held.
func TestEngineEqualsModelOfRisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config, ofModel := governed(t, limited(t, drawnConfig(t)))
		log := gen.Log(gen.Shape{DeltasMax: 60, Lateness: config.Lateness, Of: inventory.OversellRisk}).Draw(t, "log")
		p := open(t, partition{config: config, only: inventory.Oversell, also: inventory.OversellRisk})
		equalsDirecting(t, p, oracle.NewOversell(ofModel), log)
	})
}

// equalsDirecting holds what a partition says of each delta of a log against the model.
func equalsDirecting(t *rapid.T, p *partition, model *oracle.Oversell, log []inventory.Delta) {
	config := p.config
	cuts := gen.Cuts(len(log)).Draw(t, "cuts")
	told := directed{open: map[string]oracle.Scope{}, shown: map[string]int64{}, guards: map[string]string{}}
	late := uint64(0) // for the windows
	p.logTime = 1
	for i, d := range log {
		before := len(p.said)
		p.logTime = logTime(t, p.logTime, &d, config.AheadMax)
		got := p.take(t, gen.Message{d})[0]
		outcome, why, directives := model.Apply(d, p.logTime)
		where := fmt.Sprintf("delta %d, a %s %q: ", i, d.Kind, d.ID)
		sameText(t, where+"outcomes", judged(got.Outcome.String(), got.Invalid), judged(outcome.String(), why))
		sameText(t, where+"watermarks", p.engine.Watermark().String(), model.Watermark().String())
		if outcome == oracle.Applied && counts(d.Kind) && d.Time < model.Watermark()-config.WindowLateness {
			late++
		}
		sameText(t, where+"directives", told.hear(t, p.said[before:]), directiveLines(directives))
		sameText(t, where+"open exceptions", told.openLines(), scopeLines(model.Open()))
		sameText(t, where+"channels stopped", told.stopped(), fmt.Sprintf("%q", model.Stopped()))
		if rapid.IntRange(0, 3).Draw(t, "a person decides") == 0 {
			told.decides(t, p, model, where)
		}
		if cuts[i] {
			p.commit(t)
			equalStock(t, where, p, model)
			equalWindows(t, where, p, model)
			standing(t, p, told)
		}
	}
	counted(t, p.engine.Counters(), p.results)
	if got := p.engine.Counters().WindowLate; got != late {
		t.Fatalf("%d deltas are said to be too late for windows, want %d", got, late)
	}
}

// counts reports whether a kind counts in any window.
func counts(k inventory.Kind) bool {
	return k == inventory.Sale || k == inventory.Reserve || k == inventory.Release ||
		k == inventory.Return || k == inventory.Adjust || k == inventory.PickFailed
}

// TestEngineEqualsModelOnAHotKey: a key with so many movements that its journal leaves the record
// page by page. Its stock alone is compared, and no detector looks: the model is slow.
func TestEngineEqualsModelOnAHotKey(t *testing.T) {
	quiet := []inventory.Kind{
		inventory.Snapshot, inventory.PickFailed, inventory.Substitute,
		inventory.Promo, inventory.Task, inventory.TaskDone, inventory.Capacity,
	}
	rapid.Check(t, func(t *rapid.T) {
		config := limited(t, drawnConfig(t))
		log := gen.Log(gen.Shape{DeltasMax: 500, Lateness: config.Lateness, Hot: true, Without: quiet}).Draw(t, "log")
		every := rapid.IntRange(1, 100).Draw(t, "deltas a batch")
		p := open(t, partition{config: config, only: "none"})
		model := oracle.New(oracleConfig(config))
		p.logTime = 1
		for i, d := range log {
			p.logTime = logTime(t, p.logTime, &d, config.AheadMax)
			got := p.take(t, gen.Message{d})[0]
			outcome, why := model.Apply(d, p.logTime)
			where := fmt.Sprintf("delta %d, a %s %q: ", i, d.Kind, d.ID)
			sameText(t, where+"outcomes", judged(got.Outcome.String(), got.Invalid), judged(outcome.String(), why))
			if i%every == 0 {
				p.commit(t)
			}
			if i%50 == 0 {
				p.commit(t)
				equalStock(t, where, p, model)
			}
		}
		p.commit(t)
		equalStock(t, "at last: ", p, model)
		equalWindows(t, "at last: ", p, model)
	})
}

// model is what [oracle.Model] and [oracle.Oversell] have in common.
type model interface {
	Keys() []inventory.Key
	Watermark() inventory.Millis
	Availability(sku, location string) inventory.Availability
	Network(sku string) inventory.SKUAvailability
	Window(sku, location string, s oracle.Series, size inventory.Millis) map[inventory.Millis]oracle.Total
}

func judged(outcome string, why *inventory.Invalid) string {
	if why == nil {
		return outcome
	}
	return outcome + " as " + string(why.Reason)
}

// equalStock compares every figure of every SKU, and of every key by itself.
func equalStock(t fataler, where string, p *partition, model model) {
	for _, key := range model.Keys() {
		got, ok, err := engine.ReadKey(p.store, key.SKU, key.Location)
		if err != nil || !ok {
			t.Fatalf("%s%v: found %v, %v", where, key, ok, err)
		}
		sameText(t, where+"figures of a key", pretty(t, got), pretty(t, model.Availability(key.SKU, key.Location)))
		all, ok, err := engine.ReadSKU(p.store, key.SKU)
		if err != nil || !ok {
			t.Fatalf("%s%v: found %v, %v", where, key, ok, err)
		}
		want := model.Network(key.SKU)
		want.Position = all.Position // the caller's to fill in
		if want.Channels == nil {
			want.Channels = []inventory.NetworkChannel{}
		}
		sameText(t, where+"figures of a SKU", pretty(t, all), pretty(t, want))
	}
	if _, ok, err := engine.ReadKey(p.store, "never", "named"); ok || err != nil {
		t.Fatalf("%sa key that no delta named: found %v, %v", where, ok, err)
	}
}

func pretty(t fataler, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatalf("%+v: %v", v, err)
	}
	return string(text)
}

var seriesOf = map[oracle.Series]window.Series{
	oracle.Demand: window.Demand, oracle.Sales: window.Sales, oracle.Cancels: window.Cancels,
	oracle.Returns: window.Returns, oracle.Adjustments: window.Adjustments, oracle.PickFailures: window.PickFailures,
}

// equalWindows compares, for every series and tier, the sums over the newest pane, some and all.
func equalWindows(t *rapid.T, where string, p *partition, model model) {
	for _, key := range model.Keys() {
		windows, err := engine.ReadWindows(p.store, key.SKU, key.Location)
		if err != nil {
			t.Fatalf("%s%v: %v", where, key, err)
		}
		for _, tier := range []window.Tier{window.Seconds, window.Minutes, window.Hours, window.Days} {
			newest := model.Watermark() / tier.Size()
			for _, series := range oracle.AllSeries() {
				panes := model.Window(key.SKU, key.Location, series, tier.Size())
				for _, n := range []int64{1, 2, tier.Panes() / 2, tier.Panes()} {
					want := oracle.Total{}
					for i, pane := range panes {
						if i > newest-inventory.Millis(n) {
							want.Count += pane.Count
							want.Sum += pane.Sum
						}
					}
					if got := windows.Sum(tier, seriesOf[series], n, model.Watermark()); oracle.Total(got) != want {
						t.Fatalf("%s%v: series %d over %d panes of %v: %+v, want %+v", where, key, series, n, tier.Size(), got, want)
					}
				}
			}
		}
	}
}

// directed is what a subscriber knows that has heard everything.
type directed struct {
	open  map[string]oracle.Scope // by exception id
	shown map[string]int64        // at most, by whom is held or throttled

	guards map[string]string // channels that are stopped, by the id of the incident

	known     []string // exception ids, those that ended among them
	decisions int
}

// decides lets a person decide something about some exception, which may have ended or never been, and holds what
// follows against the model.
func (told *directed) decides(t *rapid.T, p *partition, model *oracle.Oversell, where string) {
	id := rapid.SampledFrom(append([]string{"x0-0-0-0"}, told.known...)).Draw(t, "exception")
	if len(told.open) > 0 && rapid.IntRange(0, 3).Draw(t, "one that stands") > 0 {
		id = rapid.SampledFrom(slices.Sorted(maps.Keys(told.open))).Draw(t, "standing")
	}
	if len(told.guards) > 0 && rapid.IntRange(0, 3).Draw(t, "a guard's") == 0 {
		id = rapid.SampledFrom(slices.Sorted(maps.Keys(told.guards))).Draw(t, "incident")
	}
	told.decisions++
	m := control.Message{
		ID: fmt.Sprint(rapid.IntRange(max(1, told.decisions-1), told.decisions).Draw(t, "decision")), By: "kim",
		Decision: control.Decision{Exception: id, Action: rapid.SampledFrom(control.Actions()).Draw(t, "action"), Owner: "lee"},
	}
	before := len(p.said)
	result := p.control(t, m)
	outcome, directives := model.Decide(oracle.Decision{
		ID: m.ID, Scope: told.open[id], Guard: told.guards[id],
		Acts: m.Decision.Action == control.Approve, Ends: m.Decision.Action == control.Reject || m.Decision.Action == control.Resolve,
	})
	where += fmt.Sprintf("%s of %s: ", m.Decision.Action, id)
	sameText(t, where+"outcomes", result.Outcome.String(), outcome.String())
	sameText(t, where+"directives", told.hear(t, p.said[before:]), directiveLines(directives))
	sameText(t, where+"open exceptions", told.openLines(), scopeLines(model.Open()))
	sameText(t, where+"channels stopped", told.stopped(), fmt.Sprintf("%q", model.Stopped()))
	sameText(t, where+"watermarks", p.engine.Watermark().String(), model.Watermark().String())
}

// hear takes in outputs and returns the holds, throttles and releases among them, renewals left out: a renewal
// says again what stands.
func (told *directed) hear(t fataler, outputs []engine.Output) string {
	var heard []oracle.Directive
	for _, o := range outputs {
		switch {
		case o.Exception != nil:
			x := o.Exception
			if x.Class == inventory.GuardBreach {
				told.hearGuard(x)
				continue
			}
			scope := oracle.Scope{SKU: x.SKU, Location: x.Location}
			if _, shared := x.Evidence["channel_atp"]; shared {
				scope.Channel = x.Channels[0]
			}
			scope.Risk = x.Class == inventory.OversellRisk
			if _, known := told.open[x.ID]; !known {
				told.known = append(told.known, x.ID)
			}
			if over(x) {
				if told.open[x.ID] != scope {
					t.Fatalf("%s resolves %+v, which it did not open", x.ID, scope)
				}
				delete(told.open, x.ID)
			} else {
				told.open[x.ID] = scope
			}
		case o.Command != nil:
			c := o.Command
			place := fmt.Sprintf("%q@%q of %q", c.Channel, c.Location, c.SKU)
			most, bound := told.shown[place]
			if c.Action == inventory.Unhold {
				delete(told.shown, place)
			} else if told.shown[place] = c.Sellable; bound && most == c.Sellable {
				continue
			}
			heard = append(heard, oracle.Directive{At: c.EventTime, Action: c.Action, Channel: c.Channel, SKU: c.SKU, Location: c.Location, Sellable: c.Sellable})
		}
	}
	return directiveLines(heard)
}

// hearGuard takes in an incident of a guard.
func (told *directed) hearGuard(x *inventory.Exception) {
	if told.guards[x.ID] == "" {
		told.known = append(told.known, x.ID)
	}
	told.guards[x.ID] = x.Channels[0]
	if over(x) {
		delete(told.guards, x.ID)
	}
}

func (told *directed) stopped() string {
	return fmt.Sprintf("%q", slices.Sorted(maps.Values(told.guards)))
}

func over(x *inventory.Exception) bool {
	return x.Status == inventory.Resolved || x.Status == inventory.Dismissed
}

func (told *directed) openLines() string {
	var scopes []oracle.Scope
	for _, s := range told.open {
		scopes = append(scopes, s)
	}
	return scopeLines(scopes)
}

func directiveLines(directives []oracle.Directive) string {
	var lines []string
	for _, d := range directives {
		lines = append(lines, fmt.Sprintf("%v %s %q@%q of %q to %d", d.At, d.Action, d.Channel, d.Location, d.SKU, d.Sellable))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func scopeLines(scopes []oracle.Scope) string {
	var lines []string
	for _, s := range scopes {
		lines = append(lines, fmt.Sprintf("%q@%q of %q, risk %v", s.Channel, s.Location, s.SKU, s.Risk))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// standing holds what the partition says stands against what a subscriber heard, and against its
// list of exceptions: those that stand first, the worst of them first.
func standing(t *rapid.T, p *partition, told directed) {
	held, throttled := int64(0), int64(0)
	for _, most := range told.shown {
		if most == 0 {
			held++
		} else {
			throttled++
		}
	}
	got := p.engine.Standing()
	if got.Held != held || got.Throttled != throttled || got.Exceptions != int64(len(told.open)+len(told.guards)) {
		t.Fatalf("standing is %+v, want %d held, %d throttled and %d exceptions", got, held, throttled, len(told.open))
	}
	exposure, stand := int64(0), 0
	var before *inventory.Exception
	err := engine.ReadExceptions(p.store, "", func(_ engine.Rank, x *inventory.Exception) bool {
		if !over(x) {
			exposure += x.Exposure
			stand++
		}
		if before != nil && over(before) == over(x) && before.Exposure < x.Exposure {
			t.Fatalf("%s with %d at risk is listed before %s with %d", before.ID, before.Exposure, x.ID, x.Exposure)
		}
		if before != nil && over(before) && !over(x) {
			t.Fatalf("%s, which ended, is listed before %s, which stands", before.ID, x.ID)
		}
		before = x
		return true
	})
	if err != nil {
		t.Fatalf("list the exceptions: %v", err)
	}
	if got.Exposure != exposure || got.Exceptions != int64(stand) {
		t.Fatalf("standing is %+v, but the list has %d exceptions with %d at risk", got, stand, exposure)
	}
}
