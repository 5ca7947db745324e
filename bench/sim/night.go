package sim

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	nightHour = 2 * inventory.Hour // when shelves are counted and filled up

	countsANight  = 4 // keys of each store, taken by turns of chance
	doubtsANight  = 4 // and at most of those where a pick failed, longest ago first
	writeOffs     = 0.3
	lateMost      = 2 * inventory.Day
	coverDays     = 6.0 // what a store is filled up to
	reorderDays   = 3.0 // below which it is
	centreCover   = 40.0
	centreReorder = 20.0
	leadDays      = 3
	scarceDays    = 12 // the lead time of what cannot be had
)

// night counts some keys, fills up what is low, and throws away what is broken.
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
		for range min(doubtsANight, len(p.doubted)) {
			s.count(p.doubted[0])
			p.doubted = p.doubted[1:]
		}
		for _, sh := range shelves {
			s.fillUp(sh)
			if sh.fence.full > 0 {
				s.refill(sh, s.now)
			}
			if sh.damaged > 0 && s.chance(writeOffs) {
				s.at(s.now+inventory.Hour, func(at inventory.Millis) { s.writeOff(sh, at) })
			}
		}
	}
}

// count settles what is there; what is in the wrong place stays uncounted.
func (s *Sim) count(sh *shelf) {
	sh.recorded = sh.there
	sh.doubted = false
	s.send(sh.place.source, s.now, sh.delta(inventory.Count, sh.there+sh.damaged))
}

// refill keeps again for its channel what a fence is for, if there is that much.
func (s *Sim) refill(sh *shelf, at inventory.Millis) {
	sh.fence.left = min(sh.fence.full, max(sh.promised(), 0))
	d := sh.delta(inventory.Allocate, sh.fence.left)
	d.Channel = online[sh.fence.channel]
	s.send(s.erp, at, d)
}

// writeOff throws away what is known to be damaged.
func (s *Sim) writeOff(sh *shelf, at inventory.Millis) {
	if sh.damaged == 0 {
		return
	}
	d := sh.delta(inventory.Unblock, sh.damaged)
	d.Reason = "written off"
	s.send(sh.place.source, at, d)
	d = sh.delta(inventory.Adjust, -sh.damaged)
	d.Reason = "written off"
	s.send(sh.place.source, at, d)
	sh.damaged = 0
}

// fillUp sends a store from the centre what it is short of.
func (s *Sim) fillUp(sh *shelf) {
	have := float64(sh.promised() + sh.coming)
	if have > reorderDays*sh.daily() {
		return
	}
	from := s.shelf(s.config.Stores, sh.sku.number)
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
	s.send(from.place.source, s.now, out)
	arrives := due + s.between(-inventory.Hour, 2*inventory.Hour)
	if s.chance(s.rates.LateTransfer) {
		arrives += s.between(6*inventory.Hour, lateMost)
		s.fault(LateTransfer, sh, 0, arrives)
	}
	s.at(arrives, func(at inventory.Millis) { s.takeIn(sh, inventory.TransferIn, ref, units, at) })
}

// buy orders from the supplier what the centre is short of.
func (s *Sim) buy(sh *shelf) {
	daily := sh.daily() * float64(s.config.Stores)
	if float64(sh.promised()+sh.coming) > centreReorder*daily {
		return
	}
	units := int64(math.Ceil(centreCover * daily))
	sh.coming += units
	lead := inventory.Millis(leadDays)
	if sh.sku.scarce {
		lead = scarceDays
	}
	d := sh.delta(inventory.ASN, units)
	d.Ref, d.Due = s.order("po"), s.now+lead*inventory.Day
	s.send(s.erp, s.now, d)
	s.at(d.Due+s.between(0, inventory.Day), func(at inventory.Millis) { s.takeIn(sh, inventory.Receipt, d.Ref, units, at) })
}

// takeIn books what was sent, and puts on the shelf what came.
func (s *Sim) takeIn(sh *shelf, kind inventory.Kind, ref string, units int64, at inventory.Millis) {
	came := units
	if s.chance(s.rates.ReceiptError) {
		came = s.rng.Int64N(units + 1 + units/4) // less, or up to a quarter more
		s.fault(ReceiptError, sh, units-came, at)
	}
	sh.coming -= units
	sh.move(came, at)
	sh.recorded += units
	d := sh.delta(kind, units)
	d.Ref = ref
	s.send(sh.place.source, at, d)
}
