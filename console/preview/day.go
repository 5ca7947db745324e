package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// day is a made-up afternoon at a small retailer.
type day struct {
	backend *consoletest.Backend
	rand    *rand.Rand
	now     inventory.Millis // event time
	applied uint64
	command uint64 // how many were published
	opened  []inventory.Exception
}

const (
	partitions    = 16
	exceptionsMax = 60 // then the day opens no more
)

type product struct {
	sku   string
	price int64
}

var products = []product{
	{"85123A", 255}, {"KETTLE-17-RED", 4999}, {"CHAIR/OAK.02", 18900}, {"LAMP brass 40", 7450},
	{"TEA-EARL-100", 680}, {"21730", 425}, {"DUVET-240x220", 11900}, {"Kräuter-Mühle №4", 2990},
	{"<img src=x onerror=alert(1)>", 1290}, {"PAN-28-CAST", 6450}, {"RUG-JUTE-200", 15900}, {"22423", 1275},
}

var (
	locations = []string{"dc-north", "store-014", "store-021", "store 7 · Köln", "store-033"}
	channels  = []string{"amazon", "ebay", "store", "web"}
)

func newDay(backend *consoletest.Backend) *day {
	return &day{backend: backend, rand: rand.New(rand.NewPCG(8470, 1)),
		now: inventory.MillisOf(time.Date(2026, 11, 24, 14, 32, 0, 0, time.UTC))}
}

func (d *day) begin() {
	for i := range products {
		d.backend.SetSKU(d.stock(i))
	}
	for i := range 17 {
		d.open(i)
	}
	d.applied = 1_284_511
	d.backend.SetOverview(d.overview(3))
}

// goOn moves the day on, a step at a time, until ctx ends.
func (d *day) goOn(ctx context.Context) {
	tick := time.NewTicker(900 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.now += 7 * inventory.Second
		d.applied += uint64(2000 + d.rand.IntN(5200))
		d.backend.SetOverview(d.overview(d.rand.Uint64N(40)))
		switch e := &d.opened[d.rand.IntN(len(d.opened))]; {
		case len(d.opened) < exceptionsMax && d.rand.IntN(4) == 0:
			d.open(len(d.opened))
		case d.rand.IntN(3) == 0:
			d.resolve(e)
		default:
			d.publish(e, inventory.Hold)
		}
	}
}

func (d *day) overview(lag uint64) console.Overview {
	o := console.Overview{}
	for p := range partitions {
		n := d.applied / partitions
		o.Partitions = append(o.Partitions, console.PartitionOverview{
			Position: inventory.Position{Partition: p, Sequence: n + uint64(p), EventTime: d.now},
			Lag:      lag * uint64(p%5) / 2, CaughtUp: true,
			Applied: n, Duplicates: n / 900, Rejected: n / 40_000,
		})
	}
	for _, e := range d.opened {
		if e.Status != inventory.Resolved {
			o.OpenExceptions++
			o.Exposure += e.Exposure
			o.Directives += len(e.Channels)
		}
	}
	return o
}

func (d *day) stock(i int) inventory.SKUAvailability {
	a := inventory.SKUAvailability{SKU: products[i].sku,
		Position: inventory.Position{Partition: i % partitions, Sequence: 80_281, EventTime: d.now}}
	for l, location := range locations {
		q := inventory.Quantities{
			OnHand: 4 + d.rand.Int64N(60), Reserved: d.rand.Int64N(9), Safety: int64(2 * (l % 2)), Unavailable: d.rand.Int64N(3),
			Inbound: 24 * d.rand.Int64N(2), InTransit: 6 * d.rand.Int64N(2)}
		if l == 1+i%4 {
			q.OnHand, q.Reserved = 1, 4
		}
		row := inventory.Availability{SKU: a.SKU, Location: location, Quantities: q, Available: q.Available(), ATP: q.ATP(),
			Price: products[i].price, CountedAt: d.now - inventory.Millis(1+l)*19*inventory.Hour}
		for c, channel := range channels {
			fence := 5 * int64((c+i)%2)
			listed := max(0, row.ATP) + int64(c%2)
			row.Channels = append(row.Channels, inventory.ChannelAvailability{Channel: channel, ATP: row.ATP - fence,
				Allocated: 5 - fence, Fenced: (5 - fence) / 2, Listed: &listed, Held: row.ATP < 0})
		}
		row.Channels[2].Listed = nil
		a.ATP += max(0, row.ATP)
		a.Locations = append(a.Locations, row)
	}
	for c, channel := range channels {
		a.Channels = append(a.Channels, inventory.NetworkChannel{Channel: channel, ATP: a.ATP - 5*int64((c+i)%2), Held: i == 3 && c == 0})
	}
	return a
}

