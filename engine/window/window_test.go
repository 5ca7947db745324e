package window

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// event is what was added, as the naive model keeps it.
type event struct {
	time, watermark inventory.Millis
	mask            uint8
	units           int64
	times           int64
}

// naive is every event there ever was.
type naive []event

// sum adds up, over the newest panes of a tier as of the watermark, what was in time: an event that came
// when its pane was evicted already is in no pane.
func (n naive) sum(t Tier, s Series, panes int64, watermark inventory.Millis) Total {
	var sum Total
	for _, e := range n {
		pane := int64(e.time / t.Size())
		inTime := pane > int64(e.watermark/t.Size())-t.Panes()
		inSpan := pane > int64(watermark/t.Size())-min(panes, t.Panes())
		if inTime && inSpan && e.mask&s.Bit() != 0 {
			sum.add(Total{e.times, e.times * e.units})
		}
	}
	return sum
}

const start inventory.Millis = 1_795_392_000_000

// drawnUnits draws units of one event, few mostly, and as many as there may be.
func drawnUnits() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(1, 3), rapid.Int64Range(-200, 200), rapid.Int64Range(-inventory.QuantityMax, inventory.QuantityMax))
}

// TestSumsEqualTheNaiveOnes: any events in any order, late ones among them, and any leap of event time. What
// was asked and stored in between never shows in the bytes.
func TestSumsEqualTheNaiveOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w, unasked Windows
		var all naive
		watermark := start
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			scale := rapid.SampledFrom([]inventory.Millis{1, inventory.Second, inventory.Minute, inventory.Hour, inventory.Day}).Draw(t, "scale")
			watermark += inventory.Millis(rapid.Int64Range(0, 70).Draw(t, "on")) * scale
			e := event{
				time:      watermark - inventory.Millis(rapid.Int64Range(0, 80).Draw(t, "late"))*scale,
				watermark: watermark,
				mask:      uint8(rapid.IntRange(0, 1<<seriesCount-1).Draw(t, "series")),
				units:     drawnUnits().Draw(t, "units"),
				times:     rapid.SampledFrom([]int64{1, 1, 1, 14, 200, 300}).Draw(t, "times"),
			}
			all = append(all, e)
			for range e.times {
				w.Add(e.time, e.watermark, e.mask, e.units)
				unasked.Add(e.time, e.watermark, e.mask, e.units)
			}
			if !w.ordered() {
				t.Fatalf("cells %x, ending at %d, are out of order", w.cells, w.end)
			}
			if rapid.Bool().Draw(t, "stored") {
				w = stored(t, &w)
			}
			// As of now, and as of later without an event in between.
			for _, at := range []inventory.Millis{watermark, watermark + inventory.Millis(rapid.Int64Range(0, 90).Draw(t, "ahead"))*scale} {
				equal(t, &w, all, at)
			}
		}
		if got, want := w.Append(nil), unasked.Append(nil); string(got) != string(want) {
			t.Fatalf("written as %x, and as %x where nothing was asked or stored", got, want)
		}
	})
}

// TestTheOrderOfArrivalDoesNotShow: of events that come under one watermark.
func TestTheOrderOfArrivalDoesNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
			return event{
				time:  start - inventory.Millis(rapid.Int64Range(0, 600).Draw(t, "late"))*rapid.SampledFrom([]inventory.Millis{inventory.Second, inventory.Hour}).Draw(t, "scale"),
				mask:  uint8(rapid.IntRange(0, 1<<seriesCount-1).Draw(t, "series")),
				units: drawnUnits().Draw(t, "units"),
			}
		}), 1, 50).Draw(t, "events")
		var a, b Windows
		for _, e := range events {
			a.Add(e.time, start, e.mask, e.units)
		}
		for _, e := range rapid.Permutation(events).Draw(t, "arrival") {
			b.Add(e.time, start, e.mask, e.units)
		}
		if got, want := b.Append(nil), a.Append(nil); string(got) != string(want) {
			t.Fatalf("written as %x, and in another order of arrival as %x", got, want)
		}
	})
}

