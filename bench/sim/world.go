package sim

import (
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The channels. The first sells over the counter, the others by listing.
const (
	overCounter = "store"
	web         = "web"
	amazon      = "amazon"
)

// online are the channels that list; a channel's number is its index.
var online = [...]string{web, amazon}

const (
	centre      = "dc-1"
	safetyShare = 0.1  // of a store's shelves keep a unit back
	fencedShare = 0.05 // of a store's shelves keep some for one channel
	scarceShare = 0.12 // of SKUs cannot be had: the centre has none, and the stores little
)

// sku is a product.
type sku struct {
	number  int
	name    string
	price   int64   // minor units
	perDay  float64 // demand events a day at a store of middling size
	trend   float64 // by what share perDay grows a day
	clump   float64 // mean units of an event beyond the first
	scarce  bool
	mood    float64 // today's multiple of perDay
	sibling *sku    // looks like it; nil: none does

	promoTill inventory.Millis
	uplift    float64 // multiple of perDay while it is promoted

	heldTill [len(online)]inventory.Millis // everywhere
}

// place is a store or the centre.
type place struct {
	name    string
	source  *source // what is sold, counted and taken in here
	size    float64 // multiple of demand
	doubted []*shelf
}

func (p *place) isCentre() bool { return p.name == centre }

// level is how much was there since a time.
type level struct {
	since inventory.Millis
	units int64
}

// shelf is a SKU at a place: what is there, and what the network's own systems believe.
type shelf struct {
	sku   *sku
	place *place

	there  int64   // can be found and sold; changed by move alone
	levels []level // of there, by time
	hidden int64   // in the wrong place

	recorded int64 // fit for sale, as the systems have it
	damaged  int64 // not fit for sale, and known to be so
	reserved int64
	safety   int64
	fence    fence
	coming   int64 // ordered, not in yet
	doubted  bool  // a pick failed since it was last counted

	listed     [len(online)]int64            // what the channel shows
	listedAt   [len(online)]inventory.Millis // since when
	frozenTill [len(online)]inventory.Millis // its listing stands still until
	heldTill   [len(online)]inventory.Millis // it takes no orders here until
}

// fence is what is kept for one channel.
type fence struct {
	full    int64 // what it is filled up to; 0: there is no fence
	left    int64
	channel int
}

// promised is what the network's own systems would still sell.
func (sh *shelf) promised() int64 { return sh.recorded - sh.reserved - sh.safety }

// sellable is what they would let a channel show.
func (sh *shelf) sellable(channel int, at inventory.Millis) int64 {
	if sh.held(channel, at) {
		return 0
	}
	left := sh.promised()
	if sh.fence.channel != channel {
		left -= sh.fence.left
	}
	return max(left, 0)
}

// held reports whether a command keeps the channel from selling here.
func (sh *shelf) held(channel int, at inventory.Millis) bool {
	return at < sh.heldTill[channel] || at < sh.sku.heldTill[channel]
}

// daily is how many units a day are wanted here.
func (sh *shelf) daily() float64 { return sh.sku.perDay * (1 + sh.sku.clump) * sh.place.size }

// move puts units on the shelf, or takes them off.
func (sh *shelf) move(units int64, at inventory.Millis) {
	sh.there += units
	sh.levels = append(sh.levels, level{at, sh.there})
}

// forget drops what the truth was before a time.
func (sh *shelf) forget(before inventory.Millis) {
	keep, _ := slices.BinarySearchFunc(sh.levels, before, func(l level, at inventory.Millis) int { return int(l.since - at) })
	sh.levels = slices.Delete(sh.levels, 0, max(keep-1, 0))
}

// delta begins a delta of the shelf's key.
func (sh *shelf) delta(kind inventory.Kind, quantity int64) *inventory.Delta {
	return &inventory.Delta{SKU: sh.sku.name, Location: sh.place.name, Kind: kind, Quantity: quantity}
}

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
		k := &sku{
			number: i,
			name:   fmt.Sprintf("%s-%03d", f.name, 101+i/len(families)),
			price:  f.price + 100*s.rng.Int64N(20),
			perDay: f.perDay * math.Exp(0.9*s.rng.NormFloat64()),
			trend:  0.01 * s.rng.NormFloat64(),
			clump:  f.clump,
			scarce: s.chance(scarceShare),
		}
		s.skus = append(s.skus, k)
		s.byName[k.name] = k
	}
	for i, k := range s.skus {
		if next := i + len(families); next < len(s.skus) {
			k.sibling = s.skus[next]
		}
	}
	for i := range s.config.Stores {
		s.places = append(s.places, &place{
			name:   fmt.Sprintf("store-%02d", i+1),
			source: &source{name: fmt.Sprintf("pos-%02d", i+1)},
			size:   0.5 + s.rng.Float64(),
		})
	}
	s.places = append(s.places, &place{name: centre, source: &source{name: "wms"}, size: 1})
	for _, p := range s.places {
		for _, k := range s.skus {
			s.stock(p, k)
		}
	}
}

// openingTakes is how long after the counts of the opening the rest is said.
const openingTakes = inventory.Minute

// stock fills a shelf with some days of demand and counts it.
func (s *Sim) stock(p *place, k *sku) {
	opening := s.config.Start
	sh := &shelf{sku: k, place: p}
	s.shelves = append(s.shelves, sh)
	s.byKey[inventory.Key{SKU: k.name, Location: p.name}] = sh
	days := 3 + 7*s.rng.Float64()
	switch {
	case p.isCentre() && k.scarce:
		days = 0
	case p.isCentre():
		days *= 2 * float64(s.config.Stores)
	case k.scarce:
		days /= 3
	}
	sh.recorded = int64(math.Ceil(sh.daily() * days))
	if !p.isCentre() {
		sh.recorded += 2
	}
	sh.move(sh.recorded, opening)
	count := sh.delta(inventory.Count, sh.recorded)
	s.transmit(count, s.stamp(p.source, opening, count)) // the opening itself always gets through
	s.at(opening+openingTakes, func(at inventory.Millis) { s.open(sh, at) })
}

// open says what is kept back of a shelf that has been counted, and what the channels show.
func (s *Sim) open(sh *shelf, at inventory.Millis) {
	if !sh.place.isCentre() && s.chance(safetyShare) {
		sh.safety = 1
		s.send(s.erp, at, sh.delta(inventory.Safety, sh.safety))
	}
	if !sh.place.isCentre() && s.chance(fencedShare) {
		sh.fence = fence{full: 1 + sh.recorded/4, channel: s.rng.IntN(len(online))}
		s.refill(sh, at)
	}
	for channel := range online {
		s.show(sh, channel, at)
	}
}
