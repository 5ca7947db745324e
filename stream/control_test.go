package stream

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// asking is a policy under which an oversell awaits a person's approval.
func asking(c *Config) {
	rule := policy.Default().Rule(inventory.Oversell)
	rule.Autonomy = policy.Recommend
	c.Policy = policy.New("asking", map[inventory.Class]policy.Rule{inventory.Oversell: rule})
}

// TestWhatPeopleDecideGoesThroughTheLog: nothing is held before somebody says yes; then it is on that person's word;
// and what is decided once is not decided twice.
func TestWhatPeopleDecideGoesThroughTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	p := w.startProcessor(asking)
	ctx := testContext(t)
	w.publish(w.topology.DeltaSubject(1), packed(sale("1", w.skuOf(1))))
	must(t, p.Settle(ctx))
	open, _, err := p.Exceptions("", 10, func(*inventory.Exception) bool { return true })
	must(t, err)
	if len(open) != 1 || open[0].Status != inventory.AwaitingApproval || w.size(w.topology.OutputStream(Command)) != 0 {
		t.Fatalf("before anybody decides there are %+v and %d commands", open, w.size(w.topology.OutputStream(Command)))
	}
	decide := func(id string, action control.Action) (inventory.Exception, bool, error) {
		return p.Decide(ctx, &control.Message{ID: id, By: "kim", Decision: control.Decision{Exception: open[0].ID, Action: action, Note: "so be it"}})
	}

	x, done, err := decide("d1", control.Approve)
	must(t, err)
	if last := x.History[len(x.History)-1]; !done || x.Status != inventory.Acting || x.ApprovedBy != "kim" ||
		last.By != "kim" || last.Note != "so be it" || last.Decision != "d1" {
		t.Errorf("approved, it is %+v (%v)", x, done)
	}
	if x, done, err := decide("d2", control.Approve); err != nil || done || x.Status != inventory.Acting {
		t.Errorf("approved again it is %s, done %v, %v", x.Status, done, err)
	}
	if x, done, err := decide("d3", control.Reject); err != nil || !done || x.Status != inventory.Dismissed {
		t.Errorf("rejected it is %s, done %v, %v", x.Status, done, err)
	}
	if _, _, err := p.Decide(ctx, &control.Message{ID: "d4", By: "kim", Decision: control.Decision{Exception: "x9", Action: control.Approve}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an exception that nobody knows: %v", err)
	}

	// What others publish: one that does not fit any more, a repeat, and something that is no message.
	late := `{"id":"d5","kind":"decision","exception":"` + open[0].ID + `","action":"approve","by":"lee"}`
	for _, text := range []string{late, late, `{"id":"d6"}`} {
		w.publish(w.topology.ControlSubject(1), []byte(text))
	}
	must(t, p.Settle(ctx))
	for _, msg := range w.messages(w.topology.OutputStream(Command)) {
		c, err := codec.DecodeCommand(msg.Data)
		must(t, err)
		if c.Autonomy != inventory.Approved || c.ApprovedBy != "kim" {
			t.Errorf("command %s %s is %s by %q", c.ID, c.Action, c.Autonomy, c.ApprovedBy)
		}
	}
	if got := w.size(w.topology.OutputStream(Command)); got != 2 {
		t.Errorf("%d commands, want a hold and a release", got)
	}
	var trail []string
	for _, msg := range w.messages(w.topology.OutputStream(Audit)) {
		var d inventory.Decision
		must(t, json.Unmarshal(msg.Data, &d))
		trail = append(trail, strings.Join([]string{d.Decision, d.By, string(d.Autonomy), d.Refused}, " "))
	}
	if got, want := strings.Join(trail, "; "), "open   ; approve kim approved ; reject kim approved ; approve lee  it is dismissed already"; got != want {
		t.Errorf("the trail is %q, want %q", got, want)
	}
	rejected := w.messages(w.topology.OutputStream(Rejected))
	if len(rejected) != 1 || string(rejected[0].Data) != `{"id":"d6"}` || !strings.Contains(rejected[0].header.Get(HeaderError), "missing_field: by") {
		t.Errorf("rejected is %+v", rejected)
	}
	tally := p.Tally()
	if tally.Read != 6 || tally.AppliedTotal() != 4 || tally.Controls[control.KindDecision] != 3 || tally.Duplicates != 1 || tally.RejectedTotal() != 1 {
		t.Errorf("told is %+v", tally)
	}
	if got := tally.Decisions[DecisionKind{inventory.Oversell, "refused"}]; got != 1 {
		t.Errorf("%d decisions are told to be refused, want 1: %v", got, tally.Decisions)
	}
}