func equal(t *rapid.T, w *Windows, all naive, at inventory.Millis) {
	for tier := range tierCount {
		for s := range seriesCount {
			for _, panes := range []int64{1, 5, tier.Panes() - 1, tier.Panes(), tier.Panes() + 10} {
				if got, want := w.Sum(tier, s, panes, at), all.sum(tier, s, panes, at); got != want {
					t.Fatalf("tier %d, series %d, %d panes at %v: %+v, want %+v", tier, s, panes, at, got, want)
				}
			}
		}
	}
}

// stored returns w as it comes back from its bytes.
func stored(t *rapid.T, w *Windows) Windows {
	coded := w.Append(nil)
	var back Windows
	r := wire.NewReader(coded)
	back.Read(r)
	if err := r.Done(); err != nil {
		t.Fatalf("read: %v", err)
	}
	if again := back.Append(nil); string(again) != string(coded) {
		t.Fatalf("written as %x, then as %x", coded, again)
	}
	return back
}

// TestTiersNest: the invariants that pouring rests on.
func TestTiersNest(t *testing.T) {
	for tier := range tierCount {
		if tiers[tier].panes >= panesMax {
			t.Errorf("tier %d has %d panes, want less than %d", tier, tiers[tier].panes, panesMax)
		}
		for _, second := range []int64{0, 59, 60, 86_399, 86_400, int64(start / inventory.Second)} {
			index := tier.index(second)
			if want := int64(inventory.Millis(second) * inventory.Second / tier.Size()); index != want {
				t.Errorf("tier %d: second %d is in pane %d, want %d", tier, second, index, want)
			}
			if first := tier.second(index); first > second || tier.index(first) != index || first > 0 && tier.index(first-1) == index {
				t.Errorf("tier %d: pane %d begins with second %d", tier, index, first)
			}
		}
		if next := tier + 1; next < tierCount {
			if next.Size()%tier.Size() != 0 {
				t.Errorf("tier %d: a pane of %v is no multiple of one of %v", next, next.Size(), tier.Size())
			}
			if reach := inventory.Millis(tier.Panes()) * tier.Size(); reach > inventory.Millis(next.Panes()-1)*next.Size() {
				t.Errorf("tier %d reaches back %v, further than what the next is sure to keep", tier, reach)
			}
		}
	}
}

// TestTheSumsAreWhatThePanesHold: subtracting what leaves a tier leaves exactly the rest, and a key that
// has long been busy is no larger than its panes.
func TestTheSumsAreWhatThePanesHold(t *testing.T) {
	var w Windows
	for i := range 5000 {
		at := start + inventory.Millis(i*i%977)*inventory.Second + inventory.Millis(i)*inventory.Minute
		w.Add(at-inventory.Millis(i%7)*inventory.Second, at, Demand.Bit()|Sales.Bit(), int64(i%11)-3)
		kept := w.Sum(Days, Demand, Days.Panes(), at)
		if w.sums == nil {
			continue
		}
		before := *w.sums
		w.sums = nil
		if got := w.all(Days, Demand); got != kept || *w.sums != before {
			t.Fatalf("event %d: sums %+v, the panes hold %+v", i, before, *w.sums)
		}
		if most := (60 + 60 + 48 + 35) * cellBytes; len(w.cells) > most {
			t.Fatalf("event %d: %d bytes of panes, %d at most", i, len(w.cells), most)
		}
	}
}

// TestAnAddAllocatesNothing once the key has had what it comes to have.
func TestAnAddAllocatesNothing(t *testing.T) {
	var w Windows
	at := start
	add := func() {
		at += 7 * inventory.Second
		w.Add(at-3*inventory.Second, at, Demand.Bit()|Sales.Bit(), 2)
	}
	for range 36 * inventory.Day / (7 * inventory.Second) {
		add()
	}
	if n := testing.AllocsPerRun(10_000, add); n != 0 {
		t.Errorf("%v allocations an Add, want none", n)
	}
}

