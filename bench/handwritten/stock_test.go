package handwritten

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var oracleConfig = oracle.Config{Lateness: lateness, WindowLateness: 5 * inventory.Minute}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// memory opens a database in memory.
func memory(t fataler) *pebble.DB {
	t.Helper()
	db, err := openPebble(vfs.NewMem(), "")
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	})
	return db
}

func sameText(t fataler, what, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// inOrder puts a log in the order in which the contract has it count: by time, at one time what opens a
// reference before what is shipped or received, that before what is released.
func inOrder(log []inventory.Delta) []inventory.Delta {
	rank := func(k inventory.Kind) int {
		switch k {
		case inventory.Reserve, inventory.ASN, inventory.TransferOut:
			return 0
		case inventory.Release:
			return 2
		}
		return 1
	}
	sorted := slices.Clone(log)
	slices.SortStableFunc(sorted, func(a, b inventory.Delta) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(rank(a.Kind), rank(b.Kind)),
			cmp.Compare(a.Due, b.Due), strings.Compare(a.Channel, b.Channel), cmp.Compare(a.Quantity, b.Quantity))
	})
	return sorted
}

// orderly draws a log in order of time, with repeats and broken deltas, but without quantities near the limit.
func orderly(deltas int) *rapid.Generator[[]inventory.Delta] {
	log := gen.Log(gen.Shape{DeltasMax: deltas, Lateness: lateness})
	return rapid.Map(log.Filter(func(log []inventory.Delta) bool {
		return !slices.ContainsFunc(log, func(d inventory.Delta) bool { return max(d.Quantity, -d.Quantity) > 1<<40 })
	}), inOrder)
}

// TestStockEqualsTheOracles: of every delta in a log in order of time the consumer says what the oracle says, gives
// the same holds and releases at locations, and comes to the same stock, opened anew or not.
func TestStockEqualsTheOracles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := orderly(60).Draw(t, "log")
		reopened := rapid.IntRange(0, len(log)).Draw(t, "reopened")
		model := oracle.NewOversell(oracleConfig)
		var said []string
		say := func(c *inventory.Command) {
			said = append(said, directive(c.EventTime, c.Action, c.Channel, c.SKU, c.Location, c.Sellable))
		}
		db := memory(t)
		p := openPartition(db, 3, say)
		t.Cleanup(func() { _ = p.batch.Close() })
		for i, d := range log {
			if i == reopened {
				if err := p.batch.Close(); err != nil {
					t.Fatalf("close: %v", err)
				}
				p = openPartition(db, 3, say)
			}
			where := fmt.Sprintf("delta %d, a %s %q: ", i, d.Kind, d.ID)
			said = nil
			became, _ := p.take(&delta{d, true})
			wanted, _, directives := model.Apply(d, 0)
			if p.err != nil {
				t.Fatalf("%s%v", where, p.err)
			}
			sameText(t, where+"outcomes", [...]string{"applied", "duplicate", "rejected"}[became], wanted.String())
			sameText(t, where+"watermarks", p.meta.Watermark.String(), model.Watermark().String())
			slices.Sort(said)
			sameText(t, where+"directives", strings.Join(said, "\n"), atLocations(directives))
		}
		equalStock(t, p, model)
	})
}

