package sim

import (
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// overCounter is the channel of the tills.
const overCounter = "store"

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

	promo promotion // the latest that was planned

	told []directive // by channel, for the whole network
}

// place is a store or a centre.
type place struct {
	name    string
	centre  bool
	source  *source // what is sold, counted and taken in here
	size    float64 // multiple of demand
	stores  int     // how many a centre supplies
	supply  int     // number of the centre that supplies a store
	doubted []*shelf

	counters []counter // by channel: its orders here
	work     work
}

// channel is a Channel with who says what it lists.
type channel struct {
	Channel
	source *source
}

// level is how much was there since a time.
type level struct {
	since inventory.Millis
	units int64
}

// fence is what is kept for one channel.
type fence struct {
	full    int64 // what it is filled up to; 0: there is no fence
	left    int64
	channel int
}

// shelf is a SKU at a place: what is there, and what the network's own systems believe. Who changes one
// calls settle.
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
	buffer   int64 // of Config.Buffer
	fence    fence
	coming   int64 // ordered, not in yet
	doubted  bool  // a pick failed since it was last counted
	rush     rush
	sales    []inventory.Millis // over the counter, of the last few weeks
	unsorted inventory.Millis   // until when nobody sorts out what came back
	unheard  []word             // what the ledger has not heard of yet, by time

	windows []window // by channel
	truth   shelfTruth
}

// promised is what the network's own systems would still sell.
func (sh *shelf) promised() int64 { return sh.recorded - sh.reserved - sh.safety }

// share is what of it is a channel's: that less what is fenced for others.
func (sh *shelf) share(channel int) int64 {
	if sh.fence.channel != channel {
		return sh.promised() - sh.fence.left
	}
	return sh.promised()
}

// sellable is what they would let a channel show.
func (sh *shelf) sellable(channel int) int64 { return max(sh.share(channel)-sh.buffer, 0) }

// daily is how many units a day are wanted here over the counter.
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

func (sh *shelf) key() inventory.Key { return inventory.Key{SKU: sh.sku.name, Location: sh.place.name} }

// settle is called after whatever changed a shelf: the truth is noted, and the channels are told.
func (s *Sim) settle(sh *shelf, at inventory.Millis) {
	s.tellChannels(sh, at)
	s.watch(sh, at)
}
