package engine

import (
	"testing"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// stored is every value that has bytes of ours.
type stored interface {
	append(dst []byte) []byte
	read(r *wire.Reader)
}

func values() []stored {
	return []stored{&record{}, &network{}, &place{}, &source{}, &channel{}, &timeline{}, &timeline{}, &guard{}, &skuItem{}, &site{}}
}

// specimens are values with something in every field, in the order of [values].
func specimens() []stored {
	const now inventory.Millis = 1_795_392_000_000
	sale := inventory.Delta{Kind: inventory.Sale, ID: "d1", Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Quantity: 3, Time: now, Price: 250}
	reserve := sale
	reserve.Kind, reserve.Ref, reserve.Due = inventory.Reserve, "o1", now+inventory.Day
	open := []opened{
		{scope: detectors.Scope{Class: inventory.Oversell, Channel: "web"}, id: "x0-1-0-0", acting: true, endsAt: now},
		{scope: detectors.Scope{Class: inventory.PhantomInventory, Network: true}, id: "x0-2-0-0", muted: true},
		{scope: detectors.Scope{Class: inventory.OversellRisk, Channel: "store"}, id: "x0-3-0-0", acting: true, most: 7},
		{scope: detectors.Scope{Class: inventory.ReceiptDiscrepancy, Of: "po"}, id: "x0-4-0-0", most: 3},
	}
	directives := []directive{
		{revision: 3, binds: true, exception: "x0-1-0-0", renewAt: now}, {}, {revision: 2},
		{revision: 1, binds: true, most: 7, exception: "x0-3-0-0", renewAt: now, told: now - 5},
	}

	r := &record{open: open, directives: directives, asks: asks{3, 0, 500}, contributed: -3, alarmAt: now + 1, renewAt: now + 2}
	_ = r.Apply(&sale, nil)
	r.windows.Add(now, now, seriesOf(inventory.Sale), 3)
	heard := ticks{vouched: now - inventory.Hour}
	heard.vouch(now)
	pl := &place{ticks: heard}
	pl.feed.Sale(now)
	pl.state.Demand(now)
	pl.state.Supplied(now - inventory.Day)
	pl.state.Supplied(now)
	risky := &detectors.View{
		Now: now, Delta: &sale, Channels: []detectors.Channel{{Name: "web", ATP: 1}}, Trade: brisk{}, HourMost: new(int64),
		Limits: &detectors.Limits{Risk: detectors.Risk{Raise: 0.01, Lag: detectors.LagPrior{Mean: inventory.Minute, Weight: 1}}},
	}
	for _, d := range detectors.Table() {
		if d.Class == inventory.OversellRisk {
			d.Look(risky, nil)
		}
	}
	r.keep(risky.Traces)
	r.belief.Observe(&detectors.View{Now: now, Belief: &r.belief, Feed: &pl.feed}, &sale)
	ch := &channel{}
	ch.lag.Measure(90 * inventory.Second)
	tl := &timeline{Timeline: ledger.Timeline{Class: ledger.Reservation}}
	tl.Apply(&reserve, now, 0, nil)
	asn := sale
	asn.Kind, asn.Ref, asn.Due = inventory.ASN, "po", now+inventory.Day
	goods := &timeline{Timeline: ledger.Timeline{Class: ledger.Inbound}}
	goods.Apply(&asn, now, 0, nil)
	goods.arrival.See(&asn, asn.Due)
	return []stored{r,
		&network{locations: 2, sum: total{-1, -3}, positive: total{0, 4}, givers: []giver{{"leeds", 3}, {"york", 1}}, channels: []string{"web", "amazon", "outlet", "store"}, open: open, directives: directives, renewAt: now},
		pl, &source{heard}, ch, tl, goods,
		&guard{listings: 9, held: 4, minute: now / inventory.Minute, given: 3, waits: 2, before: 1, incident: "x0-5-0-0", lifted: true, muted: true, checkAt: now + 3},
		&skuItem{inventory.Item{Category: "drinks", Supplier: "acme", Price: 499, Margin: 120, LeadHours: 72, Regulated: true, LotControlled: true}},
		&site{inventory.Site{Region: "north"}}}
}

// brisk is the trade of a key that is asked for every minute.
type brisk struct{}

func (brisk) Asked(s detectors.Span) (events, units int64) {
	events = [...]int64{detectors.FiveMinutes: 5, detectors.OneHour: 60, detectors.TwoDays: 2880, detectors.FiveWeeks: 50_400}[s]
	return events, events
}

func (brisk) Lag(string) detectors.Lag { return detectors.Lag{} }

// FuzzRead: any bytes are a value or an error, and what was read is written the same ever after.
func FuzzRead(f *testing.F) {
	for _, v := range specimens() {
		f.Add(v.append(nil))
	}
	f.Fuzz(func(t *testing.T, coded []byte) {
		backs := values()
		for i, v := range values() {
			r := wire.NewReader(coded)
			v.read(r)
			if r.Done() != nil {
				continue
			}
			once := v.append(nil)
			r = wire.NewReader(once)
			backs[i].read(r)
			if err := r.Done(); err != nil {
				t.Fatalf("%T: what was written is not read: %v", v, err)
			}
			if again := backs[i].append(nil); string(again) != string(once) {
				t.Fatalf("%T: written as %x, then as %x", v, once, again)
			}
		}
	})
}

// TestEveryByteIsNeeded: a value that is cut short anywhere, or has a byte too many, is refused.
func TestEveryByteIsNeeded(t *testing.T) {
	backs := values()
	for i, v := range specimens() {
		coded := v.append(nil)
		for n := range len(coded) + 2 {
			r := wire.NewReader(append(coded[:len(coded):len(coded)], 0)[:n])
			backs[i].read(r)
			if err := r.Done(); (err == nil) != (n == len(coded)) {
				t.Errorf("%T: %d of %d bytes: %v", v, n, len(coded), err)
			}
		}
		if again := readBack(t, v, values()[i]).append(nil); string(again) != string(coded) {
			t.Errorf("%T: written as %x, then as %x", v, coded, again)
		}
	}
}

func readBack(t *testing.T, v, into stored) stored {
	t.Helper()
	r := wire.NewReader(v.append(nil))
	into.read(r)
	if err := r.Done(); err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return into
}
