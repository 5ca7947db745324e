package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/stream"
)

// tallySummary is a tally as it is printed.
type tallySummary struct {
	Read       uint64                       `json:"read"`
	Applied    map[string]uint64            `json:"applied"` // by kind
	Duplicates uint64                       `json:"duplicates"`
	Rejected   map[string]uint64            `json:"rejected"`   // by reason
	Exceptions map[string]map[string]uint64 `json:"exceptions"` // by class: open, change, resolve
	Commands   map[string]map[string]uint64 `json:"commands"`   // by class: hold, throttle, release
}

func newTallySummary(t *stream.Tally) tallySummary {
	s := tallySummary{
		Read:       t.Read,
		Applied:    map[string]uint64{},
		Duplicates: t.Duplicates,
		Rejected:   map[string]uint64{},
		Exceptions: map[string]map[string]uint64{},
		Commands:   map[string]map[string]uint64{},
	}
	for kind, n := range t.Applied {
		s.Applied[kind.String()] = n
	}
	for kind, n := range t.Controls {
		s.Applied[string(kind)] = n
	}
	for reason, n := range t.Rejected {
		s.Rejected[string(reason)] = n
	}
	for k, n := range t.Decisions {
		switch k.Decision {
		case "open", "change", "resolve":
			addTo(s.Exceptions, string(k.Class), k.Decision, n)
		}
	}
	for k, n := range t.Commands {
		addTo(s.Commands, string(k.Class), string(k.Action), n)
	}
	return s
}

func addTo(counts map[string]map[string]uint64, class, what string, n uint64) {
	if counts[class] == nil {
		counts[class] = map[string]uint64{}
	}
	counts[class][what] += n
}

func (s *tallySummary) print(t *terminal) {
	t.say("read       %d = %d applied + %d duplicates + %d rejected", s.Read, sum(s.Applied), s.Duplicates, sum(s.Rejected))
	t.say("  applied  %s", list(s.Applied))
	if len(s.Rejected) > 0 {
		t.say("  rejected %s (each stands in the rejected stream with its reason)", list(s.Rejected))
	}
	printByClass(t, "exceptions", s.Exceptions)
	printByClass(t, "commands  ", s.Commands)
}

func printByClass(t *terminal, title string, counts map[string]map[string]uint64) {
	if len(counts) == 0 {
		t.say("%s none", title)
	}
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		t.say("%s %s: %s", title, class, list(counts[class]))
		title = strings.Repeat(" ", len(title))
	}
}

type number interface{ ~int | ~uint64 }

func sum[N number](counts map[string]N) (total N) {
	for _, n := range counts {
		total += n
	}
	return total
}

// list writes counts, the greatest first.
func list[N number](counts map[string]N) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			if counts[a] > counts[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, 0, len(names))
	for _, name := range names {
		if counts[name] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
