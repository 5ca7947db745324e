package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/internal/golden"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTheDocumentsExamples: what docs/detectors.md shows of each class is what comes out, all detectors being at work.
func TestTheDocumentsExamples(t *testing.T) {
	text, err := os.ReadFile("../docs/detectors.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for class, body := range sections(string(text)) {
		deltas, rest, ok := fenced(body, "json")
		if !ok {
			continue
		}
		shown = append(shown, class)
		t.Run(class, func(t *testing.T) {
			p := open(t, partition{})
			p.applyLines(t, deltas)
			got := strings.Join(exceptionLines(p), "\n") + "\n"
			want, _, ok := fenced(rest, "text")
			if !ok {
				t.Fatal("the example says no outcome")
			}
			if golden.Updating() {
				text = bytes.Replace(text, []byte(deltas+"```\n```text\n"+want), []byte(deltas+"```\n```text\n"+got), 1)
				return
			}
			sameText(t, "exceptions", got, want)
		})
	}
	if golden.Updating() {
		if err := os.WriteFile("../docs/detectors.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, class := range inventory.Classes() {
		if !slices.Contains(shown, string(class)) && detects(class) {
			t.Errorf("docs/detectors.md has no example of %s", class)
		}
	}
}

// sections are those of a document, by their headings.
func sections(text string) iter.Seq2[string, string] {
	return func(yield func(heading, body string) bool) {
		for _, section := range strings.Split(text, "\n## ")[1:] {
			if heading, body, _ := strings.Cut(section, "\n"); !yield(strings.Trim(heading, "`"), body) {
				return
			}
		}
	}
}

// applyLines applies the deltas of an example, all of which are good.
func (p *partition) applyLines(t *testing.T, deltas string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(deltas), "\n") {
		for _, payload := range unrolled(t, line) {
			p.messages++
			for _, r := range p.apply(t, []byte(payload)) {
				if got := outcome(r); got != "applied" {
					t.Fatalf("%s: %s, %v", payload, got, r.Invalid)
				}
			}
		}
	}
}

func detects(class inventory.Class) bool {
	all := append(detectors.Table(), detectors.PlaceTable()...)
	return slices.ContainsFunc(all, func(d detectors.Detector) bool { return d.Class == class })
}

// fenced returns the first fenced block of a language, and what follows it.
func fenced(text, language string) (block, rest string, ok bool) {
	_, after, ok := strings.Cut(text, "```"+language+"\n")
	if !ok {
		return "", text, false
	}
	block, rest, ok = strings.Cut(after, "```")
	return block, rest, ok
}

// exceptionLines are the exceptions that opened, changed and ended, with what they say.
func exceptionLines(p *partition) (lines []string) {
	stands := map[string]bool{}
	for _, o := range p.said {
		x := o.Exception
		if x == nil {
			continue
		}
		what := "opens"
		switch {
		case x.Status == inventory.Resolved:
			what = "ends"
		case stands[x.ID]:
			what = "changes"
		}
		stands[x.ID] = true
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", x.UpdatedAt.Time().Format("Jan 2 15:04"), x.Class, what, x.Reason))
	}
	return lines
}

// unrolled returns the delta of a line; where it has "repeat", which is no field of a delta, so many of them, as far apart as "every" says.
func unrolled(t *testing.T, line string) (payloads []string) {
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	times, _ := fields["repeat"].(float64)
	every, _ := fields["every"].(string)
	if times == 0 {
		return []string{line}
	}
	step, err := time.ParseDuration(every)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	at, err := time.Parse(time.RFC3339, fields["time"].(string))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	delete(fields, "repeat")
	delete(fields, "every")
	id, ref := fields["id"], fields["ref"]
	for i := range int(times) {
		fields["id"] = fmt.Sprintf("%v-%d", id, i)
		if ref != nil {
			fields["ref"] = fmt.Sprintf("%v-%d", ref, i)
		}
		fields["time"] = at.Add(time.Duration(i) * step).Format(time.RFC3339Nano)
		one, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, string(one))
	}
	return payloads
}
