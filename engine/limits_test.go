package engine_test

import (
	"fmt"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestAWrongClockMovesNobody: what claims to be of the year 2038 is kept with its reason; event time stays where it was,
// nothing falls due, and whoever is right is still in time. A clock that is a little ahead is forgiven.
func TestAWrongClockMovesNobody(t *testing.T) {
	const year2038 inventory.Millis = 2_145_916_800_000
	p := open(t, partition{logTime: gen.Start})
	sale := inventory.Delta{Kind: inventory.Sale, Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Quantity: 1}
	at := func(id string, time inventory.Millis) inventory.Delta {
		d := sale
		d.ID, d.Time = id, time
		return d
	}
	lapses := inventory.Delta{Kind: inventory.Reserve, ID: "r", Source: "web", SKU: "tea", Location: "leeds", Channel: "web", Ref: "o", Quantity: 5, Time: gen.Start, Due: gen.Start + inventory.Day}
	tick := inventory.Delta{Kind: inventory.Tick, ID: "t", Source: "pos", Time: year2038}
	got := outcomes(p.take(t, gen.Message{
		lapses, at("1", gen.Start), at("2", year2038), tick, at("3", gen.Start+engine.DefaultAheadMax+1),
		at("4", gen.Start+engine.DefaultAheadMax), at("5", gen.Start-inventory.Hour), at("2", gen.Start),
	}))
	if want := "applied applied future future future applied applied applied"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if w := p.engine.Watermark(); w != gen.Start+engine.DefaultAheadMax {
		t.Errorf("the watermark is %v", w)
	}
	p.commit(t)
	if a, _, err := engine.ReadKey(p.store, "tea", "leeds"); err != nil || a.Reserved != 5 || a.OnHand != -4 {
		t.Errorf("%+v, %v; want 5 reserved and -4 on hand", a.Quantities, err)
	}
	counted(t, p.engine.Counters(), p.results)
}

// TestDueIsAnyMoment: from the first millisecond to the last, on every kind that takes one, and however event time goes on.
func TestDueIsAnyMoment(t *testing.T) {
	for _, due := range []inventory.Millis{1, gen.Start - inventory.Day, gen.Start, gen.Start + 1, inventory.MillisMax} {
		p := open(t, partition{only: "none"})
		model := oracle.New(oracleConfig(engine.Config{Lateness: engine.DefaultLateness, WindowLateness: engine.DefaultWindowLateness}))
		for step := range inventory.Millis(3) {
			for i, d := range []inventory.Delta{
				{Kind: inventory.Reserve, Channel: "web", Ref: "o"},
				{Kind: inventory.ASN, Ref: "po"},
				{Kind: inventory.TransferOut, Ref: "t", Counterparty: "york"},
				{Kind: inventory.Promo, Ref: "p"},
				{Kind: inventory.Capacity},
			} {
				d.ID, d.Source, d.SKU, d.Location = fmt.Sprint(step, "-", i), "erp", "tea", "leeds"
				d.Quantity, d.Due, d.Time = 2, due, gen.Start+2*inventory.Day*step
				if got := outcomes(p.take(t, gen.Message{d})); got != "applied" {
					t.Fatalf("a %s due %v is %s", d.Kind, due, got)
				}
				model.Apply(d, 0)
			}
			p.commit(t)
			p = open(t, *p)
			equalStock(t, fmt.Sprintf("due %v, step %d: ", due, step), p, model)
		}
		p.transcript(t)
	}
}

// TestStockStaysWithinItsBounds: what moved there and back within the lateness is more than any on-hand; neither a count
// between the moves nor a reservation that does not lapse after all may bring it out.
func TestStockStaysWithinItsBounds(t *testing.T) {
	const most = inventory.QuantityMax
	stock := func(kind inventory.Kind, at inventory.Millis, q int64) inventory.Delta {
		return inventory.Delta{Kind: kind, Source: "erp", SKU: "tea", Location: "leeds", Channel: "web", Ref: "o", Quantity: q, Time: gen.Start + at}
	}
	lapsing := func(at, due inventory.Millis, q int64) inventory.Delta {
		d := stock(inventory.Reserve, at, q)
		d.Due = gen.Start + due
		return d
	}
	backAndForth := []inventory.Delta{
		stock(inventory.Adjust, 10, most), stock(inventory.Adjust, 20, -most),
		stock(inventory.Adjust, 10, most), stock(inventory.Adjust, 20, -most),
	}
	for name, c := range map[string]struct {
		log  []inventory.Delta
		want string
	}{
		"a count below all of it":     {append(backAndForth, stock(inventory.Count, 15, 1)), "applied applied applied applied overflow"},
		"a count above all of it":     {append(backAndForth, stock(inventory.Count, 25, most)), "applied applied applied applied applied"},
		"a count before all of it":    {append(backAndForth, stock(inventory.Count, 5, 1)), "applied applied applied applied applied"},
		"a count and what it can not": {append(backAndForth, stock(inventory.Count, 5, most), stock(inventory.Adjust, 30, 1)), "applied applied applied applied applied overflow"},
		"a reservation that revives": {[]inventory.Delta{
			lapsing(10, 20, most), stock(inventory.Tick, 30, 0), stock(inventory.Reserve, 12, 1),
		}, "applied applied overflow"},
		"a reservation that revives in part": {[]inventory.Delta{
			lapsing(10, 20, most-1), stock(inventory.Tick, 30, 0), stock(inventory.Reserve, 12, 1),
		}, "applied applied applied"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, partition{config: engine.Config{CacheBytes: 1}, only: "none"})
			model := oracle.New(oracleConfig(engine.Config{Lateness: engine.DefaultLateness, WindowLateness: engine.DefaultWindowLateness}))
			for i := range c.log {
				c.log[i].ID = fmt.Sprint(i)
				p.take(t, gen.Message{c.log[i]})
				p.commit(t)
				model.Apply(c.log[i], 0)
			}
			if got := outcomes(p.results); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			equalStock(t, "at last: ", p, model)
		})
	}
}

