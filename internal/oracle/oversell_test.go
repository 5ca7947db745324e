package oracle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

func TestOversell(t *testing.T) {
	for _, c := range []struct{ name, story, want string }{
		{"below zero holds every known channel, one unit releases them", `
			1 listing 5 channel=amazon
			2 sale 1 channel=web
			3 receipt 1 ref=po
			4 receipt 1 ref=po`, `
			2 hold amazon@leeds
			2 hold web@leeds
			4 release amazon@leeds to 1
			4 release web@leeds to 1`},
		{"a channel that becomes known while the exception is open is held then", `
			1 sale 1 channel=web
			2 listing 3 channel=amazon`, `
			1 hold web@leeds
			2 hold amazon@leeds`},
		{"a fence breached by others holds the channel that breached it", `
			1 count 10
			2 allocate 8 channel=web
			3 sale 3 channel=amazon
			4 unblock 1
			5 unblock 1`, `
			3 hold amazon@leeds
			5 release amazon@leeds to 1`},
		{"one hold stands for two exceptions until the last of them resolves", `
			1 count 10
			2 allocate 8 channel=web
			3 sale 3 channel=amazon
			4 adjust -9
			5 adjust 9
			6 adjust 2`, `
			3 hold amazon@leeds
			4 hold web@leeds
			5 release web@leeds to 7
			6 release amazon@leeds to 1`},
		{"the network is oversold though one location is not", `
			1 count 2 at=york
			2 sale 5 channel=web
			3 receipt 3 ref=po
			4 receipt 1 ref=po`, `
			2 hold web@leeds
			2 hold web@*
			4 release web@* to 2`},
		{"a lapse releases at its own time, though nothing else happens then", `
			1 count 1
			2 reserve 3 ref=a channel=web due=10
			50 sale 5 channel=web`, `
			2 hold web@leeds
			10 release web@leeds to 1
			50 hold web@leeds`},
		{"what lapses at one moment lapses one after another, by reference", `
			1 count 1
			2 reserve 3 ref=b channel=web due=10
			3 reserve 2 ref=a channel=web due=10
			10 tick`, `
			2 hold web@leeds
			10 release web@leeds to 1`},
		{"every location counts for the network, whatever it was named by", `
			1 sale 1 channel=web
			2 snapshot 9 at=york`, `
			1 hold web@leeds
			2 hold web@*`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := NewOversell(config)
			var got, expected []string
			for _, d := range deltas(t, c.story) {
				_, _, directives := o.Apply(d, 0)
				for _, r := range directives {
					line := fmt.Sprintf("%d %s %s@%s", (r.At-dayOne)/inventory.Minute, r.Action, r.Channel, r.Location)
					if r.Action == inventory.Unhold {
						line += fmt.Sprintf(" to %d", r.Sellable)
					}
					got = append(got, line)
				}
			}
			for line := range strings.Lines(c.want) {
				if line = strings.TrimSpace(line); line != "" {
					expected = append(expected, line)
				}
			}
			want(t, "directives", strings.Join(got, "\n"), strings.Join(expected, "\n"))
		})
	}
}

func TestNetworkLeavesOutHeldLocations(t *testing.T) {
	o := NewOversell(config)
	for _, d := range deltas(t, `
		1 count 10
		1 allocate 8 channel=web
		2 count 5 at=york
		2 listing 5 at=york channel=amazon
		3 sale 3 channel=amazon`) {
		o.Apply(d, 0)
	}
	n := o.Network("tea")
	want(t, "network", fmt.Sprint(n.ATP, n.Channels), "12 [{amazon 5 false} {web 12 false}]")
	want(t, "held", fmt.Sprint(o.Availability("tea", "leeds").Channels[0].Held), "true")
}
