package engine_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// tableLog reads a log from a table, a line a delta or a series of them:
//
//	hour kind [quantity] [sku=] [at=] [channel=] [ref=] [reason=] [source=] [due=hour]
//	from..to/step kind …                        every step hours, to excluded
//
// Hours are event time since gen.Start, which is the start of a week. The SKU is "tea", the
// location "leeds", the channel "web", the source "pos", unless said.
func tableLog(t *testing.T, table string) []inventory.Delta {
	t.Helper()
	var log []inventory.Delta
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		from, to, step := span(t, words[0])
		for at := from; at < to; at += step {
			log = append(log, tableDelta(t, at, words[1:]))
		}
	}
	log = gen.InOrder(log)
	for i := range log {
		log[i].ID = fmt.Sprintf("d%06d", i)
	}
	return log
}

func span(t *testing.T, hours string) (from, to, step float64) {
	t.Helper()
	first, rest, series := strings.Cut(hours, "..")
	from = float(t, first)
	if !series {
		return from, from + 1, 1
	}
	last, every, _ := strings.Cut(rest, "/")
	return from, float(t, last), float(t, every)
}

func float(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tableDelta(t *testing.T, hour float64, words []string) inventory.Delta {
	t.Helper()
	d := inventory.Delta{Source: "pos", Kind: inventory.ParseKind(words[0]), Time: hourOf(hour)}
	for _, word := range words[1:] {
		name, value, named := strings.Cut(word, "=")
		switch {
		case !named:
			d.Quantity = int64(float(t, word))
		case name == "sku":
			d.SKU = value
		case name == "at":
			d.Location = value
		case name == "channel":
			d.Channel = value
		case name == "ref":
			d.Ref = value
		case name == "reason":
			d.Reason = value
		case name == "due":
			d.Due = hourOf(float(t, value))
		case name == "source":
			d.Source = value
		default:
			t.Fatalf("no field %q", word)
		}
	}
	if d.Kind == inventory.Tick {
		return d
	}
	if d.SKU == "" {
		d.SKU = "tea"
	}
	if d.Location == "" {
		d.Location = "leeds"
	}
	if d.Channel == "" {
		d.Channel = "web"
	}
	return d
}

func hourOf(hour float64) inventory.Millis {
	return gen.Start + inventory.Millis(math.Round(hour*float64(inventory.Hour)))
}

// tell takes a table through a partition in one batch, and through another that is
// committed, lost and opened again after every delta from an hour on; they must come to the same.
func tell(t *testing.T, table string, reopenFrom float64) *partition {
	t.Helper()
	return tellUnder(t, engine.Config{}, table, reopenFrom)
}

// tellUnder is tell for partitions of a configuration.
func tellUnder(t *testing.T, config engine.Config, table string, reopenFrom float64) *partition {
	t.Helper()
	once, often := open(t, partition{config: config}), open(t, partition{config: config})
	for i, d := range tableLog(t, table) {
		if got := outcome(once.take(t, gen.Message{d})[0]); got != "applied" {
			t.Fatalf("delta %d, a %s of hour %d: %s", i, d.Kind, hourAt(d.Time), got)
		}
		often.take(t, gen.Message{d})
		if d.Time >= hourOf(reopenFrom) {
			often.commit(t)
			often = open(t, *often)
		}
	}
	once.commit(t)
	often.commit(t)
	same(t, often, once)
	return once
}

// told returns what was said about a SKU, a line each: "when open class", "when resolve class", "when
// hold channel@location for class", "when release channel@location to sellable for class".
// Renewals are left out.
func told(p *partition, sku string) string {
	var lines []string
	held := map[string]bool{}
	for _, o := range p.said {
		switch {
		case o.Exception != nil && o.Exception.SKU == sku:
			what := "open"
			if o.Exception.Status == inventory.Resolved {
				what = "resolve"
			}
			lines = append(lines, fmt.Sprintf("%s %s %s", when(o.Exception.UpdatedAt), what, o.Exception.Class))
		case o.Command != nil && o.Command.SKU == sku:
			c := o.Command
			hold := c.Action == inventory.Hold
			if hold && held[c.Channel+c.Location] {
				continue
			}
			held[c.Channel+c.Location] = hold
			line := fmt.Sprintf("%s %s %s@%s", when(c.EventTime), c.Action, c.Channel, c.Location)
			if !hold {
				line += fmt.Sprintf(" to %d", c.Sellable)
			}
			line += " for " + string(c.Class)
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func hourAt(m inventory.Millis) int64 { return int64((m - gen.Start) / inventory.Hour) }

// when is the hour of a delta; for what happened between deltas, whose times are tenths of hours, it
// is "silence". So a table does not depend on how a detector is tuned.
func when(m inventory.Millis) string {
	tenth := inventory.Hour / 10
	if (m-gen.Start)%tenth != 0 {
		return "silence"
	}
	return fmt.Sprintf("%g", float64((m-gen.Start)/tenth)/10)
}

// wantTold compares what a table has the partition say about tea.
func wantTold(t *testing.T, table string, reopenFrom float64, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	sameText(t, "what is said about tea", told(tell(t, table, reopenFrom), "tea"), strings.Join(lines, "\n"))
}

// edges returns which exceptions opened and ended, a line each, with the hour.
func edges(p *partition) (lines []string) {
	for _, o := range p.said {
		x := o.Exception
		if x == nil {
			continue
		}
		what := ""
		switch {
		case len(x.History) == 1:
			what = "opens"
		case x.Status == inventory.Resolved:
			what = "ends"
		default:
			continue
		}
		lines = append(lines, fmt.Sprintf("%g %s@%s %s", math.Round(float64(x.UpdatedAt-gen.Start)/float64(inventory.Hour)*100)/100, x.Class, x.Location, what))
	}
	return lines
}
