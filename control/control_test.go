package control_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/internal/golden"
	"github.com/holdfast-atp/holdfast/inventory"
)

var decided = control.Message{
	ID: "d-1", By: "kim", Time: 1_764_000_000_000,
	Decision: control.Decision{Exception: "x3-17-0-0", Action: control.Assign, Note: "counted, \"none\" there", Owner: "lee"},
}

// TestTheWireStaysAsItIs: what was sent is read as ever, and written as ever.
func TestTheWireStaysAsItIs(t *testing.T) {
	now, err := control.Encode(&decided)
	if err != nil {
		t.Fatal(err)
	}
	kept := golden.Bytes(t, "decision.json", now)
	if string(now) != string(kept) {
		t.Errorf("written as %s, it was %s", now, kept)
	}
	if got, bad := control.Parse(kept); bad != nil || got != decided {
		t.Errorf("read as %+v, %v", got, bad)
	}
}

// TestAPolicyStaysAsItIs: with its line breaks.
func TestAPolicyStaysAsItIs(t *testing.T) {
	sent := control.Message{ID: "p-1", By: "kim", Policy: "name: \"p\"\nclasses:\n\toversell: {}\n"}
	now, err := control.Encode(&sent)
	if err != nil {
		t.Fatal(err)
	}
	kept := golden.Bytes(t, "policy.json", now)
	if got, bad := control.Parse(kept); bad != nil || got != sent || got.Kind() != control.KindPolicy || string(now) != string(kept) {
		t.Errorf("%s is read as %+v, %v, and written as %s", kept, got, bad, now)
	}
}

// TestMasterDataStaysAsItIs: of SKUs and locations.
func TestMasterDataStaysAsItIs(t *testing.T) {
	sent := control.Message{ID: "m-1", By: "kim", Master: &inventory.Master{
		SKUs: []inventory.ItemOf{
			{SKU: "tea", Item: inventory.Item{Category: "drinks", Price: 499, Margin: 120, LeadHours: 72, Regulated: true, LotControlled: true}}, {SKU: "cup"},
		},
		Locations: []inventory.SiteOf{{Location: "leeds", Site: inventory.Site{Region: "north"}}, {Location: "york"}},
	}}
	now, err := control.Encode(&sent)
	if err != nil {
		t.Fatal(err)
	}
	kept := golden.Bytes(t, "master.json", now)
	if got, bad := control.Parse(kept); bad != nil || !reflect.DeepEqual(got, sent) || got.Kind() != control.KindMaster || string(now) != string(kept) {
		t.Errorf("%s is read as %+v, %v, and written as %s", kept, got, bad, now)
	}
}