// TestWhatMovesThereAndBackNeverGoesRound: a thousand times the most that there is, which no int64 holds.
func TestWhatMovesThereAndBackNeverGoesRound(t *testing.T) {
	const most = inventory.QuantityMax
	p := open(t, partition{config: engine.Config{CacheBytes: 1}})
	delta := func(id string, kind inventory.Kind, at inventory.Millis, q int64) inventory.Delta {
		return inventory.Delta{Kind: kind, ID: id, Source: "erp", SKU: "tea", Location: "leeds", Channel: "web", Ref: "o", Quantity: q, Time: gen.Start + at}
	}
	for i := range 1100 {
		n := fmt.Sprint(i)
		out, in := delta("s"+n, inventory.Sale, 20, most), delta("r"+n, inventory.Receipt, 10, most)
		if got := outcomes(p.take(t, gen.Message{out, in})); got != "applied applied" {
			t.Fatalf("round %d: %s", i, got)
		}
		if i%100 == 0 {
			p.commit(t)
		}
	}
	got := outcomes(p.take(t, gen.Message{delta("c1", inventory.Count, 15, 1), delta("f", inventory.Allocate, 5, 7), delta("c2", inventory.Count, 25, 3)}))
	if want := "overflow applied applied"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p.commit(t)
	a, _, err := engine.ReadKey(p.store, "tea", "leeds")
	if err != nil || a.OnHand != 3 || a.Channels[0].Fenced != 0 {
		t.Errorf("on hand %d, fenced %d, %v; want 3 and 0", a.OnHand, a.Channels[0].Fenced, err)
	}
}

// TestTheNetworkOfManyEmptyLocationsNeverGoesRound: 257 locations have each promised as much as can be, four
// times over, which no int64 holds: that is an oversell of the whole network. Then all of it is made good.
func TestTheNetworkOfManyEmptyLocationsNeverGoesRound(t *testing.T) {
	const most, locations = inventory.QuantityMax, 257
	config := engine.Config{Lateness: engine.DefaultLateness, WindowLateness: engine.DefaultWindowLateness, CacheBytes: 1}
	p := open(t, partition{config: config, only: inventory.Oversell})
	model := oracle.NewOversell(oracleConfig(config))
	told := directed{open: map[string]oracle.Scope{}, shown: map[string]int64{}}
	n := 0
	lowest := int64(0)
	for _, round := range []struct {
		kind     inventory.Kind
		quantity int64
	}{
		{inventory.Reserve, most}, {inventory.Block, most}, {inventory.Safety, most}, {inventory.Adjust, -most},
		{inventory.Count, most}, {inventory.Unblock, most}, {inventory.Safety, 0}, {inventory.Release, most},
	} {
		for i := range locations {
			n++
			d := inventory.Delta{
				Kind: round.kind, ID: fmt.Sprint(n), Source: "erp", SKU: "tea", Location: fmt.Sprint("store ", i), Channel: "web",
				Ref: "o", Quantity: round.quantity, Time: gen.Start + inventory.Millis(n),
			}
			before := len(p.said)
			if got := outcomes(p.take(t, gen.Message{d})); got != "applied" {
				t.Fatalf("%s of %d at %s: %s", d.Kind, d.Quantity, d.Location, got)
			}
			_, _, directives := model.Apply(d, 0)
			where := fmt.Sprintf("%s of %d at %s: ", d.Kind, d.Quantity, d.Location)
			sameText(t, where+"directives", told.hear(t, p.said[before:]), directiveLines(directives))
		}
		sameText(t, fmt.Sprintf("after %s of %d: open exceptions", round.kind, round.quantity), told.openLines(), scopeLines(model.Open()))
		p.commit(t)
		p = open(t, *p)
		engine.OnlyDetect(p.engine, inventory.Oversell)
		got, _, err := engine.ReadSKU(p.store, "tea")
		want := model.Network("tea")
		if err != nil || got.ATP != want.ATP || got.Channels[0] != want.Channels[0] {
			t.Fatalf("after %s of %d the network has %d, %+v, %v; the oracle says %d, %+v", round.kind, round.quantity, got.ATP, got.Channels, err, want.ATP, want.Channels)
		}
		for _, o := range p.said {
			if o.Exception != nil {
				if sum, ok := o.Exception.Evidence["network_sum"].(int64); ok {
					lowest = min(lowest, sum)
				}
			}
		}
		if s := p.engine.Standing(); s.Exposure < 0 {
			t.Fatalf("%d is at risk", s.Exposure)
		}
	}
	if len(told.openLines()) > 0 || lowest >= 0 {
		t.Errorf("in the end %s stand, and the lowest sum that was told is %d", told.openLines(), lowest)
	}
}

