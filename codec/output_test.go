package codec

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The outputs with no field left out: a field that is not written, or not read, is missed.
var (
	cause   = inventory.Cause{Partition: 3, Sequence: 17, Index: 2}
	command = inventory.Command{
		ID: "3-17-2-0", Action: inventory.Throttle, Channel: "web & more", SKU: "a b", Location: inventory.Network, Sellable: 4, Revision: 7,
		Exception: "x3-1-1-0", Class: inventory.OversellRisk, Confidence: 0.75, Reason: "Four <left>.", Autonomy: inventory.Approved, ApprovedBy: "kim",
		Policy: "p1", EventTime: 1000, IssuedAt: 2000, ExpiresAt: 3000, Cause: cause,
		Evidence: map[string]any{"text": "b", "ratio": 0.5, "a": "c", "z": "y", "deep": map[string]any{"two": 2.5, "one": true}},
	}
	exception = inventory.Exception{
		ID: "x1", Class: inventory.Oversell, SKU: "a", Location: "b", Channels: []string{"web"}, Status: inventory.Acting, Severity: inventory.High,
		Exposure: 500, Confidence: 0.5, Owner: "kim", ApprovedBy: "lee", SLADue: 4, Reason: "Two > one.", Evidence: map[string]any{"n": "1", "m": "2"},
		Recommendations: []inventory.Recommendation{{Action: "transfer", Channel: "web", From: "york", Quantity: 3, Why: "so"}},
		OpenedAt:        5, UpdatedAt: 6, History: []inventory.Change{{At: 5, Status: inventory.Acting, By: "holdfast", Note: "n", Decision: "m1"}}, Cause: cause,
	}
	decision = inventory.Decision{
		ID: "a1", Decision: "open", Exception: "x1", Class: inventory.Oversell, SKU: "a", Location: "b", Commands: []string{"c"}, Rule: "atp < 0", Reason: "so",
		Before: &inventory.Figures{Network: inventory.NetworkFigures{Locations: 1, Sum: 2, ATP: 2}, Open: []string{}, Held: []string{}},
		After: &inventory.Figures{
			Stock:   &inventory.StockFigures{Quantities: inventory.Quantities{OnHand: -1, Reserved: 2}, ATP: -3, PhantomProbability: 0.25},
			Network: inventory.NetworkFigures{Locations: 1, Sum: -3}, Open: []string{"x1"}, Held: []string{"web", "store@*"},
		},
		Inputs: map[string]any{"x": "y", "w": "z"}, Policy: "p1", Autonomy: inventory.Auto, By: "kim", Note: "n", Refused: "why", EventTime: 9, IssuedAt: 10, Cause: cause,
	}
)

