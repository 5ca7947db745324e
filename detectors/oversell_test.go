package detectors

import (
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// look returns the edges that oversell finds, as text.
func look(v *View) (edges []string) {
	for _, f := range lookOversell(v, nil) {
		edge, where := "raise", "location"
		if f.Edge == Clear {
			edge = "clear"
		}
		if f.Network {
			where = "network"
		} else if f.Channel != "" {
			where = f.Channel
		}
		edges = append(edges, edge+" "+where)
	}
	return edges
}

func TestOversellHasThreeScopesAndHysteresis(t *testing.T) {
	location := Scope{Class: inventory.Oversell}
	web := Scope{Class: inventory.Oversell, Channel: "web"}
	network := Scope{Class: inventory.Oversell, Network: true}
	for name, c := range map[string]struct {
		onHand    int64
		web       int64 // the channel's ATP
		locations int
		sum       int64
		open      []Scope
		want      []string
	}{
		"nothing wrong":                        {onHand: 0, web: 0, locations: 2, sum: 0},
		"short":                                {onHand: -1, web: -1, locations: 1, sum: -1, want: []string{"raise location"}},
		"still short":                          {onHand: -5, web: -5, locations: 1, sum: -5, open: []Scope{location}},
		"at zero nothing changes":              {onHand: 0, web: 0, locations: 1, sum: 0, open: []Scope{location}},
		"one to sell again":                    {onHand: 1, web: 1, locations: 1, sum: 1, open: []Scope{location}, want: []string{"clear location"}},
		"only the share is short":              {onHand: 3, web: -2, locations: 1, sum: 3, want: []string{"raise web"}},
		"the location speaks for its channels": {onHand: -1, web: -4, locations: 1, sum: -1, want: []string{"raise location"}},
		"the share recovers":                   {onHand: 3, web: 1, locations: 1, sum: 3, open: []Scope{web}, want: []string{"clear web"}},
		"others can cover":                     {onHand: -1, web: -1, locations: 2, sum: 4, want: []string{"raise location"}},
		"nobody can cover":                     {onHand: -1, web: -1, locations: 2, sum: -1, want: []string{"raise location", "raise network"}},
		"the network recovers":                 {onHand: -1, web: -1, locations: 2, sum: 1, open: []Scope{location, network}, want: []string{"clear network"}},
	} {
		v := &View{
			SKU: "tea", Location: "leeds", Quantities: inventory.Quantities{OnHand: c.onHand}, Open: c.open,
			Channels: []Channel{{Name: "web", ATP: c.web}}, Network: Network{Locations: c.locations, Sum: c.sum, ATP: max(c.sum, 0)},
		}
		if got := look(v); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOversellSaysItsFigures(t *testing.T) {
	v := &View{SKU: "tea", Location: "leeds", Quantities: inventory.Quantities{OnHand: 2, Reserved: 9}, Price: 250, Network: Network{Locations: 1, Sum: -7}}
	for _, f := range lookOversell(v, nil) {
		d := describeOversell(v, &f)
		for _, figure := range []string{"leeds", "7 units", "tea", "2 on hand", "9 reserved", "ATP -7"} {
			if !strings.Contains(d.Reason, figure) {
				t.Errorf("%q does not say %s", d.Reason, figure)
			}
		}
		if d.Exposure != 7*250 || d.Evidence["atp"] != int64(-7) || len(d.Recommendations) == 0 || d.Rule == "" {
			t.Errorf("%+v", d)
		}
	}
}
