package inventory

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestKindsKeepTheirNumbers: the engine has stored them.
func TestKindsKeepTheirNumbers(t *testing.T) {
	inOrder := strings.Fields(`sale reserve release ship return asn receipt transfer_out transfer_in adjust block unblock
		count snapshot listing safety allocate pick_failed substitute promo task task_done capacity tick`)
	all := Kinds()
	if len(all) != len(inOrder) {
		t.Fatalf("%d kinds, want %d", len(all), len(inOrder))
	}
	for i, name := range inOrder {
		k := Kind(i + 1)
		if k.String() != name || all[i] != k || !k.Valid() || ParseKind(name) != k {
			t.Errorf("kind %d is %s, ParseKind says %d and Kinds %d; want %s", k, k, ParseKind(name), all[i], name)
		}
	}
	for _, k := range []Kind{KindNone, kinds, 255} {
		if k.Valid() || k.NeedsQuantity() || k.String() != "none" {
			t.Errorf("kind %d: valid %v, needs a quantity %v, name %s", k, k.Valid(), k.NeedsQuantity(), k)
		}
	}
}

func TestNoOtherNameIsAKind(t *testing.T) {
	for _, name := range []string{"", "none", "Sale", "sale ", "transfer-out", "task_", "tick\x00"} {
		if k := ParseKind(name); k != KindNone {
			t.Errorf("%q is taken for %s", name, k)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z_]{1,12}`).Draw(t, "name")
		if k := ParseKind(name); k != KindNone && k.String() != name {
			t.Fatalf("%q is taken for %s", name, k)
		}
	})
}

func TestKindsInText(t *testing.T) {
	for _, k := range Kinds() {
		text, err := json.Marshal(k)
		var back Kind
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || string(text) != `"`+k.String()+`"` || back != k {
			t.Errorf("%s is written %s and read as %s, %v", k, text, back, err)
		}
	}
	k := Sale
	var invalid *Invalid
	if err := k.UnmarshalText([]byte("teleport")); !errors.As(err, &invalid) || invalid.Reason != UnknownKind || k != Sale {
		t.Errorf("teleport is read as %s, %v; want %s and the kind left alone", k, err, UnknownKind)
	}
}

func TestOnlyATickNeedsNoQuantity(t *testing.T) {
	for _, k := range Kinds() {
		if k.NeedsQuantity() == (k == Tick) {
			t.Errorf("%s needs a quantity: %v", k, k.NeedsQuantity())
		}
	}
}