// atLocations leaves out the network, which the consumer does.
func atLocations(directives []oracle.Directive) string {
	var lines []string
	for _, d := range directives {
		if d.Location != inventory.Network {
			lines = append(lines, directive(d.At, d.Action, d.Channel, d.SKU, d.Location, d.Sellable))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func directive(at inventory.Millis, action inventory.Action, channel, sku, location string, sellable int64) string {
	return fmt.Sprintf("%v %s %q@%q of %q to %d", at, action, channel, location, sku, sellable)
}

type model interface {
	Keys() []inventory.Key
	Watermark() inventory.Millis
	Availability(sku, location string) inventory.Availability
	Window(sku, location string, s oracle.Series, size inventory.Millis) map[inventory.Millis]oracle.Total
}

// equalStock compares all figures of all keys, and the windows. What is held follows from the directives.
func equalStock(t fataler, p *partition, m model) {
	t.Helper()
	for _, key := range m.Keys() {
		r := p.record(key.SKU + "\x00" + key.Location)
		if p.err != nil {
			t.Fatalf("%v: %v", key, p.err)
		}
		want := m.Availability(key.SKU, key.Location)
		want.Price = 0 // the consumer knows none
		for i := range want.Channels {
			want.Channels[i].Held = false
		}
		sameText(t, fmt.Sprintf("figures of %v", key), figures(availability(r, key)), figures(want))
		for i, size := range windowSizes {
			panes, w := m.Window(key.SKU, key.Location, oracle.Demand, size), r.Demand[i]
			if w.Current <= m.Watermark()/size-oracle.PanesKept()[size]+1 {
				continue // long ago: the oracle has forgotten one or both
			}
			if got, want := [2]int64{w.Sum, w.Last}, [2]int64{panes[w.Current].Sum, panes[w.Current-1].Sum}; got != want {
				t.Fatalf("demand of %v in a stretch of %v and the one before: %v, want %v", key, size, got, want)
			}
		}
	}
}

func availability(r *record, key inventory.Key) inventory.Availability {
	a := inventory.Availability{SKU: key.SKU, Location: key.Location, CountedAt: r.Counted.Time, Available: r.OnHand - r.Unavailable, ATP: r.atp()}
	a.Quantities = inventory.Quantities{OnHand: r.OnHand, Unavailable: r.Unavailable, Reserved: r.Reserved, Safety: r.Safety, Inbound: r.Inbound, InTransit: r.InTransit}
	for i := range r.Channels {
		c := &r.Channels[i]
		a.Channels = append(a.Channels, inventory.ChannelAvailability{
			Channel: c.Name, ATP: r.share(c.Name), Allocated: c.Fence, Fenced: c.fenced(), Listed: c.Listed,
		})
	}
	return a
}

// figures writes an availability as text.
func figures(a inventory.Availability) string {
	text := fmt.Sprintf("%+v available %d ATP %d counted %v", a.Quantities, a.Available, a.ATP, a.CountedAt)
	for _, c := range a.Channels {
		listed := "nothing"
		if c.Listed != nil {
			listed = fmt.Sprint(*c.Listed)
		}
		c.Listed = nil
		text += fmt.Sprintf("\n%+v lists %s", c, listed)
	}
	return text
}

// TestSweepForgets: ids, movements and settled references don't pile up.
func TestSweepForgets(t *testing.T) {
	db := memory(t)
	p := openPartition(db, 0, func(*inventory.Command) {})
	defer p.batch.Close()
	for i := range 200 {
		ref := fmt.Sprint("o", i)
		for j, kind := range []inventory.Kind{inventory.Reserve, inventory.Ship} {
			d := inventory.Delta{ID: fmt.Sprint(ref, j), Source: "pos", SKU: "tea", Location: "leeds", Channel: "web",
				Kind: kind, Quantity: 1, Ref: ref, Time: gen.Start + inventory.Millis(i)*inventory.Hour}
			if became, why := p.take(&delta{d, true}); became != applied || p.err != nil {
				t.Fatalf("%s %s: %v, %v", kind, ref, why, p.err)
			}
		}
	}
	for kind, most := range map[byte]int{keyID: 72, keyMovement: 72, keyReference: 36} { // of 36 hours
		keys := 0
		lower := slices.Clone(p.named(kind, ""))
		p.scan(lower, len(lower), func(_, _ []byte) bool { keys++; return true })
		if keys == 0 || keys > most {
			t.Errorf("%d keys of kind %q are kept, want some, but %d at most", keys, kind, most)
		}
	}
}
