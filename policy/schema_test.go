package policy

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func yamlValue(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTheSchemaTakesWhatTheParserTakes: the built-in policy, and ones with everything in them.
func TestTheSchemaTakesWhatTheParserTakes(t *testing.T) {
	s := compiled(t)
	for _, text := range []string{defaultText, mine,
		"name: p\nguards: none",
		"name: p\nguards: {channels: {ebay: {held_from: 0}}, held_share: 1}",
		"name: p\noverrides: [{class: demand_spike, set: {thresholds: {events: 3}}}, {class: [feed_stale], set: {thresholds: {silence: 2h}}}, {when: true, set: {sla: 1h}}]",
		"name: 7\nclasses: {phantom_inventory: {raise: 0.5, clear: 0.1, dwell: 0, owner: 12}}",
	} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%.60q is not taken by the parser: %v", text, err)
		}
		if err := s.Validate(yamlValue(t, text)); err != nil {
			t.Errorf("%.60q is not taken by the schema: %v", text, err)
		}
	}
}

// TestTheSchemaRefusesWhatTheParserRefuses: every mistake of form.
func TestTheSchemaRefusesWhatTheParserRefuses(t *testing.T) {
	s := compiled(t)
	for _, text := range []string{
		"- a", "classes: {}", "name: {}", "name: p\nclassses: {}", "name: p\nclasses: [oversell]", "name: p\nclasses: {oversold: {}}",
		"name: p\nclasses: {oversell: {autonomy: maybe}}",
		"name: p\nclasses: {oversell: {sla: 1w}}", "name: p\nclasses: {oversell: {sla: ''}}",
		"name: p\nclasses: {oversell: {raise: 1.5}}", "name: p\nclasses: {oversell: {cost: {margin: 1}}}",
		"name: p\nclasses: {oversell: {owner: ''}}", "name: p\nclasses: {oversell: {thresholds: {events: 3}}}",
		"name: p\nclasses: {phantom_inventory: {thresholds: {}}}",
		"name: p\nclasses: {demand_spike: {thresholds: {events: 0}}}", "name: p\nclasses: {demand_spike: {thresholds: {events: 1.5}}}",
		"name: p\noverrides: {}", "name: p\noverrides: [{channel: web}]", "name: p\noverrides: [{chanel: web, set: {owner: o}}]",
		"name: p\noverrides: [{channel: [], set: {owner: o}}]",
		"name: p\noverrides: [{set: {thresholds: {events: 3}}}]", "name: p\noverrides: [{class: [demand_spike, feed_stale], set: {thresholds: {events: 3}}}]",
		"name: p\noverrides: [{class: feed_stale, set: {thresholds: {events: 3}}}]",
		"name: p\nguards: some", "name: p\nguards: {held_share: 0}", "name: p\nguards: {commands_per_minute: 0}", "name: p\nguards: {channels: {ebay: 3}}",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q is taken by the parser", text)
		}
		if err := s.Validate(yamlValue(t, text)); err == nil {
			t.Errorf("%q is taken by the schema", text)
		}
	}
}

func TestTheSchemaIsAlwaysTheSame(t *testing.T) {
	first := Schema()
	for range 8 {
		if again := Schema(); !bytes.Equal(first, again) {
			t.Fatal("two schemas differ")
		}
	}
}
