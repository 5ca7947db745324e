package engine

import (
	"fmt"
	"testing"

	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/internal/golden"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestWhatIsStoredIsReadAsEver: each value's golden file of its present format is what the program writes today, and is
// read as what was in it. A change of bytes without a new number is found here.
func TestWhatIsStoredIsReadAsEver(t *testing.T) {
	names := []string{"record", "network", "place", "source", "channel", "timeline", "goods", "guard", "item", "site"} // in the order of values
	formats := []int{formatRecord, formatNetwork, formatPlace, formatSource, formatChannel, formatTimeline, formatTimeline, formatGuard, formatItem, formatSite}
	blank := values()
	for i, v := range specimens() {
		stays(t, names[i], formats[i], v.append(nil), func(r *wire.Reader) []byte {
			blank[i].read(r)
			return blank[i].append(nil)
		})
	}

	m := &meta{
		watermark: 1_764_000_000_000, ordinal: 7, sequence: 9, items: 2, counters: Counters{10, 6, 3, 1, 2}, standing: Standing{Exceptions: 4, Held: 3, Throttled: 2, Guarded: 1}, exposure: total{1 << 33, -7},
		pause: pause{true, 5, timer.Timer{Time: 1_764_000_000_000, Kind: timerAlarm, Key: "tea\x00leeds\x00"}},
	}
	stays(t, "meta", formatMeta, m.append(nil), func(r *wire.Reader) []byte {
		coded := r.Rest()
		got, err := readMeta(one{coded})
		if err != nil || got != *m {
			t.Errorf("the meta is read as %+v, %v", got, err)
		}
		return got.append(nil)
	})

	pc := &pace{at: 1_764_000_000_000, taken: 10_000_000, waiting: 2, deferred: 300, first: "x0-1-0-0", last: "x0-9-0-4"}
	stays(t, "pace", formatPace, pc.append(nil), func(r *wire.Reader) []byte {
		got, err := readPace(one{r.Rest()})
		if err != nil || got != *pc {
			t.Errorf("the pace is read as %+v, %v", got, err)
		}
		return got.append(nil)
	})

	var l ledger.Ledger
	for i := range ledger.PageMoves + 10 {
		l.Consume(ledger.Effect{Time: 1_764_000_000_000 + 1000*[]inventory.Millis{1, 3, 2}[i%3]*inventory.Millis(i), Channel: []string{"web", "amazon"}[i%2], Consumed: int64(i%7) - 3})
	}
	page, full, err := l.ClosePage(0)
	if err != nil || !full {
		t.Fatalf("a page: %v, %v", full, err)
	}
	stays(t, "page", formatPage, page.Moves.Append(wire.AppendUint(nil, formatPage)), func(r *wire.Reader) []byte {
		r.Version(formatPage)
		var moves ledger.Moves
		moves.Read(r)
		if err := moves.Each(0, func(ledger.Move) {}); err != nil {
			t.Error(err)
		}
		return moves.Append(wire.AppendUint(nil, formatPage))
	})

	flushes := wire.AppendUint(wire.AppendUint(nil, formatFlushes), 300)
	stays(t, "flushes", formatFlushes, flushes, func(r *wire.Reader) []byte {
		got, err := readFlushes(one{r.Rest()})
		if err != nil || got != 300 {
			t.Errorf("flushes are read as %d, %v", got, err)
		}
		return flushes
	})

	pl := specimens()[2].(*place)
	stays(t, "week", formatWeek, pl.feed.AppendWeek(wire.AppendUint(nil, formatWeek)), func(r *wire.Reader) []byte {
		r.Version(formatWeek)
		again := &place{}
		again.feed.ReadWeek(r)
		return again.feed.AppendWeek(wire.AppendUint(nil, formatWeek))
	})
}

// stays wants a value to be written as it was, and what was written to be read to the last byte and come to the same.
func stays(t *testing.T, name string, format int, now []byte, read func(*wire.Reader) []byte) {
	t.Helper()
	kept := golden.Bytes(t, fmt.Sprintf("%s-%d", name, format), now)
	if string(kept) != string(now) {
		t.Errorf("a %s of format %d is written as %x, it was %x: a change of bytes has a number of its own", name, format, now, kept)
	}
	r := wire.NewReader(kept)
	again := read(r)
	if err := r.Done(); err != nil {
		t.Errorf("a %s of format %d: %v", name, format, err)
	}
	if string(again) != string(kept) {
		t.Errorf("a %s of format %d: %x was read, and is written as %x", name, format, kept, again)
	}
}

// one is a store of one value.
type one struct{ value []byte }

func (o one) Get([]byte) ([]byte, error) { return o.value, nil }

func (o one) Scan(_, _ []byte, yield func(key, value []byte) bool) error { return nil }

// FuzzReadBeside: any bytes as a page, as a week, as the meta and as the pace are read or refused, and what was read is written the same ever after.
func FuzzReadBeside(f *testing.F) {
	for _, name := range []string{"page-3", "week-1", "meta-6", "pace-1"} {
		f.Add(golden.Bytes(f, name, nil))
	}
	f.Fuzz(func(t *testing.T, coded []byte) {
		for what, again := range map[string]func([]byte) ([]byte, error){
			"page": func(coded []byte) ([]byte, error) {
				r := wire.NewReader(coded)
				r.Version(formatPage)
				var moves ledger.Moves
				moves.Read(r)
				err := r.Done()
				if err == nil {
					err = moves.Each(0, func(ledger.Move) {})
				}
				return moves.Append(wire.AppendUint(nil, formatPage)), err
			},
			"week": func(coded []byte) ([]byte, error) {
				r := wire.NewReader(coded)
				r.Version(formatWeek)
				var pl place
				pl.feed.ReadWeek(r)
				return pl.feed.AppendWeek(wire.AppendUint(nil, formatWeek)), r.Done()
			},
			"meta": func(coded []byte) ([]byte, error) {
				m, err := readMeta(one{coded})
				return m.append(nil), err
			},
			"pace": func(coded []byte) ([]byte, error) {
				p, err := readPace(one{coded})
				return p.append(nil), err
			},
		} {
			once, err := again(coded)
			if err != nil {
				continue
			}
			if twice, err := again(once); err != nil || string(twice) != string(once) {
				t.Fatalf("a %s is written as %x, and then as %x, %v", what, once, twice, err)
			}
		}
	})
}
