package window

import (
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
			sum.add(Total{1, e.units})
		}
	}
	return sum
}

const start inventory.Millis = 1_795_392_000_000

// TestSumsEqualTheNaiveOnes: any events in any order, late ones among them, and any leap of event time.
func TestSumsEqualTheNaiveOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Windows
		var all naive
		watermark := start
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			scale := rapid.SampledFrom([]inventory.Millis{1, inventory.Second, inventory.Minute, inventory.Hour, inventory.Day}).Draw(t, "scale")
			watermark += inventory.Millis(rapid.Int64Range(0, 70).Draw(t, "on")) * scale
			e := event{
				time:      watermark - inventory.Millis(rapid.Int64Range(0, 80).Draw(t, "late"))*scale,
				watermark: watermark,
				mask:      uint8(rapid.IntRange(0, 1<<seriesCount-1).Draw(t, "series")),
				units:     rapid.Int64Range(-5, 5).Draw(t, "units"),
			}
			w.Add(e.time, e.watermark, e.mask, e.units)
			all = append(all, e)
			if rapid.Bool().Draw(t, "stored") {
				w = stored(t, &w)
			}
			// As of now, and as of later without an event in between.
			for _, at := range []inventory.Millis{watermark, watermark + inventory.Millis(rapid.Int64Range(0, 90).Draw(t, "ahead"))*scale} {
				equal(t, &w, all, at)
			}
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

// TestTotalsAreWhatThePanesHold: subtracting what is evicted leaves exactly the rest.
func TestTotalsAreWhatThePanesHold(t *testing.T) {
	var w Windows
	for i := range 5000 {
		at := start + inventory.Millis(i*i%977)*inventory.Second + inventory.Millis(i)*inventory.Minute
		w.Add(at-inventory.Millis(i%7)*inventory.Second, at, Demand.Bit()|Sales.Bit(), int64(i%11)-3)
		for tier := range w.tiers {
			tr := &w.tiers[tier]
			var want [seriesCount]Total
			for j := range tr.panes {
				for s := range want {
					want[s].add(tr.panes[j].by[s])
				}
				if j > 0 && tr.panes[j-1].index >= tr.panes[j].index {
					t.Fatalf("event %d, tier %d: panes %d and %d do not ascend", i, tier, j-1, j)
				}
			}
			if tr.total != want {
				t.Fatalf("event %d, tier %d: total %+v, panes hold %+v", i, tier, tr.total, want)
			}
			if int64(len(tr.panes)) > tiers[tier].panes {
				t.Fatalf("event %d, tier %d: %d panes, %d at most", i, tier, len(tr.panes), tiers[tier].panes)
			}
		}
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

func TestReadRefusesWhatIsCut(t *testing.T) {
	var w Windows
	w.Add(start, start, Sales.Bit(), 300)
	coded := w.Append(nil)
	for n := range coded {
		r := wire.NewReader(coded[:n])
		var back Windows
		back.Read(r)
		if err := r.Done(); err == nil || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("%d of %d bytes: %v", n, len(coded), err)
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
