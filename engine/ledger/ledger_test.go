package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// That a ledger's figures are right in any order of arrival is what the engine's own tests hold
// against the naive model. These are about what the engine does not show.

// kept is a ledger whose pages are kept beside it.
type kept struct {
	Ledger
	pages []Page
}

func (k *kept) history(since inventory.Millis, yield func(Move)) error {
	for _, p := range k.pages {
		if err := p.Moves.Each(since, yield); err != nil {
			return err
		}
	}
	return nil
}

func (k *kept) apply(t interface{ Fatal(...any) }, d inventory.Delta, horizon inventory.Millis) {
	if err := k.Apply(&d, k.history); err != nil {
		t.Fatal(err)
	}
	page, full, err := k.ClosePage(horizon)
	if err != nil {
		t.Fatal(err)
	}
	if full {
		k.pages = append(k.pages, page)
	}
}

// TestOnHandAt: the stock just before any moment that can still be asked for is the latest count before
// it and what moved since.
func TestOnHandAt(t *testing.T) {
	const lateness = inventory.Hour
	rapid.Check(t, func(t *rapid.T) {
		var k kept
		var log []inventory.Delta
		watermark := gen.Start
		for _, d := range gen.Log(gen.Shape{DeltasMax: 250, Lateness: lateness, Orderly: true, Hot: true}).Draw(t, "log") {
			if d.Kind == inventory.Tick {
				continue
			}
			watermark = max(watermark, d.Time)
			log = append(log, d)
			k.apply(t, d, watermark-lateness)
		}
		at := watermark - inventory.Millis(rapid.Int64Range(0, int64(lateness)).Draw(t, "ago"))
		got, err := k.OnHandAt(at, k.history)
		if err != nil {
			t.Fatal(err)
		}
		want := k.Counted.Value
		for _, d := range log {
			if d.Time >= k.Counted.Time && d.Time < at {
				want += moved(&d)
			}
		}
		if got != want {
			t.Fatalf("at %v: %d, want %d", at, got, want)
		}
	})
}

func moved(d *inventory.Delta) int64 {
	switch d.Kind {
	case inventory.Sale, inventory.Ship, inventory.TransferOut:
		return -d.Quantity
	case inventory.Return, inventory.Receipt, inventory.TransferIn, inventory.Adjust:
		return d.Quantity
	}
	return 0
}

// TestAHotLedgerStaysSmall: whatever moves, the ledger holds no more than a page of it.
func TestAHotLedgerStaysSmall(t *testing.T) {
	var k kept
	numbers := uint32(0)
	for i := range 10 * PageMoves {
		now := gen.Start + inventory.Millis(i)*inventory.Second
		k.apply(t, inventory.Delta{Kind: inventory.Adjust, Quantity: 1, Time: now}, now-inventory.Hour)
		if k.moves.Len() >= PageMoves {
			t.Fatalf("%d moves are held, a page has %d", k.moves.Len(), PageMoves)
		}
	}
	for _, p := range k.pages {
		if p.Number != numbers || p.End != p.Moves.last.Time {
			t.Errorf("page %d ends at %v; want number %d, ending at its last move", p.Number, p.End, numbers)
		}
		numbers++
	}
	if numbers != 10 {
		t.Errorf("%d pages of %d moves, want 10", numbers, PageMoves)
	}
}

// TestMovesOfOneMomentAreOne: a receipt of a hundred lines costs one move.
func TestMovesOfOneMomentAreOne(t *testing.T) {
	var k kept
	for range 100 {
		k.apply(t, inventory.Delta{Kind: inventory.Sale, Quantity: 2, Time: gen.Start, Channel: "web"}, 0)
	}
	if want := (Move{gen.Start, -200, 1, 200}); k.moves.Len() != 1 || k.moves.last != want {
		t.Errorf("moves are %+v, want %+v alone", k.moves, want)
	}
}