// TestAFloodStaysWithinMemory: names that nobody heard of, by the thousand, leave memory as they came, and what is kept of one key
// stays small enough to be written with each of its deltas; the stock of others is right all the while.
func TestAFloodStaysWithinMemory(t *testing.T) {
	const (
		deltas     = 8_000
		cacheBytes = 1 << 20
		recordMost = 32 << 10
	)
	for name, c := range map[string]struct {
		make     func(n int, d *inventory.Delta)
		rejected int
	}{
		"new SKUs":                {func(n int, d *inventory.Delta) { d.SKU = fmt.Sprint("new-", n) }, 0},
		"new locations":           {func(n int, d *inventory.Delta) { d.Location = fmt.Sprint("new-", n) }, 0},
		"new sources":             {func(n int, d *inventory.Delta) { d.Source, d.Kind = fmt.Sprint("new-", n), inventory.Tick }, 0},
		"new references of a key": {func(n int, d *inventory.Delta) { d.Kind, d.Ref = inventory.Reserve, fmt.Sprint("order-", n) }, 0},
		"one reference":           {func(n int, d *inventory.Delta) { d.Kind, d.Ref = inventory.Reserve, "order" }, 0},
		"new channels":            {func(n int, d *inventory.Delta) { d.Channel = fmt.Sprint("new-", n) }, deltas - engine.DefaultChannelsMax},
		"new channels, at as many locations": {func(n int, d *inventory.Delta) {
			d.Channel, d.Location = fmt.Sprint("new-", n), fmt.Sprint("new-", n)
		}, deltas - engine.DefaultChannelsMax},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, partition{config: engine.Config{CacheBytes: cacheBytes, DedupeBytes: 1 << 16}})
			good := inventory.Delta{Kind: inventory.Receipt, ID: "good", Source: "erp", SKU: "coffee", Location: "york", Ref: "po", Quantity: 7, Time: gen.Start}
			p.take(t, gen.Message{good})
			open := 0
			for n := range deltas {
				d := inventory.Delta{Kind: inventory.Sale, ID: fmt.Sprint(n), Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Quantity: 1, Time: gen.Start + inventory.Millis(n)}
				c.make(n, &d)
				if _, err := p.engine.Apply(engine.At{Sequence: p.messages}, &d); err != nil {
					t.Fatal(err)
				}
				p.engine.ClearOutputs()
				if open++; p.engine.CacheBytes() > cacheBytes*3/2 || open == 1000 { // as a worker does
					p.commit(t)
					open = 0
				}
				if got := p.engine.CacheBytes(); got > 2*cacheBytes {
					t.Fatalf("after %d deltas %d bytes are cached, %d allowed", n, got, cacheBytes)
				}
			}
			p.commit(t)
			if got := p.engine.Counters(); got.Rejected != uint64(c.rejected) || got.Applied != uint64(deltas-c.rejected)+1 {
				t.Errorf("counted %+v, want %d rejected", got, c.rejected)
			}
			longest := 0
			for _, prefix := range "rklsf" {
				err := p.store.Scan([]byte{byte(prefix)}, []byte{byte(prefix) + 1}, func(_, value []byte) bool {
					longest = max(longest, len(value))
					return true
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if longest > recordMost {
				t.Errorf("a value has %d bytes, %d allowed", longest, recordMost)
			}
			if a, found, err := engine.ReadKey(p.store, "coffee", "york"); err != nil || !found || a.OnHand != 7 {
				t.Errorf("others: %+v, %v, %v", a.Quantities, found, err)
			}
		})
	}
}
