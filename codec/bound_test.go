package codec

import (
	"bytes"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
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

// TestAMessageHasSoManyItems: what is behind them is one item more, with all of its bytes, and the next message of the
// same batch has as many again.
func TestAMessageHasSoManyItems(t *testing.T) {
	const payloadBytes = 512 << 10
	ticks := bytes.Repeat(AppendDelta(nil, &inventory.Delta{Kind: inventory.Tick, ID: "1", Source: "s", Time: 1}), MessageItemsMax+2)
	var b Batch
	for name, c := range map[string]struct {
		payload       []byte
		items, behind int // the bytes behind the last item that was looked at; 0: all were
	}{
		"bad ones of a byte":       {bytes.Repeat([]byte{1}, payloadBytes), MessageItemsMax + 1, payloadBytes - MessageItemsMax},
		"as many as there may be":  {bytes.Repeat([]byte{1}, MessageItemsMax), MessageItemsMax, 0},
		"and space behind them":    {append(bytes.Repeat([]byte{1}, MessageItemsMax), " \n"...), MessageItemsMax, 0},
		"good ones, and two more":  {ticks, MessageItemsMax + 1, 2 * len(ticks) / (MessageItemsMax + 2)},
		"nothing":                  {nil, 1, 0},
		"as many lines that break": {bytes.Repeat([]byte("{\n"), payloadBytes/2), MessageItemsMax + 1, payloadBytes - 2*MessageItemsMax},
	} {
		first := len(b.Deltas)
		b.DecodeMessage(c.payload)
		if got := len(b.Deltas) - first; got != c.items {
			t.Errorf("%s: %d items, want %d", name, got, c.items)
			continue
		}
		var last *inventory.Invalid
		if n := len(b.Bad); n > 0 && b.Bad[n-1].Index == len(b.Deltas)-1 {
			last = b.Bad[n-1].Err
		}
		span := b.Spans[len(b.Spans)-1]
		if cut := last != nil && last.Reason == inventory.TooMany; cut != (c.behind > 0) || cut && (span.End != len(c.payload) || span.End-span.Start != c.behind) {
			t.Errorf("%s: the last item is %v of %d bytes, %v; want %d bytes behind the others", name, span, len(c.payload), last, c.behind)
		}
	}
}
