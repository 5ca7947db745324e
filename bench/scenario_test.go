package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// good is a scenario on which the bad ones are variations.
const good = `name: a-b
title: A title
type: catch-up
seed: 7
runs: 3
load: {keys: 100, locations: 10}
deltas: 1000
packing: 16
references: [raw-read, pebble]
targets:
  throughput: {at_least: 1e6}
`

func TestParseTakesWhatIsGood(t *testing.T) {
	s, err := Parse("good.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	c, ok := s.plan.(*catchUp)
	if !ok || s.Name != "a-b" || s.Title != "A title" || s.Seed != 7 || s.Runs != 3 || c.Deltas != 1000 || c.Packing != 16 || len(c.References) != 2 {
		t.Errorf("parsed %+v", s.plan)
	}
	if s.Partitions != 16 || !s.SyncAlways || s.CacheMiB != cacheMiBNone {
		t.Errorf("what it doesn't say is %d partitions, sync %v, %d MiB", s.Partitions, s.SyncAlways, s.CacheMiB)
	}
	if m := c.mix(); m.Seed != 7 || m.Keys != 100 {
		t.Errorf("the load is %+v", m)
	}
	if b := s.Targets["throughput"]; b.AtLeast == nil || *b.AtLeast != 1e6 || b.AtMost != nil {
		t.Errorf("the target is %+v", b)
	}
}

func TestParseSaysWhatIsBadAndWhere(t *testing.T) {
	const live = `name: l
title: Live
type: live
load: {keys: 100, oversell: 0.1}
rate: 100
warmup: 1s
duration: 1s
packing: 1
`
	swap := func(text, from, to string) string {
		if !strings.Contains(text, from) {
			t.Fatalf("nothing to swap: %q", from)
		}
		return strings.Replace(text, from, to, 1)
	}
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "bad.yaml: it is empty"},
		{"a comment", "# later\n", "bad.yaml: it is empty"},
		{"no YAML", "a: [", "bad.yaml: yaml: line 1"},
		{"a list", "- a\n", "bad.yaml:1: cannot unmarshal"},
		{"no type", "name: x\n", `bad.yaml:1: type "": it is one of catch-up, live, many-keys`},
		{"an unknown type", "name: x\ntype: nap\n", `bad.yaml:2: type "nap"`},
		{"an unknown key", swap(good, "packing: 16", "packing: 16\nrate: 5"), `bad.yaml:9: unknown key "rate"; there are name, title, type, seed, runs, partitions`},
		{"an unknown key of the load", swap(good, "keys: 100", "kees: 100"), `bad.yaml:6: unknown key "kees"; there are `},
		{"an unknown key of a target", swap(good, "at_least", "atleast"), `bad.yaml:11: unknown key "atleast"; there are at_least, at_most`},
		{"a key twice", swap(good, "seed: 7", "seed: 7\nseed: 8"), `bad.yaml:5: mapping key "seed" already defined`},
		{"a word for a number", swap(good, "1000", "many"), "bad.yaml:7: cannot unmarshal !!str `many` into int"},
		{"no duration", swap(live, "warmup: 1s", "warmup: soon"), "bad.yaml:6: cannot unmarshal"},
		{"two documents", good + "---\n" + good, "bad.yaml: one scenario a file"},
		{"a name with spaces", swap(good, "a-b", "a b"), "bad.yaml:1: name: "},
		{"no title", swap(good, "title: A title\n", ""), "bad.yaml:1: title: one line"},
		{"no runs", swap(good, "runs: 3", "runs: 0"), "bad.yaml:5: runs: 0 is not between 1 and"},
		{"no keys", swap(good, "keys: 100", "keys: 0"), "bad.yaml:6: load.keys: 0 is not between 1 and"},
		{"a share above 1", swap(good, "keys: 100", "late: 2, keys: 100"), "bad.yaml:6: load: "},
		{"a seed of its own", swap(good, "keys: 100", "seed: 5, keys: 100"), "bad.yaml:6: load.seed: "},
		{"no deltas", swap(good, "deltas: 1000", "deltas: 0"), "bad.yaml:7: deltas: "},
		{"an unknown reference", swap(good, "pebble", "redis"), `bad.yaml:9: references: "redis": there are `},
		{"a target for no metric", swap(good, "throughput:", "beauty:"), "bad.yaml:11: targets.beauty: a catch-up has no such metric; there are throughput"},
		{"a target without a bound", swap(good, "{at_least: 1e6}", "{}"), "bad.yaml:11: targets.throughput: one of at_least and at_most"},
		{"a target with two", swap(good, "{at_least: 1e6}", "{at_least: 1, at_most: 2}"), "bad.yaml:11: targets.throughput: one of"},
		{"a baseline that is none", swap(good, "packing: 16", "packing: 16\nbaseline: {keys: 0}"), "bad.yaml:9: baseline.keys: "},
		{"no rate", swap(live, "rate: 100\n", ""), "bad.yaml:1: rate: 0 is not between"},
		{"a rate twice", swap(live, "rate: 100", "rate: 100\nshare_of_sustainable: 0.5"), "bad.yaml:5: rate: it and share_of_sustainable"},
		{"not a number", swap(live, "rate: 100", "rate: .nan"), "bad.yaml:5: rate: NaN"},
		{"nothing to time", swap(live, ", oversell: 0.1", ""), "bad.yaml:4: load.oversell: "},
		{"no time", swap(live, "duration: 1s", "duration: 0s"), "bad.yaml:7: duration: 0 is not between"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("bad.yaml", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		text, err := files.ReadFile("scenarios/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("f.yaml", text)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "f.yaml:") && !strings.HasPrefix(line, " ") {
					t.Errorf("an error that names no file: %q", line)
				}
			}
			return
		}
		if _, err := s.config(); err != nil {
			t.Errorf("what was parsed can't be written: %v", err)
		}
		s.Scale(0.01)
		if s.Runs < 1 || s.Load.Keys < 1 || s.Targets != nil {
			t.Errorf("scaled to %+v", s.Header)
		}
	})
}

