package bench

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

//go:embed scenarios/*.yaml
var files embed.FS

// Builtin returns the scenarios that come with holdfast, by name.
func Builtin() ([]*Scenario, error) {
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	var all []*Scenario
	for _, e := range entries {
		text, err := files.ReadFile("scenarios/" + e.Name())
		if err != nil {
			return nil, err
		}
		s, err := Parse(e.Name(), text)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Scenario) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Default names what is measured where nothing is asked for: what ends within minutes.
var defaults = []string{"catch-up", "steady", "flash-sale"}

// Select returns scenarios in the order in which they are asked for: by file, which ends in
// .yaml or .yml; by name; or by the first words of names, so that live is live-50, live-70 and live-90.
// None asked for is the default set.
func Select(asked []string) (chosen []*Scenario, err error) {
	builtin, err := Builtin()
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		asked = defaults
	}
	taken := map[string]bool{}
	add := func(s *Scenario) {
		if !taken[s.Name] {
			taken[s.Name] = true
			chosen = append(chosen, s)
		}
	}
	for _, name := range asked {
		if strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			s, err := Parse(name, text)
			if err != nil {
				return nil, err
			}
			if taken[s.Name] {
				return nil, fmt.Errorf("%s: there is another scenario %q", name, s.Name)
			}
			add(s)
			continue
		}
		found := false
		for _, s := range builtin {
			if s.Name == name || strings.HasPrefix(s.Name, name+"-") {
				found = true
				add(s)
			}
		}
		if !found {
			return nil, unknown(name, builtin)
		}
	}
	return chosen, nil
}

func unknown(name string, builtin []*Scenario) error {
	var names []string
	for _, s := range builtin {
		names = append(names, s.Name)
	}
	return errors.New("there is no scenario " + name + "; there are " + strings.Join(names, ", ") + ", and files that end in .yaml")
}
