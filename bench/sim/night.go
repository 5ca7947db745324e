package sim

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	countsANight     = 4    // keys of each store
	receiptErrors    = 0.02 // of lines: what comes in is not what is booked
	lateTransfers    = 0.05
	transferLateMax  = 2 * inventory.Day
	coverDays        = 6.0 // what a store is filled up to
	reorderDays      = 3.0 // below which it is
	centreCoverDays  = 40.0
	centreReorder    = 20.0
	supplierLeadDays = 3
)

// night counts some keys, and fills up what is low.
func (s *Sim) night() {
	for i, p := range s.places {
		shelves := s.shelves[i*len(s.skus) : (i+1)*len(s.skus)]
		if p.isCentre() {
			for _, sh := range shelves {
				s.buy(sh)
			}
			continue
		}
		for range countsANight {
			s.count(shelves[s.rng.IntN(len(shelves))])
		}
		for _, sh := range shelves {
			s.fillUp(sh)
		}
	}
}

// count settles what is there; what is in the wrong place stays uncounted.
func (s *Sim) count(sh *shelf) {
	sh.recorded = sh.there
	s.send(sh.place.till, s.now, sh.delta(inventory.Count, sh.there))
}

func (sh *shelf) daily() float64 {
	return sh.sku.perDay * (1 + sh.sku.clump) * sh.place.size
}

// fillUp sends a store from the centre what it is short of.
func (s *Sim) fillUp(sh *shelf) {
	have := float64(sh.promised() + sh.coming)
	if have > reorderDays*sh.daily() {
		return
	}
	from := s.byKey[inventory.Key{SKU: sh.sku.name, Location: centre}]
	units := min(int64(math.Ceil(coverDays*sh.daily()-have)), from.promised(), from.there)
	if units <= 0 {
		return
	}
	from.move(-units, s.now)
	from.recorded -= units
	sh.coming += units
	ref := s.order("t")
	due := s.now + 6*inventory.Hour
	out := from.delta(inventory.TransferOut, units)
	out.Ref, out.Counterparty, out.Due = ref, sh.place.name, due
	s.send(from.place.till, s.now, out)
	arrives := due + s.between(-inventory.Hour, 2*inventory.Hour)
	if s.chance(lateTransfers) {
		arrives += s.between(6*inventory.Hour, transferLateMax)
		s.fault(LateTransfer, sh, arrives)
	}
	s.at(arrives, func(at inventory.Millis) { s.takeIn(sh, inventory.TransferIn, ref, units, at) })
}

// buy orders from the supplier what the centre is short of.
func (s *Sim) buy(sh *shelf) {
	daily := sh.daily() * float64(s.config.Stores)
	if float64(sh.promised()+sh.coming) > centreReorder*daily {
		return
	}
	units := int64(math.Ceil(centreCoverDays * daily))
	sh.coming += units
	ref := s.order("po")
	d := sh.delta(inventory.ASN, units)
	d.Ref, d.Due = ref, s.now+supplierLeadDays*inventory.Day
	s.send("erp", s.now, d)
	s.at(d.Due+s.between(0, inventory.Day), func(at inventory.Millis) { s.takeIn(sh, inventory.Receipt, ref, units, at) })
}

// takeIn books what was sent, and puts on the shelf what came.
func (s *Sim) takeIn(sh *shelf, kind inventory.Kind, ref string, units int64, at inventory.Millis) {
	came := units
	if s.chance(receiptErrors) {
		came = s.rng.Int64N(units + 1)
		s.fault(ReceiptError, sh, at)
	}
	sh.coming -= units
	sh.move(came, at)
	sh.recorded += units
	d := sh.delta(kind, units)
	d.Ref = ref
	s.send(sh.place.till, at, d)
}
