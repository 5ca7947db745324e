package codec

import (
	"bytes"
	"testing"
)

// TestItemsAreBounded: a body of bad items of one byte each costs no more than the bound.
func TestItemsAreBounded(t *testing.T) {
	for name, decode := range map[string]func(*Batch, int){
		"one after another": func(b *Batch, n int) { b.Decode(bytes.Repeat([]byte{1}, n)) },
		"array": func(b *Batch, n int) {
			if err := b.DecodeJSONArray([]byte("[" + string(bytes.Repeat([]byte("1,"), n-1)) + "1]")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, c := range []struct {
			itemsMax, given, decoded int
			full                     bool
		}{{0, 7, 7, false}, {8, 7, 7, false}, {7, 7, 7, false}, {6, 7, 6, true}} {
			b := Batch{ItemsMax: c.itemsMax}
			decode(&b, c.given)
			if len(b.Deltas) != c.decoded || len(b.Spans) != c.decoded || b.Full != c.full {
				t.Errorf("%s: %d of %d items with a bound of %d, full %v", name, len(b.Deltas), c.given, c.itemsMax, b.Full)
			}
		}
	}
}
