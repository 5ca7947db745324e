package console

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestTheDescriptionNamesEveryCall: openapi.yaml and the table of routes say the same.
func TestTheDescriptionNamesEveryCall(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type parameter struct {
		Name, In string
		Ref      string `yaml:"$ref"`
	}
	var spec struct {
		Paths map[string]map[string]struct {
			Role       string `yaml:"x-role"`
			Parameters []parameter
			Responses  map[string]any
		}
		Components struct{ Parameters map[string]parameter }
	}
	if err := yaml.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	var s Server
	described := map[string]bool{}
	for _, rt := range s.routes() {
		path := strings.Replace(rt.path, "...}", "}", 1)
		call, ok := spec.Paths[path][strings.ToLower(rt.method)]
		if !ok {
			if rt.path != "/openapi.yaml" && rt.path != "/{$}" && rt.path != "/assets/{name}" {
				t.Errorf("%s %s is not described", rt.method, rt.path)
			}
			continue
		}
		described[path] = true
		if call.Role != rt.needs.String() {
			t.Errorf("%s %s is described for %q, and is for %s", rt.method, rt.path, call.Role, rt.needs)
		}
		var query []string
		for _, p := range call.Parameters {
			if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
				p = spec.Components.Parameters[name]
			}
			if p.In == "query" {
				query = append(query, p.Name)
			}
		}
		slices.Sort(query)
		if want := slices.Sorted(slices.Values(rt.query)); !slices.Equal(query, want) {
			t.Errorf("%s %s is described with %v, and takes %v", rt.method, rt.path, query, want)
		}
		if len(call.Responses) == 0 {
			t.Errorf("%s %s has no responses", rt.method, rt.path)
		}
	}
	if len(described) != len(spec.Paths) {
		t.Errorf("%d paths are described, %d of them exist", len(spec.Paths), len(described))
	}
}