// TestExplain: what is asked for is found with what tipped it and the state around it; where the log let go of that, it says so.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	p := w.startProcessor(asking)
	ctx := testContext(t)
	count := sale("0", "tea")
	count.Kind, count.Quantity, count.Channel = inventory.Count, 1, ""
	w.publish(w.topology.DeltaSubject(0), packed(count, sale("1", "tea"), sale("2", "tea")))
	must(t, p.CatchUp(ctx))
	const id = "x0-1-2-0"
	_, done, err := p.Decide(ctx, &control.Message{ID: "d1", By: "kim", Decision: control.Decision{Exception: id, Action: control.Approve}})
	if err != nil || !done {
		t.Fatal(done, err)
	}

	opened, err := p.Explain(ctx, id)
	must(t, err)
	d := opened.Decision
	if d == nil || d.Decision != "open" || d.Before.Stock.OnHand != 0 || d.After.Stock.ATP != -1 || len(d.Before.Open) != 0 || d.After.Open[0] != id || len(d.After.Held) != 0 {
		t.Fatalf("the opening is explained as %+v", d)
	}
	if !strings.Contains(string(opened.Tipped.Delta), `"id":"2"`) || opened.Exception.Status != inventory.Acting {
		t.Errorf("it was tipped by %s, and is %s", opened.Tipped.Delta, opened.Exception.Status)
	}

	held, err := p.Explain(ctx, "0-2-0-0")
	must(t, err)
	if d := held.Decision; held.Command == nil || held.Command.Action != inventory.Hold || d.Decision != "approve" || d.By != "kim" || len(d.Before.Held) != 0 || d.After.Held[0] != "web" {
		t.Errorf("the hold is explained as %+v, %+v", held.Command, held.Decision)
	}
	if !strings.Contains(string(held.Tipped.Message), `"by":"kim"`) {
		t.Errorf("it was tipped by %s", held.Tipped.Message)
	}
	if again, err := p.Explain(ctx, held.Decision.ID); err != nil || again.Decision.ID != held.Decision.ID {
		t.Errorf("the decision itself: %+v, %v", again, err)
	}
	for _, nobodys := range []string{"", "x", "0-1-2", "0-9-0-0", "7-1-0-0", "0-1-0-0", "x0-1-1-0", "0--1-0-0", "0-1-99999999999-0"} {
		if e, err := p.Explain(ctx, nobodys); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q is explained as %+v, %v", nobodys, e, err)
		}
	}

	log, err := w.js.Stream(ctx, w.topology.DeltaStream(0))
	must(t, err)
	must(t, log.DeleteMsg(ctx, 1))
	if e, err := p.Explain(ctx, id); err != nil || e.Decision == nil || e.Tipped.Delta != nil || !strings.Contains(e.Tipped.Gone, "older than what is kept") {
		t.Errorf("without its delta it is explained as %+v, %v", e, err)
	}
}

// TestALogOfAnEarlierHoldfastTakesDecisionsToo: its stream gets the subject, and keeps what it holds.
func TestALogOfAnEarlierHoldfastTakesDecisionsToo(t *testing.T) {
	t.Parallel()
	w := newServer(t)
	w.topology = Topology{Prefix: "holdfast", Partitions: 1, Replicas: 1}
	ctx := testContext(t)
	config := w.topology.configs()[0]
	config.Subjects = config.Subjects[:1]
	config.Description = "as it was"
	_, err := w.js.CreateStream(ctx, config)
	must(t, err)
	w.publish(w.topology.DeltaSubject(0), packed(sale("1", "tea")))
	for range 2 {
		must(t, w.topology.Ensure(ctx, w.js))
	}
	if got := w.publish(w.topology.ControlSubject(0), []byte("{}")); got != 2 {
		t.Errorf("a decision is stored as message %d, want 2", got)
	}
}
