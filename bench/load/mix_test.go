package load_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/bench/load"
)

func TestCheckSaysWhatIsWrong(t *testing.T) {
	for want, m := range map[string]load.Mix{
		"locations -1":                      {Locations: -1},
		"locations 65536":                   {Locations: 65536, Keys: 1 << 20},
		"keys 9":                            {Keys: 9},
		"keys -1":                           {Keys: -1},
		"skew 1:":                           {Skew: 1},
		"skew -2":                           {Skew: -2},
		"skew +Inf":                         {Skew: math.Inf(1)},
		"hot_share 1.1":                     {HotShare: 1.1},
		"out_of_order -0.1":                 {OutOfOrder: -0.1},
		"out_of_order NaN":                  {OutOfOrder: math.NaN()},
		"late and oversell together 1.1":    {Duplicates: 0.5, Late: 0.3, Oversell: 0.3},
		"out_of_order_max 13h":              {OutOfOrderMax: 13 * time.Hour},
		"out_of_order_max 1µs":              {OutOfOrderMax: time.Microsecond},
		"step 2s":                           {Step: 2 * time.Second},
		"step -1ns":                         {Step: -1},
		"start 0900":                        {Start: time.Date(900, 1, 1, 0, 0, 0, 0, time.UTC)},
		`no kind is called "sail"`:          {Kinds: map[string]int{"sail": 1}},
		"sale has the weight -1":            {Kinds: map[string]int{"sale": -1}},
		"none has a weight above 0":         {Kinds: map[string]int{"sale": 0}},
		"a transfer needs two locations":    {Locations: 1, Kinds: map[string]int{"transfer_in": 1}},
		"each of 10 locations, and 4294967": {Keys: 1 << 40},
	} {
		err := m.Check()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", m, err, want)
		}
		if l, err := load.New(m); l != nil || err == nil {
			t.Errorf("a load was made of %+v", m)
		}
	}
	if err := (load.Mix{}).Check(); err != nil {
		t.Errorf("the zero Mix: %v", err)
	}
}

func TestMixIsReadFromYAMLAndJSON(t *testing.T) {
	const text = `
seed: 4
keys: 1000000
locations: 50
skew: 1.2
hot_share: 0.5
kinds: {sale: 3, count: 1}
out_of_order: 0.2
out_of_order_max: 5m
duplicates: 0.01
late: 0.02
oversell: 0.03
start: 2025-01-02T03:04:05Z
step: 20us
`
	want := load.Mix{
		Seed: 4, Keys: 1_000_000, Locations: 50, Skew: 1.2, HotShare: 0.5, Kinds: map[string]int{"sale": 3, "count": 1},
		OutOfOrder: 0.2, OutOfOrderMax: 5 * time.Minute, Duplicates: 0.01, Late: 0.02, Oversell: 0.03,
		Start: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Step: 20 * time.Microsecond,
	}
	var got load.Mix
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, m := range []load.Mix{{}, want} {
		coded, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back load.Mix
		if err := json.Unmarshal(coded, &back); err != nil || !reflect.DeepEqual(back, m) {
			t.Errorf("%s came back as %+v, %v", coded, back, err)
		}
	}
}
