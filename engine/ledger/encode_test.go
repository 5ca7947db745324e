package ledger

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// coded is what has bytes.
type coded interface {
	Append(dst []byte) []byte
	Read(r *wire.Reader)
}

// roundTrip reads v's bytes into back, which must come to equal it.
func roundTrip(t *rapid.T, v, back coded) {
	value := v.Append(nil)
	r := wire.NewReader(value)
	back.Read(r)
	if err := r.Done(); err != nil {
		t.Fatalf("read %x: %v", value, err)
	}
	if !reflect.DeepEqual(v, back) {
		t.Fatalf("written %+v, read %+v", v, back)
	}
}

// TestWhatIsWrittenIsRead: ledgers, timelines and pages as they come about.
func TestWhatIsWrittenIsRead(t *testing.T) {
	const lateness = inventory.Hour
	rapid.Check(t, func(t *rapid.T) {
		var k kept
		timelines := map[string]*Timeline{}
		watermark := gen.Start
		for _, d := range gen.Log(gen.Shape{DeltasMax: 100, Lateness: lateness, Orderly: true, Hot: true}).Draw(t, "log") {
			watermark = max(watermark, d.Time)
			k.apply(t, d, watermark-lateness)
			if class := classOf(d.Kind); class != 0 {
				tl := timelines[d.Ref]
				if tl == nil || tl.Class != class {
					tl = &Timeline{Class: class}
					timelines[d.Ref] = tl
				}
				tl.Apply(&d, watermark, watermark-lateness, nil)
				tl.TimerAt = tl.NextTimer(lateness)
				if len(tl.events) == 0 {
					tl.events = nil // as it is read
				}
				roundTrip(t, tl, &Timeline{})
			}
		}
		trim(&k.Ledger)
		roundTrip(t, &k.Ledger, &Ledger{})
		for _, p := range k.pages {
			roundTrip(t, &p.Moves, &Moves{})
		}
	})
}

// trim makes of what is empty what it is when it is read.
func trim(l *Ledger) {
	if len(l.moves.coded) == 0 {
		l.moves.coded = nil
	}
	if len(l.setters) == 0 {
		l.setters = nil
	}
}

func classOf(k inventory.Kind) Class {
	switch k {
	case inventory.Reserve, inventory.Release, inventory.Ship:
		return Reservation
	case inventory.ASN, inventory.Receipt:
		return Inbound
	case inventory.TransferOut, inventory.TransferIn:
		return InTransit
	}
	return 0
}

// specimens are values with something in every field.
func specimens() (ledger, timeline, page []byte) {
	var k kept
	tl := Timeline{Class: Reservation}
	for i := range 5 {
		now := gen.Start + inventory.Millis(i)*inventory.Minute
		for _, d := range []inventory.Delta{
			{Kind: inventory.Count, Quantity: 9}, {Kind: inventory.Safety, Quantity: 2}, {Kind: inventory.Block, Quantity: 1},
			{Kind: inventory.Listing, Quantity: 7, Channel: "web"}, {Kind: inventory.Allocate, Quantity: 5, Channel: "amazon"},
			{Kind: inventory.Sale, Quantity: 3, Channel: "amazon", Price: 250},
		} {
			d.ID, d.Source, d.Time = "d1", "pos", now
			_ = k.Apply(&d, k.history)
		}
		tl.Apply(&inventory.Delta{Kind: inventory.Reserve, Quantity: 2, Time: now, Channel: "web", Due: now + 1000}, now, 0, nil)
		tl.Apply(&inventory.Delta{Kind: inventory.Release, Quantity: 1, Time: now}, now, 0, nil)
	}
	return k.Ledger.Append(nil), tl.Append(nil), k.moves.Append(nil)
}

func TestACutIsNoticed(t *testing.T) {
	l, tl, page := specimens()
	for _, c := range []struct {
		name  string
		value []byte
		into  coded
	}{{"ledger", l, &Ledger{}}, {"timeline", tl, &Timeline{}}, {"page", page, &Moves{}}} {
		for n := range c.value {
			r := wire.NewReader(c.value[:n])
			c.into.Read(r)
			if err := r.Done(); err == nil || !strings.Contains(err.Error(), "cut short") {
				t.Errorf("%s: %d of %d bytes: %v", c.name, n, len(c.value), err)
			}
		}
	}
}

// FuzzRead: any bytes are a value or an error, and what was read is written the same ever after.
func FuzzRead(f *testing.F) {
	l, tl, page := specimens()
	for _, value := range [][]byte{l, tl, page, {}, {0xff}} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, pair := range [][2]coded{{&Ledger{}, &Ledger{}}, {&Timeline{}, &Timeline{}}, {&Moves{}, &Moves{}}} {
			r := wire.NewReader(value)
			pair[0].Read(r)
			if r.Done() != nil {
				continue
			}
			once := pair[0].Append(nil)
			r = wire.NewReader(once)
			pair[1].Read(r)
			if err := r.Done(); err != nil {
				t.Fatalf("%T: what was written is not read: %v", pair[0], err)
			}
			if again := pair[1].Append(nil); string(again) != string(once) {
				t.Fatalf("%T: written as %x, then as %x", pair[0], once, again)
			}
		}
	})
}