// TestOldMovesAreDroppedRatherThanPaged, where most of a page can be asked for no more.
func TestOldMovesAreDroppedRatherThanPaged(t *testing.T) {
	var k kept
	for i := range 5 * PageMoves {
		now := gen.Start + inventory.Millis(i)*inventory.Hour
		k.apply(t, inventory.Delta{Kind: inventory.Adjust, Quantity: 1, Time: now}, now-2*inventory.Hour)
	}
	if len(k.pages) != 0 || k.moves.Len() >= PageMoves {
		t.Errorf("%d pages and %d moves, want no page", len(k.pages), k.moves.Len())
	}
}

func TestAFailingHistoryIsTold(t *testing.T) {
	broken := errors.New("broken")
	for _, d := range []inventory.Delta{
		{Kind: inventory.Count, Quantity: 5, Time: gen.Start},
		{Kind: inventory.Allocate, Quantity: 5, Time: gen.Start, Channel: "web"},
	} {
		var k kept
		for i := range 2 * PageMoves {
			k.apply(t, inventory.Delta{Kind: inventory.Adjust, Quantity: 1, Time: gen.Start + inventory.Millis(i)}, 0)
		}
		err := k.Apply(&d, func(inventory.Millis, func(Move)) error { return broken })
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v, want %v", d.Kind, err, broken)
		}
	}
}

