package policy

import (
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

func TestGuardsAreReadAndDivided(t *testing.T) {
	p, err := Parse("name: p\nclasses: {}\nguards: {commands_per_minute: 100, held_share: 0.2, sla: 1h, channels: {ebay: {commands_per_minute: 7, held_from: 33}}}")
	if err != nil {
		t.Fatal(err)
	}
	g := p.Guards()
	if g.SLA != inventory.Hour || g.Owner == "" {
		t.Errorf("guards are %+v", g)
	}
	for _, c := range []struct {
		channel    string
		partitions int
		want       Guard
	}{
		{"web", 0, Guard{100, 0.2, usualFrom}},
		{"web", 16, Guard{7, 0.2, usualFrom / 16}},
		{"ebay", 16, Guard{1, 0.2, 3}},
	} {
		if got := g.Of(c.channel, c.partitions); got != c.want {
			t.Errorf("%s in one of %d partitions: %+v, want %+v", c.channel, c.partitions, got, c.want)
		}
	}
}

// TestWhoSaysNothingOfGuardsHasTheUsualOnes: none at all are said so.
func TestWhoSaysNothingOfGuardsHasTheUsualOnes(t *testing.T) {
	for text, want := range map[string]Guard{
		"name: p\nclasses: {}":               {usualCommands, usualShare, usualFrom},
		"name: p\nclasses: {}\nguards: {}":   {usualCommands, usualShare, usualFrom},
		"name: p\nclasses: {}\nguards: none": {},
		defaultText:                          {usualCommands, usualShare, usualFrom},
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if g := p.Guards(); g.Of("web", 1) != want {
			t.Errorf("%.60q: %+v, want %+v", text, g.Of("web", 1), want)
		}
	}
}

func TestMistakesInGuardsAreSaid(t *testing.T) {
	for guards, says := range map[string]string{
		"some":                       "guards (none, for no bounds) is a mapping",
		"{commands: 3}":              `has no field "commands"; there are channels, commands_per_minute, held_from, held_share, owner, sla`,
		"{commands_per_minute: 0}":   `commands_per_minute "0": it is a whole number from 1 to`,
		"{commands_per_minute: 1.5}": "whole number",
		"{held_share: 0}":            "held_share is above 0",
		"{held_share: 2}":            "from 0 to 1",
		"{sla: 1}":                   "sla",
		"{channels: {ebay: 3}}":      "a channel's guard is a mapping",
		"{channels: {'': {}}}":       "a channel is a name",
	} {
		if _, err := Parse("name: p\nclasses: {}\nguards: " + guards); err == nil || !strings.Contains(err.Error(), "line 3: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", guards, err, says)
		}
	}
}
