package sim

import (
	"fmt"
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	safetyShare = 0.1  // of a store's shelves keep a unit back
	fencedShare = 0.05 // of a store's shelves keep some for one channel

	// openingTakes is how long after the stock of the opening the rest is said.
	openingTakes = inventory.Minute

	// wrongScale is the mean size of an opening record's error, as a share of what is there, beyond one unit.
	// [A] DeHoratius & Raman found a mean absolute error of about a third of the mean stock.
	wrongScale = 0.1
)

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
			perDay: f.perDay * s.trade.Velocity * math.Exp(s.trade.Spread*s.rng.NormFloat64()),
			trend:  s.trade.Trend * s.rng.NormFloat64(),
			clump:  f.clump,
			scarce: chance(s.rng, s.trade.ScarceShare),
			mood:   1,
			told:   make([]directive, len(s.channels)),
		}
		s.skus = append(s.skus, k)
		s.byName[k.name] = k
	}
	for i, k := range s.skus {
		if next := i + len(families); next < len(s.skus) {
			k.sibling = s.skus[next]
		}
	}
	s.buildPlaces()
	for _, p := range s.places {
		p.counters = make([]counter, len(s.channels))
	}
	for _, p := range s.places {
		for _, k := range s.skus {
			s.stock(p, k)
		}
	}
}

func (s *Sim) buildPlaces() {
	stores := s.config.Stores
	for i := range stores {
		s.places = append(s.places, &place{
			name:   fmt.Sprintf("store-%02d", i+1),
			source: &source{name: fmt.Sprintf("pos-%02d", i+1)},
			size:   0.5 + s.rng.Float64(),
			supply: stores + i%s.config.Centres,
		})
	}
	for i := range s.config.Centres {
		wms := "wms"
		if i > 0 {
			wms = fmt.Sprintf("wms-%d", i+1)
		}
		s.places = append(s.places, &place{
			name: fmt.Sprintf("dc-%d", i+1), centre: true, source: &source{name: wms}, size: 1,
			stores: (stores - i + s.config.Centres - 1) / s.config.Centres,
		})
	}
}

// stock fills a shelf with some days of demand and says so.
func (s *Sim) stock(p *place, k *sku) {
	opening := s.config.Start
	sh := &shelf{sku: k, place: p, windows: make([]window, len(s.channels))}
	sh.truth.begin(len(s.channels), opening)
	s.shelves = append(s.shelves, sh)
	s.byKey[sh.key()] = sh
	days := 3 + 7*s.rng.Float64()
	switch {
	case p.centre && k.scarce:
		days = 0
	case p.centre:
		days *= 2 * float64(p.stores)
	case k.scarce:
		days /= 3
	}
	if b := s.config.Buffer; b > 0 {
		sh.buffer = int64(b)
		if chance(s.lag, b-math.Floor(b)) {
			sh.buffer++
		}
	}
	sh.recorded = int64(math.Ceil(sh.daily() * days))
	if !p.centre {
		sh.recorded += 2 + s.trade.Facing
	}
	sh.move(sh.recorded, opening)
	d := sh.delta(inventory.Count, sh.recorded)
	if s.trade.Wrong > 0 || s.trade.Phantom > 0 {
		s.age(sh, opening)
		d = sh.delta(inventory.Adjust, sh.recorded)
		d.Reason = "opening balance"
	}
	if d.Kind == inventory.Count || d.Quantity != 0 {
		s.transmit(d, s.stamp(p.source, opening, d)) // the opening itself always gets through
	}
	s.at(opening+openingTakes, func(at inventory.Millis) { s.open(sh, at) })
}

// age lets a record be as wrong as years make it: what it says is what is carried over from the old systems,
// which nobody counted.
func (s *Sim) age(sh *shelf, at inventory.Millis) {
	if sh.place.centre {
		return
	}
	if chance(s.fate, s.trade.Phantom) {
		s.fault(OpeningError, sh, sh.there, at)
		sh.move(-sh.there, at)
		return
	}
	if !chance(s.fate, s.trade.Wrong) {
		return
	}
	units := 1 + int64(s.fate.ExpFloat64()*wrongScale*float64(sh.there))
	if chance(s.fate, 0.5) {
		units = -units
	}
	units = max(units, -sh.recorded)
	sh.recorded += units
	s.fault(OpeningError, sh, units, at)
}

// open says what is kept back of a shelf that has been stocked, and what the channels show.
func (s *Sim) open(sh *shelf, at inventory.Millis) {
	if !sh.place.centre && chance(s.rng, safetyShare) {
		sh.safety = 1
		s.send(s.erp, at, sh.delta(inventory.Safety, sh.safety))
	}
	if !sh.place.centre && chance(s.rng, fencedShare) {
		sh.fence = fence{full: 1 + sh.recorded/4, channel: s.rng.IntN(len(s.channels))}
		s.refill(sh, at)
	}
	for channel := range s.channels {
		s.show(sh, channel, sh.sellable(channel), at)
	}
	s.settle(sh, at)
}