// TestCheck: no total goes beyond what JSON holds exactly, and to the last unit it may go.
func TestCheck(t *testing.T) {
	const most = inventory.QuantityMax
	full := Ledger{Quantities: inventory.Quantities{OnHand: most, Unavailable: most, Reserved: most, Inbound: most, InTransit: most}}
	empty := Ledger{Quantities: inventory.Quantities{OnHand: -most, Unavailable: -most}}
	for _, c := range []struct {
		name string
		l    *Ledger
		d    inventory.Delta
		want string
	}{
		{"receipt", &full, inventory.Delta{Kind: inventory.Receipt, Quantity: 1}, "on_hand"},
		{"return", &full, inventory.Delta{Kind: inventory.Return, Quantity: 1, Reason: Sellable}, "on_hand"},
		{"damaged return", &Ledger{Quantities: inventory.Quantities{Unavailable: most}}, inventory.Delta{Kind: inventory.Return, Quantity: 1}, "unavailable"},
		{"adjust up", &full, inventory.Delta{Kind: inventory.Adjust, Quantity: 1}, "on_hand"},
		{"adjust down", &full, inventory.Delta{Kind: inventory.Adjust, Quantity: -1}, ""},
		{"adjust down at the bottom", &empty, inventory.Delta{Kind: inventory.Adjust, Quantity: -1}, "on_hand"},
		{"sale", &full, inventory.Delta{Kind: inventory.Sale, Quantity: most}, ""},
		{"sale at the bottom", &empty, inventory.Delta{Kind: inventory.Sale, Quantity: 1}, "on_hand"},
		{"ship at the bottom", &empty, inventory.Delta{Kind: inventory.Ship, Quantity: 1}, "on_hand"},
		{"transfer out at the bottom", &empty, inventory.Delta{Kind: inventory.TransferOut, Quantity: 1}, "on_hand"},
		{"block", &full, inventory.Delta{Kind: inventory.Block, Quantity: 1}, "unavailable"},
		{"unblock at the bottom", &empty, inventory.Delta{Kind: inventory.Unblock, Quantity: 1}, "unavailable"},
		{"reserve", &full, inventory.Delta{Kind: inventory.Reserve, Quantity: 1}, "reserved"},
		{"asn", &full, inventory.Delta{Kind: inventory.ASN, Quantity: 1}, "inbound"},
		{"count", &full, inventory.Delta{Kind: inventory.Count, Quantity: most}, ""},
		{"release", &full, inventory.Delta{Kind: inventory.Release, Quantity: 1}, ""},
		{"the last unit", &Ledger{}, inventory.Delta{Kind: inventory.Adjust, Quantity: most}, ""},
	} {
		got, err := c.l.Check(&c.d, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if c.want != "" {
			want = "overflow: quantity: " + c.want + " would go beyond ±(2^53−1)"
		}
		if text := errorText(got); text != want {
			t.Errorf("%s: %q, want %q", c.name, text, want)
		}
	}
	if full.CheckInTransit(1) == nil || full.CheckInTransit(0) != nil {
		t.Errorf("in transit: %v and %v", full.CheckInTransit(1), full.CheckInTransit(0))
	}
}

func errorText(bad *inventory.Invalid) string {
	if bad == nil {
		return ""
	}
	return bad.Error()
}

func TestChannelATPLeavesOutWhatOthersKeep(t *testing.T) {
	var k kept
	for i, d := range []inventory.Delta{
		{Kind: inventory.Count, Quantity: 10},
		{Kind: inventory.Allocate, Quantity: 4, Channel: "web"},
		{Kind: inventory.Allocate, Quantity: 3, Channel: "amazon"},
		{Kind: inventory.Sale, Quantity: 5, Channel: "web"},
	} {
		d.Time, d.ID = gen.Start+inventory.Millis(i), fmt.Sprint(i)
		k.apply(t, d, 0)
	}
	web, amazon := k.Find("web"), k.Find("amazon")
	if web.Fenced() != 0 || amazon.Fenced() != 3 || k.ChannelATP(0) != 2 || k.ChannelATP(1) != 5 {
		t.Errorf("fenced %d and %d, ATP %d and %d; want 0 and 3, 2 and 5", web.Fenced(), amazon.Fenced(), k.ChannelATP(0), k.ChannelATP(1))
	}
	if k.Find("store") != nil {
		t.Error("a channel that nothing named is known")
	}
}

// TestMovesAreAList of what was added, in memory and as stored, but for those of one moment.
func TestMovesAreAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Moves
		var list []Move
		for range rapid.IntRange(0, 60).Draw(t, "moves") {
			move := Move{
				Time:    inventory.Millis(rapid.Int64Range(0, 30).Draw(t, "time")),
				OnHand:  rapid.Int64Range(-inventory.QuantityMax, inventory.QuantityMax).Draw(t, "units"),
				Channel: rapid.IntRange(0, 2).Draw(t, "channel"),
			}
			if move.Channel > 0 {
				move.Consumed = -move.OnHand
			}
			m.add(move)
			if n := len(list); n > 0 && list[n-1].Time == move.Time && list[n-1].Channel == move.Channel {
				list[n-1].OnHand += move.OnHand
				list[n-1].Consumed += move.Consumed
				continue
			}
			list = append(list, move)
		}
		var back Moves
		r := wire.NewReader(m.Append(nil))
		back.Read(r)
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
		since := inventory.Millis(rapid.Int64Range(0, 31).Draw(t, "since"))
		want := slices.DeleteFunc(slices.Clone(list), func(m Move) bool { return m.Time < since })
		for _, m := range []*Moves{&m, &back} {
			var got []Move
			if err := m.Each(since, func(move Move) { got = append(got, move) }); err != nil {
				t.Fatal(err)
			}
			if m.Len() != len(list) || !slices.Equal(got, want) {
				t.Fatalf("%d moves, from %d on %+v; want %d, %+v", m.Len(), since, got, len(list), want)
			}
		}
	})
}

func TestBrokenMovesAreTold(t *testing.T) {
	var m Moves
	m.Read(wire.NewReader([]byte{3, 2, 0, 0, 0, 0, 1, 0x80}))
	if err := m.Each(0, func(Move) { t.Error("a move was read") }); err == nil || !strings.Contains(err.Error(), "read a list of 3 moves: value is cut short") {
		t.Errorf("read broken moves: %v", err)
	}
}

// BenchmarkMoves is what a page of moves costs to gather and to write.
func BenchmarkMoves(b *testing.B) {
	var m Moves
	var page []byte
	b.ReportAllocs()
	for i := range b.N {
		m.add(Move{gen.Start + inventory.Millis(i*700), -2, 1 + i%3, 2})
		if m.Len() == PageMoves {
			page = m.Append(page[:0])
			m.reset()
		}
	}
}