// open opens exception number i and holds its channels.
func (d *day) open(i int) {
	p := products[i%len(products)]
	location := locations[1+i%(len(locations)-1)]
	at := d.now - inventory.Millis(d.rand.IntN(200))*inventory.Minute
	e := inventory.Exception{
		ID: fmt.Sprintf("x-%02d-%d-0", i%partitions, 80_000+i*37), Class: inventory.Oversell, SKU: p.sku, Location: location,
		Channels: channels[i%3 : i%3+2], Status: inventory.Acting, Severity: inventory.High,
		Exposure: p.price * (1 + d.rand.Int64N(14)), Confidence: 1, Owner: "unassigned", SLADue: at + 4*inventory.Hour,
		OpenedAt: at, UpdatedAt: at, Cause: inventory.Cause{Partition: i % partitions, Sequence: uint64(80_000 + i*37)},
		Reason:   fmt.Sprintf("3 units of %s more are promised at %s than are there: 1 on hand, 4 reserved.", p.sku, location),
		Evidence: map[string]any{"on_hand": 1, "reserved": 4, "safety": 0, "unavailable": 0, "atp": -3, "unit_price": p.price},
		Recommendations: []inventory.Recommendation{
			{Action: "hold", Channel: channels[i%3], Why: "nothing is left to sell here"},
			{Action: "transfer", From: "dc-north", Quantity: 6, Why: "dc-north has 31 to promise and ships in a day"}},
	}
	switch {
	case i%3 == 1:
		e.Class, e.Confidence, e.Severity = inventory.PhantomInventory, .93, inventory.Medium
		e.Reason = fmt.Sprintf("%s shows 12 on hand at %s, but nothing was sold in 31 h where 9.4 sales were expected, and 2 picks found none.", p.sku, location)
		e.Evidence = map[string]any{"on_hand": 12, "log_odds": 2.61, "probability": .93, "expected_sales": 9.4, "silence_hours": 31, "pick_failures": 2, "last_sale": "2026-11-23T07:12:04Z"}
		e.Recommendations = []inventory.Recommendation{{Action: "count", Why: "a count costs less than the 9 orders it may save"}}
	case i%7 == 3:
		e.Location, e.Severity, e.Exposure = inventory.Network, inventory.Critical, e.Exposure*9
		e.Reason = fmt.Sprintf("The whole network has promised 11 units of %s more than it has, over 5 locations.", p.sku)
	}
	e.History = []inventory.Change{
		{At: at, Status: inventory.Open, By: "holdfast", Note: "opened"},
		{At: at, Status: inventory.Acting, By: "holdfast", Note: fmt.Sprintf("policy default-1 lets it hold %d channels by itself", len(e.Channels))}}
	d.opened = append(d.opened, e)
	d.backend.SetException(e)
	for range e.Channels {
		d.publish(&e, inventory.Hold)
	}
}

func (d *day) resolve(e *inventory.Exception) {
	if e.Status == inventory.Resolved {
		return
	}
	e.Status, e.UpdatedAt = inventory.Resolved, d.now
	e.History = append(e.History, inventory.Change{At: d.now, Status: inventory.Resolved, By: "holdfast", Note: "ATP is 8 again after a receipt of 12"})
	d.backend.SetException(*e)
	d.publish(e, inventory.Unhold)
}

func (d *day) publish(e *inventory.Exception, action inventory.Action) {
	d.command++
	c := inventory.Command{
		ID: fmt.Sprintf("%s-%d", e.ID, d.command), Action: action, Channel: e.Channels[d.command%uint64(len(e.Channels))], SKU: e.SKU, Location: e.Location,
		Revision: d.command, Exception: e.ID, Class: e.Class, Confidence: e.Confidence, Reason: e.Reason, Evidence: e.Evidence,
		Autonomy: inventory.Auto, Policy: "default-1", EventTime: d.now, IssuedAt: d.now, ExpiresAt: d.now + inventory.Day, Cause: e.Cause,
	}
	if action == inventory.Unhold {
		c.Sellable = 8
		c.Reason = fmt.Sprintf("8 units of %s can be promised again at %s after a receipt of 12.", e.SKU, e.Location)
	}
	d.backend.Publish(c)
}
