package sim

import (
	"fmt"
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The channels. The first sells over the counter, the others by listing.
const (
	overCounter = "store"
	web         = "web"
	amazon      = "amazon"
)

var online = [...]string{web, amazon}

const (
	centre      = "dc-1"
	safetyShare = 0.1 // of shelves that keep a unit back
)

// sku is a product.
type sku struct {
	name     string
	price    int64   // minor units
	perDay   float64 // demand events a day at a store of middling size
	clump    float64 // mean units of an event beyond the first
	mood     float64 // today's multiple of perDay
	siblings []int   // others that look like it
}

// place is a store or the centre.
type place struct {
	name    string
	till    string           // the source of what is sold and counted here
	size    float64          // multiple of demand
	cutTill inventory.Millis // until when its till is cut off
}

func (p *place) isCentre() bool { return p.name == centre }

// shelf is a SKU at a place: what is there, and what the systems believe.
type shelf struct {
	sku   *sku
	place *place

	there   int64              // can be found and sold; changed by move alone
	emptied []inventory.Millis // when it became 0, and then when it no longer was, by turns
	hidden  int64              // in the wrong place

	recorded int64 // on hand, as the network's own systems have it
	reserved int64
	safety   int64
	coming   int64 // ordered, not in yet

	listed     map[string]int64            // by channel: what it shows
	listedAt   map[string]inventory.Millis // since when
	frozenTill map[string]inventory.Millis // its listing stands still until
}

// promised is what the network's own systems would still sell.
func (sh *shelf) promised() int64 { return sh.recorded - sh.reserved - sh.safety }

var families = [...]struct {
	name   string
	price  int64
	perDay float64
	clump  float64
}{
	{"mug", 1290, 5, 0.6},
	{"tee", 2490, 8, 0.3},
	{"lamp", 5990, 1.5, 0.05},
	{"candle", 890, 10, 1.2},
	{"throw", 3990, 2.5, 0.1},
	{"kettle", 7990, 1, 0.02},
}

// build makes the network as it stands at the start, and says so.
func (s *Sim) build() {
	for i := range s.config.SKUs {
		f := families[i%len(families)]
		spread := math.Exp(0.9 * s.rng.NormFloat64())
		s.skus = append(s.skus, sku{
			name:   fmt.Sprintf("%s-%03d", f.name, 101+i/len(families)),
			price:  f.price + 100*s.rng.Int64N(20),
			perDay: f.perDay * spread,
			clump:  f.clump,
			mood:   1,
		})
	}
	for i := range s.skus {
		if next := i + len(families); next < len(s.skus) {
			s.skus[i].siblings = append(s.skus[i].siblings, next)
		}
	}
	for i := range s.config.Stores {
		s.places = append(s.places, &place{
			name: fmt.Sprintf("store-%02d", i+1),
			till: fmt.Sprintf("pos-%02d", i+1),
			size: 0.5 + s.rng.Float64(),
		})
	}
	s.places = append(s.places, &place{name: centre, till: "wms", size: 1})
	for _, p := range s.places {
		for i := range s.skus {
			s.stock(p, &s.skus[i])
		}
	}
}

// stock fills a shelf with some days of demand and tells everybody.
func (s *Sim) stock(p *place, k *sku) {
	days := 3 + 7*s.rng.Float64()
	if p.isCentre() {
		days *= 2 * float64(s.config.Stores)
	}
	units := int64(math.Ceil(k.perDay*(1+k.clump)*p.size*days)) + 2
	sh := &shelf{
		sku: k, place: p, there: units, recorded: units,
		listed:     map[string]int64{},
		listedAt:   map[string]inventory.Millis{},
		frozenTill: map[string]inventory.Millis{},
	}
	s.shelves = append(s.shelves, sh)
	s.byKey[inventory.Key{SKU: k.name, Location: p.name}] = sh
	opening := s.config.Start
	s.send(sh.place.till, opening, sh.delta(inventory.Count, units))
	if !p.isCentre() && s.chance(safetyShare) {
		sh.safety = 1
		s.send("erp", opening+inventory.Minute, sh.delta(inventory.Safety, sh.safety))
	}
	for _, channel := range online {
		s.show(sh, channel, opening)
	}
}

// move puts units on the shelf, or takes them off.
func (sh *shelf) move(units int64, at inventory.Millis) {
	was := sh.there
	sh.there += units
	if (was == 0) != (sh.there == 0) {
		sh.emptied = append(sh.emptied, at)
	}
}

// delta begins a delta of the shelf's key.
func (sh *shelf) delta(kind inventory.Kind, quantity int64) inventory.Delta {
	return inventory.Delta{SKU: sh.sku.name, Location: sh.place.name, Kind: kind, Quantity: quantity}
}