func TestEveryBuiltinScenarioIsGood(t *testing.T) {
	all, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range all {
		names[s.Name] = true
	}
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".yaml"); !names[name] {
			t.Errorf("%s holds no scenario of that name", e.Name())
		}
	}
	for _, name := range defaults {
		if _, err := Select([]string{name}); err != nil {
			t.Errorf("measured by default: %v", err)
		}
	}
}

// TestScaledScenariosAreStillGood writes each scenario, scaled, and reads it again.
func TestScaledScenariosAreStillGood(t *testing.T) {
	for _, by := range []float64{0.001, 0.1, 2} {
		all, err := Builtin()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			s.Scale(by)
			text, err := s.text()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Parse(s.Name, text); err != nil {
				t.Errorf("by %v: %v\n%s", by, err, text)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		asked []string
		want  string
	}{
		{nil, "catch-up-packed catch-up-single steady steady-lazily flash-sale-live flash-sale-packed"},
		{[]string{"live"}, "live-50 live-70 live-90"},
		{[]string{"live-70", "live"}, "live-70 live-50 live-90"},
		{[]string{"storm", file, "storm"}, "storm a-b"},
	} {
		chosen, err := Select(test.asked)
		if err != nil {
			t.Errorf("%q: %v", test.asked, err)
			continue
		}
		var names []string
		for _, s := range chosen {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%q chose %s, want %s", test.asked, got, test.want)
		}
	}
	for _, test := range []struct {
		asked []string
		want  string
	}{
		{[]string{"liv"}, "there is no scenario liv; there are catch-up-packed, "},
		{[]string{filepath.Join(t.TempDir(), "none.yaml")}, "no such file"},
		{[]string{file, file}, `there is another scenario "a-b"`},
	} {
		if _, err := Select(test.asked); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %s", test.asked, err, test.want)
		}
	}
}

func TestFindSustainableIsForLiveScenarios(t *testing.T) {
	live, err := Select([]string{"steady", "live-50"})
	if err != nil {
		t.Fatal(err)
	}
	searches, err := FindSustainable(live)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range searches {
		text, err := s.text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(s.Name, text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if _, ok := again.plan.(*sustainable); !ok || again.Name != live[i].Name {
			t.Errorf("%s became %T %s", live[i].Name, again.plan, again.Name)
		}
	}
	storm, err := Select([]string{"storm"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FindSustainable(storm); err == nil {
		t.Error("a storm has a sustainable rate")
	}
}
