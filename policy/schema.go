package policy

import (
	"encoding/json"
	"fmt"

	"github.com/holdfast-atp/holdfast/inventory"
)

// schema is a part of a JSON schema.
type schema = map[string]any

// Schema returns the JSON schema (draft 2020-12) of policy files, made of the same tables that Parse goes by. Editors check by it as one writes. What
// it can't say, Parse checks: that an exception ends below or above where it opens, what conditions mean, what may be
// set by channel or under a condition.
func Schema() []byte {
	classes := schema{}
	for _, class := range inventory.Classes() {
		classes[string(class)] = schema{"$ref": "#/$defs/" + string(class)}
	}
	defs := schema{
		"name":     schema{"type": []string{"string", "number", "boolean"}, "minLength": 1, "maxLength": nameBytesMax},
		"names":    schema{"oneOf": []any{ref("name"), schema{"type": "array", "minItems": 1, "items": ref("name")}}},
		"class":    schema{"enum": inventory.Classes()},
		"time":     schema{"pattern": `^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?)$`, "minLength": 1, "type": []string{"string", "integer"}},
		"autonomy": schema{"enum": autonomyNames, "description": "observe: note it; recommend: ask a person first; auto: act at once"},
		"cost": object(schema{
			"margin":       schema{"type": "number", "exclusiveMinimum": 0, "maximum": 1e9},
			"cancellation": schema{"type": "number", "exclusiveMinimum": 0, "maximum": 1e9},
		}, "margin", "cancellation"),
		"override": overrideSchema(),
		"guards":   guardsSchema(),
	}
	for _, class := range inventory.Classes() {
		defs[string(class)] = object(changes(class))
	}
	root := object(schema{
		"name":      schema{"$ref": "#/$defs/name", "description": "stands, with a hash of the text, in every command"},
		"classes":   object(classes),
		"overrides": schema{"type": "array", "items": ref("override"), "description": "of those that match, the last counts"},
		"guards":    ref("guards"),

		"next_window":           schema{"$ref": "#/$defs/time", "description": "how far ahead lists of what is at risk look; from 15m to 7d"},
		"exceptions_per_second": schema{"type": "integer", "minimum": 1, "maximum": ExceptionsMax},
		"exceptions_at_once":    schema{"type": "integer", "minimum": 1, "maximum": ExceptionsMax},
	}, "name")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "A policy of holdfast"
	root["$defs"] = defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("the schema of policies: %v", err)) // maps, lists and names alone
	}
	return append(text, '\n')
}

func ref(to string) schema { return schema{"$ref": "#/$defs/" + to} }

// object is a mapping with those fields and no other.
func object(fields schema, required ...string) schema {
	o := schema{"type": "object", "properties": fields, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// changes are the fields of a rule of a class; "": of an override's set, of which thresholds may be any class's.
func changes(class inventory.Class) schema {
	share := schema{"type": "number", "minimum": 0, "maximum": 1}
	of := schema{
		"autonomy": ref("autonomy"), "owner": ref("name"),
		"sla": ref("time"), "expiry": ref("time"), "dwell": ref("time"),
		"raise": share, "clear": share, "cost": ref("cost"),
	}
	table := Thresholds(class)
	if class == "" {
		table = thresholds()
	}
	if len(table) == 0 {
		return of
	}
	limits := schema{}
	for _, t := range table {
		limits[t.Name()] = t.schema()
		if class == "" {
			limits[t.Name()] = schema{}
		}
	}
	of["thresholds"] = object(limits)
	return of
}

func (t Threshold) schema() schema {
	switch t.Unit {
	case Time:
		return ref("time")
	case Whole:
		return schema{"type": "integer", "minimum": t.Least, "maximum": t.Most}
	}
	return schema{"type": "number", "minimum": t.Least, "maximum": t.Most}
}

// overrideSchema is the schema of an override. One that sets thresholds names one class, whose they are.
func overrideSchema() schema {
	var thresholdsOf []any
	for _, class := range inventory.Classes() {
		if len(Thresholds(class)) == 0 {
			continue
		}
		thresholdsOf = append(thresholdsOf, schema{
			"properties": schema{
				"class": schema{"oneOf": []any{schema{"const": class}, schema{"type": "array", "minItems": 1, "maxItems": 1, "items": schema{"const": class}}}},
				"set":   object(changes(class)),
			},
			"required": []string{"class"},
		})
	}
	o := object(schema{
		"class":   schema{"oneOf": []any{ref("class"), schema{"type": "array", "minItems": 1, "items": ref("class")}}},
		"channel": ref("names"), "location": ref("names"), "sku": ref("names"), "category": ref("names"), "region": ref("names"),
		"when": schema{"type": []string{"string", "boolean"}, "description": "a condition in expr, of facts of the exception that opens"},
		"set":  object(changes("")),
	}, "set")
	o["if"] = schema{"properties": schema{"set": schema{"required": []string{"thresholds"}}}}
	o["then"] = schema{"oneOf": thresholdsOf}
	return o
}

func guardsSchema() schema {
	bounds := func() schema {
		return schema{
			"commands_per_minute": schema{"type": "integer", "minimum": 1, "maximum": countMax},
			"held_share":          schema{"type": "number", "exclusiveMinimum": 0, "maximum": 1},
			"held_from":           schema{"type": "integer", "minimum": 0, "maximum": countMax},
		}
	}
	all := bounds()
	all["owner"], all["sla"] = ref("name"), ref("time")
	all["channels"] = schema{"type": "object", "additionalProperties": object(bounds())}
	return schema{"oneOf": []any{schema{"const": "none"}, object(all)}}
}