// TestALateEventGoesIntoItsOwnPane, as long as the pane is kept.
func TestALateEventGoesIntoItsOwnPane(t *testing.T) {
	var w Windows
	now := start + inventory.Day
	w.Add(now, now, Sales.Bit(), 1)
	w.Add(now-59*inventory.Second, now, Sales.Bit(), 10)
	w.Add(now-60*inventory.Second, now, Sales.Bit(), 100) // one second too late for the seconds
	for _, c := range []struct {
		tier  Tier
		panes int64
		want  Total
	}{
		{Seconds, 1, Total{1, 1}},
		{Seconds, 59, Total{1, 1}},
		{Seconds, 60, Total{2, 11}},
		{Minutes, 1, Total{1, 1}},
		{Minutes, 2, Total{3, 111}},
		{Days, 35, Total{3, 111}},
	} {
		if got := w.Sum(c.tier, Sales, c.panes, now); got != c.want {
			t.Errorf("tier %d, newest %d panes: %+v, want %+v", c.tier, c.panes, got, c.want)
		}
	}
	if got := w.Sum(Days, Returns, 35, now); got != (Total{}) {
		t.Errorf("a series that nothing was added to has %+v", got)
	}
}

func TestReadRefuses(t *testing.T) {
	var w Windows
	w.Add(start, start, Sales.Bit(), 300)
	w.Add(start-inventory.Hour, start, Sales.Bit(), 1)
	coded := w.Append(nil)
	for n := range coded {
		r := wire.NewReader(coded[:n])
		var back Windows
		back.Read(r)
		if err := r.Done(); err == nil || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("%d of %d bytes: %v", n, len(coded), err)
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(w *Windows)
	}{
		{"an hour in a place of seconds", func(w *Windows) { w.end[Minutes] = 0 }},
		{"half a cell", func(w *Windows) { w.end[Minutes]-- }},
		{"a tier that is longer than all", func(w *Windows) { w.end[Hours] = 1000 }},
		{"a group that is none", func(w *Windows) { w.cells[0] |= 0x80; w.cells[1] |= 3 }},
		{"a width that is none", func(w *Windows) { w.cells[len(w.cells)-headerBytes] |= 7 }},
		{"a pane that is not kept", func(w *Windows) { w.asOf += 61 }},
		{"a year after 9999", func(w *Windows) { w.asOf += int64(inventory.MillisMax) }},
	} {
		spoilt := w
		spoilt.cells = bytes.Clone(w.cells)
		c.spoil(&spoilt)
		r := wire.NewReader(spoilt.Append(nil))
		var back Windows
		back.Read(r)
		if err := r.Done(); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v, want %v", c.name, err, errBroken)
		}
	}
}

// FuzzRead: any bytes are windows or an error, and what was read is written the same ever after.
func FuzzRead(f *testing.F) {
	var w Windows
	f.Add(w.Append(nil))
	w.Add(start, start, Demand.Bit()|Sales.Bit(), 3)
	w.Add(start-inventory.Hour, start, Returns.Bit(), -3)
	f.Add(w.Append(nil))
	f.Fuzz(func(t *testing.T, coded []byte) {
		r := wire.NewReader(coded)
		var w Windows
		w.Read(r)
		if r.Done() != nil {
			return
		}
		once := w.Append(nil)
		r = wire.NewReader(once)
		var back Windows
		back.Read(r)
		if err := r.Done(); err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if again := back.Append(nil); string(again) != string(once) {
			t.Fatalf("written as %x, then as %x", once, again)
		}
		w.Add(start, start, Sales.Bit(), 1)
		w.Sum(Hours, Sales, 48, start)
	})
}
