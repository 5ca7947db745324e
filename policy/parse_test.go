package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

const mine = `name: mine
classes:
  oversell: {autonomy: recommend, owner: desk, sla: 90m, expiry: 1d12h, dwell: 10m}
  phantom_inventory: {autonomy: auto, cost: {margin: 3, cancellation: 1}}
  demand_spike: {autonomy: observe}
overrides:
  - {class: oversell, channel: [web, "market-*"], set: {autonomy: auto}}
  - {sku: ring-1, location: leeds, set: {expiry: 1h}}
  - {class: phantom_inventory, location: "outlet-*", set: {raise: 0.9, clear: 0.5}}
  - channel: market-x
    when: exposure >= 1000 and severity in ["high", "critical"]
    set: {autonomy: observe, owner: x-desk}
`

// TestAPolicyIsRead: rules, overrides, of which the last counts, conditions, and thresholds by cost.
func TestAPolicyIsRead(t *testing.T) {
	p, err := Parse(mine)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(p.Version, "mine@") || p.Text != mine {
		t.Errorf("it is version %q of %q", p.Version, p.Text)
	}
	want := Rule{Recommend, "desk", 90 * inventory.Minute, 36 * inventory.Hour, 10 * inventory.Minute, 1, 0, settings{}}
	if got := p.Rule(inventory.Oversell); got != want {
		t.Errorf("oversell is %+v, want %+v", got, want)
	}
	if got := p.Rule(inventory.PhantomInventory); got.Raise != 0.75 || got.Clear != 0.375 || got.Owner != "inventory-control" {
		t.Errorf("what a hold and a cancellation cost gives %+v", got)
	}
	for _, c := range []struct {
		class    inventory.Class
		at       At
		raise    float64
		autonomy Autonomy
		expiry   inventory.Millis
	}{
		{inventory.Oversell, At{SKU: "tea", Location: "leeds", Channel: "web"}, 1, Automate, 36 * inventory.Hour},
		{inventory.Oversell, At{SKU: "tea", Location: "leeds", Channel: "market-y"}, 1, Automate, 36 * inventory.Hour},
		{inventory.Oversell, At{SKU: "tea", Location: "leeds", Channel: "store"}, 1, Recommend, 36 * inventory.Hour},
		{inventory.Oversell, At{SKU: "ring-1", Location: "leeds", Channel: "store"}, 1, Recommend, inventory.Hour},
		{inventory.Oversell, At{SKU: "ring-1", Location: "york", Channel: "store"}, 1, Recommend, 36 * inventory.Hour},
		{inventory.PhantomInventory, At{SKU: "tea", Location: "outlet-7", Channel: ""}, 0.9, Automate, 7 * inventory.Day},
		{inventory.PhantomInventory, At{SKU: "tea", Location: "inlet-7", Channel: ""}, 0.75, Automate, 7 * inventory.Day},
	} {
		if r := p.RuleAt(c.class, c.at); r.Raise != c.raise || r.Autonomy != c.autonomy || r.Expiry != c.expiry {
			t.Errorf("%s at %+v: %+v", c.class, c.at, r)
		}
	}
	if p.Varies(inventory.Oversell) || !p.Varies(inventory.PhantomInventory) {
		t.Error("whose thresholds vary is not known")
	}
}

// TestAnExceptionFollowsTheMostCarefulOfItsChannels: and what a condition asks is asked of each.
func TestAnExceptionFollowsTheMostCarefulOfItsChannels(t *testing.T) {
	p, err := Parse(mine)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		exposure int64
		channels []string
		want     Autonomy
		owner    string
	}{
		{10, []string{"web"}, Automate, "desk"},
		{10, []string{"market-x", "web"}, Automate, "desk"},
		{5000, []string{"market-x", "web"}, Observe, "x-desk"},
		{10, []string{"web", "store"}, Recommend, "desk"},
		{10, nil, Recommend, "desk"},
	} {
		f := &Facts{Class: inventory.Oversell, SKU: "tea", Location: "leeds", Exposure: c.exposure, Severity: "high"}
		if r := p.Opens(f, c.channels); r.Autonomy != c.want || r.Owner != c.owner {
			t.Errorf("exposure %d on %v: %s of %s, want %s of %s", c.exposure, c.channels, r.Autonomy, r.Owner, c.want, c.owner)
		}
	}
}

