package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
)

type explainCmd struct {
	callFlags
	ID string `arg:"" help:"The id of a command or of an exception."`
}

func (c *explainCmd) Run(t *terminal) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := api.getJSON(t.ctx, "/v1/explain/"+url.PathEscape(c.ID), &raw); err != nil {
		return err
	}
	if t.json {
		return t.print(raw, "")
	}
	var e inventory.Explanation
	if err := json.Unmarshal(raw, &e); err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	explain(w, &e)
	return w.Flush()
}

// explain writes an explanation for people: what was decided, why, on what, and how it stands.
func explain(w io.Writer, e *inventory.Explanation) {
	line := func(what, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", what, fmt.Sprintf(format, args...)) }
	if c := e.Command; c != nil {
		line("command", "%s %s @ %s on %s → show %d, revision %d (%s)", c.Action, safe(c.SKU), safe(everywhere(c.Location)), safe(c.Channel), c.Sellable, c.Revision, c.ID)
		line("", "from %s until %s unless renewed", c.EventTime, c.ExpiresAt)
		line("because", "%s", safe(c.Reason))
	}
	if d := e.Decision; d != nil {
		line("decision", "%s %s of %s @ %s at %s", d.Decision, d.Class, safe(d.SKU), safe(everywhere(d.Location)), d.EventTime)
		if e.Command == nil {
			line("because", "%s", safe(d.Reason))
		}
		if d.By != "" {
			line("by", "%s: %s", safe(d.By), safe(orNone(d.Note)))
		}
		if d.Refused != "" {
			line("refused", "%s", safe(d.Refused))
		}
	}
	explainTipped(line, &e.Tipped)
	if d := e.Decision; d != nil {
		line("rule", "%s", d.Rule)
		line("policy", "%s%s", d.Policy, onWord(e.Command))
		line("figures", "%s", figuresLine(d.Inputs))
		if d.Before != nil && d.After != nil {
			explainFigures(w, d.Before, d.After)
		}
	} else {
		line("decision", "the audit trail does not hold it any more")
	}
	if x := e.Exception; x != nil {
		line("now", "%s is %s, owner %s, %s at risk", x.ID, x.Status, safe(x.Owner), money(x.Exposure))
	}
}

func onWord(c *inventory.Command) string {
	switch {
	case c == nil:
		return ""
	case c.ApprovedBy != "":
		return fmt.Sprintf(", %s by %s", c.Autonomy, safe(c.ApprovedBy))
	}
	return ", " + string(c.Autonomy)
}

func everywhere(location string) string {
	if location == inventory.Network {
		return "all locations"
	}
	return location
}

// explainTipped says what tipped a decision.
func explainTipped(line func(what, format string, args ...any), t *inventory.Tipped) {
	at := fmt.Sprintf("delta %d of message %d of partition %d", t.Index, t.Sequence, t.Partition)
	switch {
	case t.Gone != "":
		line("tipped by", "%s; %s", at, t.Gone)
	case t.Message != nil:
		m, bad := control.Parse(t.Message)
		if bad != nil {
			line("tipped by", "message %d of partition %d: %v", t.Sequence, t.Partition, bad)
			return
		}
		line("tipped by", "what %s decided, message %d of partition %d, stored %s", safe(m.By), t.Sequence, t.Partition, t.StoredAt)
	default:
		var b codec.Batch
		b.Decode(t.Delta)
		d := &b.Deltas[0]
		line("tipped by", "%s", safe(deltaLine(d)))
		line("", "%s, stored %s", at, t.StoredAt)
	}
}

// deltaLine is a delta in a line.
func deltaLine(d *inventory.Delta) string {
	if d.Kind == inventory.Tick {
		return fmt.Sprintf("a tick of %s, which moved event time on to %s", d.Source, d.Time)
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s of %d %s @ %s", d.Kind, d.Quantity, d.SKU, d.Location)
	for _, field := range []struct{ before, value string }{{" on ", d.Channel}, {" for ", d.Ref}, {", ", d.Reason}, {" with ", d.Counterparty}} {
		if field.value != "" {
			s.WriteString(field.before + field.value)
		}
	}
	fmt.Fprintf(&s, ", %s, said by %s (%s)", d.Time, d.Source, d.ID)
	return s.String()
}

// figuresLine writes evidence in the order of its names.
func figuresLine(inputs map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		parts = append(parts, fmt.Sprintf("%s %v", strings.ReplaceAll(name, "_", " "), inputs[name]))
	}
	if len(parts) == 0 {
		return "none"
	}
	return safe(strings.Join(parts, ", "))
}

// explainFigures writes the state before and after side by side.
func explainFigures(w io.Writer, before, after *inventory.Figures) {
	row := func(what string, a, b any) { fmt.Fprintf(w, "  %s\t%v → %v\n", what, a, b) }
	fmt.Fprintf(w, "state\tbefore → after\n")
	if a, b := before.Stock, after.Stock; a != nil && b != nil {
		row("on hand", a.OnHand, b.OnHand)
		row("unavailable", a.Unavailable, b.Unavailable)
		row("reserved", a.Reserved, b.Reserved)
		row("safety", a.Safety, b.Safety)
		row("ATP", a.ATP, b.ATP)
		row("P(phantom)", a.PhantomProbability, b.PhantomProbability)
	}
	row("network ATP", before.Network.ATP, after.Network.ATP)
	row("open", orNothing(before.Open), orNothing(after.Open))
	row("held", orNothing(before.Held), orNothing(after.Held))
	if len(before.Throttled)+len(after.Throttled) > 0 {
		row("throttled", orNothing(before.Throttled), orNothing(after.Throttled))
	}
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return safe(strings.Join(names, ", "))
}
