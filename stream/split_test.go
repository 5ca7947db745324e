package stream

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestSplitKeepsEveryByte(t *testing.T) {
	g := &Gateway{topology: Topology{Prefix: "holdfast", Partitions: 3}}
	subject := "holdfast.in.token"
	rapid.Check(t, func(t *rapid.T) {
		var payload []byte
		for i := range rapid.IntRange(0, 8).Draw(t, "items") {
			d := sale(fmt.Sprint(i), fmt.Sprint("sku", rapid.IntRange(0, 9).Draw(t, "sku")))
			switch rapid.IntRange(0, 6).Draw(t, "form") {
			case 0, 1:
				payload = codec.AppendDelta(payload, &d)
			case 2:
				payload = codec.AppendDeltaMap(payload, &d)
			case 3:
				payload = fmt.Appendf(payload, `{"id":%q,"source":"s","sku":%q,"location":"l","kind":"sale","quantity":1,"channel":"web","time":1}`, d.ID, d.SKU)
			case 4:
				payload = append(payload, rapid.SampledFrom([]string{"\n", " ", "nonsense\n", "{}", "{\"id\":", "[1]\n", "\"x"}).Draw(t, "text")...)
			case 5:
				payload = append(payload, rapid.SliceOfN(rapid.Byte(), 1, 5).Draw(t, "bytes")...)
			case 6:
				payload = codec.AppendDelta(payload, &inventory.Delta{ID: d.ID, Source: "s", Kind: inventory.Tick, Time: 1})
			}
		}
		splits(t, g, subject, payload)
	})
}

// FuzzSplit: whatever the bytes, no item is lost, doubled, changed or misdirected.
func FuzzSplit(f *testing.F) {
	g := &Gateway{topology: Topology{Prefix: "holdfast", Partitions: 3}}
	tea, coffee := sale("1", "tea"), sale("2", "coffee")
	f.Add("tea", packed(tea, coffee))
	f.Add("tea", append(codec.AppendDeltaJSON(nil, &tea), "\n{broken\n[]"...))
	f.Add("*", codec.AppendDelta(packed(coffee), &inventory.Delta{ID: "t", Source: "s", Kind: inventory.Tick, Time: 1}))
	f.Add("", []byte{0x91})
	f.Fuzz(func(t *testing.T, token string, payload []byte) { splits(t, g, "holdfast.in."+token, payload) })
}

// splits holds what a payload is split into against its items.
func splits(t interface{ Errorf(string, ...any) }, g *Gateway, subject string, payload []byte) {
	strays := g.subjectPartition(subject)
	want := map[int][]string{}
	for _, item := range items(payload) {
		switch {
		case item.bad:
			want[strays] = append(want[strays], item.text)
		case item.sku == "":
			for p := range 3 {
				want[p] = append(want[p], item.text)
			}
		default:
			p := codec.Partition(item.sku, 3)
			want[p] = append(want[p], item.text)
		}
	}
	got := map[int][]string{}
	for _, part := range g.split(&nats.Msg{Subject: subject, Data: payload}) {
		if len(part.data) > len(payload) {
			t.Errorf("a part of %d bytes of a payload of %d", len(part.data), len(payload))
		}
		bad := false
		for _, item := range items(part.data) {
			got[part.partition] = append(got[part.partition], item.text)
			bad = bad || item.bad
		}
		if bad != part.bad {
			t.Errorf("partition %d: bad is %v", part.partition, part.bad)
		}
	}
	for p := range 3 {
		if !slices.Equal(got[p], want[p]) {
			t.Errorf("%q: partition %d gets %q, want %q", payload, p, got[p], want[p])
		}
	}
}

type item struct {
	text, sku string
	bad       bool
}

func items(payload []byte) (all []item) {
	var b codec.Batch
	b.Decode(payload)
	for i, d := range b.Deltas {
		it := item{text: string(payload[b.Spans[i].Start:b.Spans[i].End]), sku: d.SKU}
		if len(b.Bad) > 0 && b.Bad[0].Index == i {
			it.bad, it.text = true, it.text+" "+string(b.Bad[0].Err.Reason)
			b.Bad = b.Bad[1:]
		}
		all = append(all, it)
	}
	return all
}
