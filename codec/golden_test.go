package codec

import (
	"reflect"
	"testing"

	"github.com/holdfast-atp/holdfast/internal/golden"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTheWireStaysAsItIs: what producers send and subscribers were sent is read as ever, and written as ever.
func TestTheWireStaysAsItIs(t *testing.T) {
	d := inventory.Delta{
		ID: "d-1", Source: "pos-117", SKU: "a b.c*>", Location: "köln", Kind: inventory.Reserve, Quantity: 3, Time: 1_764_000_000_000,
		Channel: "web", Ref: "o-1", Reason: "why", Counterparty: "york", Due: 1_764_000_060_000, Price: 499,
		Attrs: []inventory.Attr{{Name: "till", Value: "4"}},
	}
	least := inventory.Delta{ID: "t", Source: "s", Kind: inventory.Tick, Time: 1}
	for name, form := range forms {
		kept := golden.Bytes(t, "delta."+name, form(form(nil, &d), &least))
		var b Batch
		b.Decode(kept)
		if len(b.Bad) > 0 || !reflect.DeepEqual(b.Deltas, []inventory.Delta{d, least}) {
			t.Errorf("%s: read as %+v, bad %+v", name, b.Deltas, b.Bad)
		}
		if now := form(form(nil, &d), &least); string(now) != string(kept) {
			t.Errorf("%s: written as %q, it was %q", name, now, kept)
		}
	}

	// About what nobody decided.
	by := decision
	by.Reason, by.Before, by.After = "", nil, nil
	found, own := exception, by
	found.ApprovedBy, found.History = "", []inventory.Change{exception.History[0]}
	found.History[0].Decision = ""
	own.By, own.Note, own.Refused = "", "", ""

	sent := map[string]struct {
		encode func() ([]byte, error)
		decode func([]byte) (any, error)
		want   any
	}{
		"command.json": {
			func() ([]byte, error) { return EncodeCommand(&command, JSON) },
			func(data []byte) (any, error) { return DecodeCommand(data) }, command},
		"command.msgpack": {
			func() ([]byte, error) { return EncodeCommand(&command, Msgpack) },
			func(data []byte) (any, error) { return DecodeCommand(data) }, command},
		"exception-decided.json": {
			func() ([]byte, error) { return EncodeException(&exception) },
			func(data []byte) (any, error) { return DecodeException(data) }, exception},
		"exception.json": {
			func() ([]byte, error) { return EncodeException(&found) },
			func(data []byte) (any, error) { return DecodeException(data) }, found},
		"decision-figures.json": {
			func() ([]byte, error) { return EncodeDecision(&decision) },
			func(data []byte) (any, error) { return DecodeDecision(data) }, decision},
		"decision-by.json": {
			func() ([]byte, error) { return EncodeDecision(&by) },
			func(data []byte) (any, error) { return DecodeDecision(data) }, by},
		"decision.json": {
			func() ([]byte, error) { return EncodeDecision(&own) },
			func(data []byte) (any, error) { return DecodeDecision(data) }, own},
	}
	for name, s := range sent {
		now, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		kept := golden.Bytes(t, name, now)
		if got, err := s.decode(kept); err != nil || !reflect.DeepEqual(got, s.want) {
			t.Errorf("%s: read as %+v, %v", name, got, err)
		}
		if string(now) != string(kept) {
			t.Errorf("%s: written as %q, it was %q", name, now, kept)
		}
	}
}