// TestMistakesAreSaidByLine: what belongs there instead, too.
func TestMistakesAreSaidByLine(t *testing.T) {
	const head = "name: p\nclasses:\n  oversell: {autonomy: auto}\n"
	for text, says := range map[string]string{
		"":                                 "it is empty",
		"- a":                              "line 1: the policy is a mapping",
		"name: [":                          "line",
		"classes: {}":                      "line 1: name is needed",
		"name: {}\nclasses: {}":            "line 1: name is a name",
		"name: p\nname: q":                 `line 2: "name" is given twice`,
		head + "---\nname: q":              "more than one YAML document",
		head + "classses: {}":              `line 4: the policy has no field "classses"; there are classes, exceptions_at_once, exceptions_per_second, guards, name, next_window, overrides`,
		"name: p\nclasses: [oversell]":     "line 2: classes is a mapping",
		"name: p\nclasses: {oversold: {}}": `there is no class "oversold"; there are oversell,`,
		"name: p\nclasses:\n  oversell: {autonomy: yes}":                                                                `line 3: autonomy "yes": it is observe, recommend or auto`,
		"name: p\nclasses:\n  oversell: {sla: 1w}":                                                                      `line 3: sla "1w": it is a time such as 7d`,
		"name: p\nclasses:\n  oversell: {expiry: 30s}":                                                                  `line 3: expiry "30s": it is a time such as 7d, 90m or 1d12h, from 1m`,
		"name: p\nclasses:\n  oversell: {expiry: 400d}":                                                                 "from 1m to 365d",
		"name: p\nclasses:\n  oversell: {raise: 1.5}":                                                                   `raise "1.5": it is a number from 0 to 1`,
		"name: p\nclasses:\n  oversell: {raise: .nan}":                                                                  "raise",
		"name: p\nclasses:\n  oversell: {raise: 0.5, clear: 0.5}":                                                       "clear 0.5 is not below raise 0.5",
		"name: p\nclasses:\n  oversell: {clear: 0.5}":                                                                   "clear without raise",
		"name: p\nclasses:\n  oversell: {cost: {margin: 1}}":                                                            "cost needs margin and cancellation",
		"name: p\nclasses:\n  oversell: {raise: 0.5, cost: {margin: 1, cancellation: 1}}":                               "two ways to say one thing",
		"name: p\nclasses:\n  oversell: {owner: ''}":                                                                    "owner is a name",
		head + "overrides: {}":                                                                                          "line 4: overrides is a list",
		head + "overrides:\n  - {channel: web}":                                                                         "line 5: an override needs set",
		head + "overrides:\n  - {chanel: web, set: {owner: o}}":                                                         `line 5: an override has no field "chanel"`,
		head + "overrides:\n  - {when: exposure, set: {owner: o}}":                                                      "line 5: when: expected bool",
		head + "overrides:\n  - {when: now() > 1, set: {owner: o}}":                                                     "line 5: when: unknown name now",
		head + "overrides:\n  - {when: len(sku) > 1, set: {owner: o}}":                                                  "line 5: when:",
		head + "overrides:\n  - {when: atp < 0, set: {expiry: 1d}}":                                                     "an override with a condition on an exception may set autonomy, owner and sla",
		head + "overrides:\n  - {channel: web, set: {raise: 0.5}}":                                                      "an override by channel can't set them",
		"name: p\nclasses:\n  phantom_inventory: {raise: 0.8, clear: 0.4}\noverrides:\n  - {sku: a, set: {raise: 0.3}}": "phantom_inventory would open at 0.3 and end at 0.4",
		"name: p\n# " + strings.Repeat("x", TextBytesMax):                                                               "262144 at most",
	} {
		_, err := Parse(text)
		var problems Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80q: %v, want %q", text, err, says)
		}
	}
	many := "name: p\nclasses:\n"
	for i := range 50 {
		many += fmt.Sprintf("  class%d: {}\n", i)
	}
	var problems Problems
	if _, err := Parse(many); !errors.As(err, &problems) || len(problems) != problemsMax {
		t.Errorf("of 50 mistakes %d are said, want %d", len(problems), problemsMax)
	}
}

func TestDurationsAreWrittenAsTheyAreRead(t *testing.T) {
	for text, want := range map[string]inventory.Millis{"0": 0, "7d": 7 * inventory.Day, "1d12h": 36 * inventory.Hour, "90m": 90 * inventory.Minute, "1h1s": inventory.Hour + inventory.Second} {
		got, ok := parseDuration(text)
		again, _ := parseDuration(formatDuration(got))
		if !ok || got != want || again != got {
			t.Errorf("%q is %d, and written %q", text, got, formatDuration(got))
		}
	}
	for _, text := range []string{"", "d", "1", "h1", "1h1d", "-1h", "1.5h", "1 h", "1h ", "99999999999d"} {
		if d, ok := parseDuration(text); ok {
			t.Errorf("%q is read as %d", text, d)
		}
	}
}

// FuzzParse: any text is a policy or refused with reasons; one that was taken answers whatever is asked of it.
func FuzzParse(f *testing.F) {
	f.Add(mine)
	f.Add(defaultText)
	f.Add("name: &a p\nclasses: {oversell: *a}\noverrides: [{<<: *a}]")
	f.Add("name: p\nclasses: {}\noverrides: [{when: 'sku matches \"^(a+)+$\"', set: {owner: o}}]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 || problems[0].Detail == "" {
				t.Fatalf("%q is refused without a reason: %v", text, err)
			}
			return
		}
		for _, class := range inventory.Classes() {
			for _, r := range []Rule{p.Rule(class), p.RuleAt(class, At{SKU: "sku", Location: "*", Channel: "web"}), p.Opens(&Facts{Class: class, SKU: "aaaaaaaaaaaaaaaaaaaaaaab"}, []string{"web", "x"})} {
				if r.Owner == "" || r.SLA <= 0 || r.Expiry <= 0 || r.Raise > 1 || r.Raise < 0 || r.Autonomy > Automate {
					t.Fatalf("%q: %s has %+v", text, class, r)
				}
			}
		}
	})
}