// TestParse: what is taken, what is not, and what whoever sent it is told.
func TestParse(t *testing.T) {
	const good = `{"id":"1","kind":"decision","exception":"x","action":"approve","by":"kim"}`
	for text, says := range map[string]string{
		good:                                        "",
		"  " + good + "\n":                          "",
		with(good, `"note":"a\tb"`):                 "out_of_range: note: it holds a control character",
		with(good, `"note":""`):                     "",
		with(good, `"owner":"lee"`):                 "",
		with(good, `"time":17`):                     "",
		with(good, `"time":"2026-11-24T09:30:00Z"`): "",
		with(good, `"time":"yesterday"`):            "out_of_range: time:",
		with(good, `"time":-1`):                     "out_of_range: time:",
		with(good, `"note":7`):                      "malformed: note: a string belongs here",
		with(good, `"note":null`):                   "malformed: note: a string belongs here",
		with(good, `"nota":"b"`):                    "malformed: nota: a message of that kind has no such field",
		with(good, `"By":"lee"`):                    "malformed: By: a message of that kind has no such field",
		with(good, `"by":"lee"`):                    "malformed: by: given twice",
		with(good, `"a\nb":"lee"`):                  `malformed: "a\nb": a message`,
		with(good, `"note":"`+strings.Repeat("n", control.NoteBytesMax+1)+`"`):                 "out_of_range: note:",
		with(good, `"x":"`+strings.Repeat("n", control.BytesMax)+`"`):                          "a control message has 524288 at most",
		strings.Replace(good, "approve", "assign", 1):                                          "missing_field: owner: needed: whom",
		strings.Replace(good, "approve", "agree", 1):                                           `out_of_range: action: "agree" given; there are approve`,
		strings.Replace(good, "decision", "policy", 1):                                         "missing_field: policy: needed",
		`{"id":"1","kind":"policy","by":"kim","policy":["name"]}`:                              "malformed: policy: a string belongs here",
		`{"id":"1","kind":"policy","by":"kim","policy":"name: p\nclasses: {}","note":"n"}`:     "malformed: note: a message of that kind has no such field",
		`{"id":"1","kind":"master","by":"kim","skus":[]}`:                                      "missing_field: skus: needed, or locations",
		`{"id":"1","kind":"master","by":"kim","skus":{}}`:                                      "malformed: skus: a list of objects",
		`{"id":"1","kind":"master","by":"kim","skus":[{"sku":"a","colour":"red"}]}`:            "malformed: skus: a list of objects",
		`{"id":"1","kind":"master","by":"kim","skus":[{"sku":"a","price":-1}]}`:                "out_of_range: skus[0].price",
		`{"id":"1","kind":"master","by":"kim","locations":[{"region":"a"}]}`:                   "missing_field: locations[0].location",
		`{"id":"1","kind":"master","by":"kim","locations":[{"location":"a"}],"exception":"x"}`: "malformed: exception: a message of that kind has no such field",
		strings.Replace(good, "decision", "order", 1):                                          `unknown_kind: kind: "order" given`,
		strings.Replace(good, `"id":"1",`, "", 1):                                              "missing_field: id: needed",
		strings.Replace(good, `,"by":"kim"`, "", 1):                                            "missing_field: by: needed",
		strings.Replace(good, `"x"`, `""`, 1):                                                  "missing_field: exception: needed",
		strings.Replace(good, `"1"`, `"`+strings.Repeat("1", control.NameBytesMax+1)+`"`, 1):   "out_of_range: id: 129 bytes, 128 at most",
		good + good:                              "something follows",
		good[:len(good)-1]:                       "malformed: broken JSON",
		good[:20]:                                "malformed:",
		strings.Replace(good, "kim", "k\xff", 1): "not UTF-8",
		"":                                       "one JSON object",
		"[]":                                     "one JSON object",
		"\x81\xa2":                               "not UTF-8",
	} {
		m, bad := control.Parse([]byte(text))
		switch {
		case says == "" && bad != nil:
			t.Errorf("%.100s: %v", text, bad)
		case says == "" && (m.ID != "1" || m.By != "kim" || m.Kind() != control.KindDecision || m.Decision.Exception != "x"):
			t.Errorf("%.100s: read as %+v", text, m)
		case says != "" && (bad == nil || !strings.Contains(bad.Error(), says)):
			t.Errorf("%.100s: %v, want an error that says %q", text, bad, says)
		}
	}
}

func with(object, field string) string { return strings.TrimSuffix(object, "}") + "," + field + "}" }

// TestWhatFits: of what stands everything can be decided but that what acts be let act; of what ended, nothing.
func TestWhatFits(t *testing.T) {
	for _, action := range control.Actions() {
		for _, status := range inventory.Statuses() {
			final := status == inventory.Resolved || status == inventory.Dismissed
			want := final || action == control.Approve && status == inventory.Acting
			if why := control.Unfit(action, status); (why != "") != want {
				t.Errorf("%s of what is %s: %q", action, status, why)
			}
		}
	}
}

// FuzzParse: any bytes are a message or refused with a reason, and what was read is written and read the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"1","kind":"decision","exception":"x","action":"assign","by":"kim","owner":"lee","note":"ü","time":17}`))
	f.Add([]byte(`{"id":"1","kind":"policy","by":"kim","policy":"version: 1"}`))
	f.Add([]byte(`{"id":"1","kind":"master","by":"kim","skus":[{"sku":"tea","price":3}],"locations":[{"location":"leeds","region":"n"}]}`))
	f.Add([]byte(`{"id":{"id":[1,{}]},"id":2} {`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, bad := control.Parse(data)
		if bad != nil {
			if bad.Reason == "" || bad.Detail == "" {
				t.Fatalf("%q is refused without a reason: %v", data, bad)
			}
			return
		}
		text, err := control.Encode(&m)
		if err != nil {
			t.Fatal(err)
		}
		if again, bad := control.Parse(text); bad != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%q is read as %+v, and %s as %+v, %v", data, m, text, again, bad)
		}
	})
}