func TestOutputsAreReadAgain(t *testing.T) {
	for name, v := range map[string]any{"command": command, "exception": exception, "decision": decision} {
		for i := range reflect.TypeOf(v).NumField() {
			if f := reflect.ValueOf(v).Field(i); f.IsZero() {
				t.Errorf("the %s of this test leaves out %s", name, reflect.TypeOf(v).Field(i).Name)
			}
		}
	}
	for _, e := range []Encoding{JSON, Msgpack} {
		data, err := EncodeCommand(&command, e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeCommand(data); err != nil || !reflect.DeepEqual(got, command) {
			t.Errorf("%s: got %+v, %v", e, got, err)
		}
	}
	data, err := EncodeException(&exception)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeException(data); err != nil || !reflect.DeepEqual(got, exception) {
		t.Errorf("exception: got %+v, %v", got, err)
	}
	if data, err = EncodeDecision(&decision); err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeDecision(data); err != nil || !reflect.DeepEqual(got, decision) {
		t.Errorf("decision: got %+v, %v", got, err)
	}
}

// TestTheSameValueGivesTheSameBytes draws evidence, whose names a map hands out in any order.
func TestTheSameValueGivesTheSameBytes(t *testing.T) {
	encode := map[string]func(evidence map[string]any) ([]byte, error){
		"command in JSON": func(evidence map[string]any) ([]byte, error) {
			return EncodeCommand(&inventory.Command{Evidence: evidence}, JSON)
		},
		"command in msgpack": func(evidence map[string]any) ([]byte, error) {
			return EncodeCommand(&inventory.Command{Evidence: evidence}, Msgpack)
		},
		"exception": func(evidence map[string]any) ([]byte, error) {
			return EncodeException(&inventory.Exception{Evidence: evidence})
		},
		"decision": func(evidence map[string]any) ([]byte, error) {
			return EncodeDecision(&inventory.Decision{Inputs: evidence})
		},
	}
	figures := rapid.OneOf(
		rapid.Int64().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.String().AsAny(), rapid.Bool().AsAny(),
		rapid.MapOfN(rapid.StringN(0, 3, -1), rapid.Int().AsAny(), 2, 5).AsAny(),
	)
	rapid.Check(t, func(t *rapid.T) {
		evidence := rapid.MapOfN(rapid.StringN(0, 5, -1), figures, 2, 12).Draw(t, "evidence")
		for what, encode := range encode {
			first, err := encode(evidence)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			for range 5 {
				if again, err := encode(evidence); err != nil || !bytes.Equal(first, again) {
					t.Fatalf("%s: %q and then %q, %v", what, first, again, err)
				}
			}
		}
	})
}

// TestTheNamesOnTheWire: msgpack and JSON name a command's fields alike, whoever reads it.
func TestTheNamesOnTheWire(t *testing.T) {
	var fromJSON, fromMsgpack map[string]any
	text, err := EncodeCommand(&command, JSON)
	if err == nil {
		err = json.Unmarshal(text, &fromJSON)
	}
	if err != nil {
		t.Fatal(err)
	}
	packed, err := EncodeCommand(&command, Msgpack)
	if err == nil {
		err = msgpack.Unmarshal(packed, &fromMsgpack)
	}
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(`id action channel sku location sellable revision exception class confidence reason evidence autonomy approved_by
		policy event_time issued_at expires_at cause`)
	if len(fromJSON) != len(names) || len(fromMsgpack) != len(names) {
		t.Errorf("%d fields in JSON, %d in msgpack, want %d", len(fromJSON), len(fromMsgpack), len(names))
	}
	for _, name := range names {
		if fromJSON[name] == nil || fromMsgpack[name] == nil {
			t.Errorf("%s is %v in JSON and %v in msgpack", name, fromJSON[name], fromMsgpack[name])
		}
	}
	if fromJSON["event_time"] != "1970-01-01T00:00:01.000Z" {
		t.Errorf("event_time is %v", fromJSON["event_time"])
	}
	if !bytes.Contains(text, []byte(`"channel":"web & more"`)) || !bytes.Contains(text, []byte("Four <left>.")) {
		t.Errorf("JSON is not as people read it: %s", text)
	}
}

func TestWhatIsNoOutput(t *testing.T) {
	for name, data := range map[string]string{
		"nothing": "", "cut off JSON": "{", "JSON and more": "{} {}", "a JSON array": "[]", "JSON null": "null",
		"a byte never used": "\xc1", "cut off msgpack": "\x81\xa2id", "nil": "\xc0", "an array": "\x90", "a number": "\x05",
		"a map and more": "\x80\x80", "a wrong type": "\x81\xa2id\x05", "names that are no strings": "\x81\xa8evidence\x81\x01\x02",
		"a nest deeper than a stack": "\x81\xa7unknown" + strings.Repeat("\x91", 1<<23),
	} {
		c, err := DecodeCommand([]byte(data))
		if err == nil || !reflect.DeepEqual(c, inventory.Command{}) || len(err.Error()) > 300 {
			t.Errorf("%s is a command: %+v, %.400v", name, c, err)
		}
	}
	for _, data := range []string{"", "{", "[]", "{}{}", `{"cause":{"sequence":-1}}`} {
		if x, err := DecodeException([]byte(data)); err == nil {
			t.Errorf("%q is an exception: %+v", data, x)
		}
		if d, err := DecodeDecision([]byte(data)); err == nil {
			t.Errorf("%q is a decision: %+v", data, d)
		}
	}
}

// TestWhatCannotBeWritten names what it was.
func TestWhatCannotBeWritten(t *testing.T) {
	c := inventory.Command{ID: "1-2-3-0", Evidence: map[string]any{"ratio": math.NaN()}}
	if data, err := EncodeCommand(&c, JSON); err == nil || !strings.Contains(err.Error(), "command 1-2-3-0") {
		t.Errorf("NaN is written: %s, %v", data, err)
	}
	c.Evidence["ratio"] = func() {}
	if data, err := EncodeCommand(&c, Msgpack); err == nil || !strings.Contains(err.Error(), "command 1-2-3-0") {
		t.Errorf("a function is written: %q, %v", data, err)
	}
}

func TestParseEncoding(t *testing.T) {
	for _, e := range []Encoding{JSON, Msgpack} {
		if got, err := ParseEncoding(string(e)); err != nil || got != e {
			t.Errorf("%s is %q, %v", e, got, err)
		}
	}
	for _, name := range []string{"", "JSON", "yaml"} {
		if got, err := ParseEncoding(name); err == nil {
			t.Errorf("%q is %q", name, got)
		}
	}
}
