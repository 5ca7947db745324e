package sim

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	nightHour = 2 * inventory.Hour // when shelves are counted and filled up

	writeOffs     = 0.3
	lateMost      = 2 * inventory.Day
	centreCover   = 40.0
	centreReorder = 20.0
	leadDays      = 3
	scarceDays    = 12 // the lead time of what cannot be had
)

// night counts some keys, fills up what is low, and throws away what is broken.
func (s *Sim) night() {
	for i, p := range s.places {
		shelves := s.shelves[i*len(s.skus) : (i+1)*len(s.skus)]
		if p.centre {
			for _, sh := range shelves {
				s.buy(sh)
			}
			continue
		}
		for range poisson(s.fate, float64(len(shelves))/s.trade.CountEvery) {
			s.count(shelves[s.fate.IntN(len(shelves))])
		}
		for range min(s.trade.Doubts, len(p.doubted)) {
			s.count(p.doubted[0])
			p.doubted = p.doubted[1:]
		}
		for _, sh := range shelves {
			s.fillUp(sh)
			if sh.damaged == 0 {
				s.sorted(sh, s.now)
			}
			if sh.fence.full > 0 {
				s.refill(sh, s.now)
			}
			if sh.damaged > 0 && s.now >= sh.unsorted && chance(s.rng, writeOffs) {
				s.at(s.now+inventory.Hour, func(at inventory.Millis) { s.writeOff(sh, at) })
			}
			if every := s.trade.SnapshotEvery; every > 0 && chance(s.rng, 1/every) {
				s.at(s.now+2*inventory.Hour, func(at inventory.Millis) { s.snapshot(sh, at) })
			}
		}
	}
}

// count settles what is there; what is in the wrong place stays uncounted.
func (s *Sim) count(sh *shelf) {
	s.totals.Counts++
	s.send(sh.place.source, s.now, sh.delta(inventory.Count, sh.there+sh.damaged))
	sh.recorded = sh.there
	sh.doubted = false
	s.settle(sh, s.now)
}

// refill keeps again for its channel what a fence is for, if there is that much.
func (s *Sim) refill(sh *shelf, at inventory.Millis) {
	sh.fence.left = min(sh.fence.full, max(sh.promised(), 0))
	d := sh.delta(inventory.Allocate, sh.fence.left)
	d.Channel = s.channels[sh.fence.channel].Name
	s.send(s.erp, at, d)
	s.settle(sh, at)
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
	s.sorted(sh, at)
}

// fillUp sends a store from the centre what it is short of.
func (s *Sim) fillUp(sh *shelf) {
	have, daily := float64(sh.promised()+sh.coming), s.planned(sh)
	if daily == 0 || have > max(s.trade.ReorderDays*daily, float64(s.trade.Facing)) {
		return
	}
	from := s.shelf(sh.place.supply, sh.sku.number)
	units := min(int64(math.Ceil(s.trade.CoverDays*daily+float64(s.trade.Facing)-have)), from.promised(), from.there)
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
	s.settle(from, s.now)
	arrives := due - between(s.rng, 0, 3*inventory.Hour)
	if chance(s.rng, s.rates.LateTransfer) {
		arrives = due + between(s.rng, 6*inventory.Hour, lateMost)
		s.fault(LateTransfer, sh, 0, arrives)
		s.episode(inventory.TransferDelay, LateTransfer, sh, "", ref, due).End = arrives
	}
	s.at(arrives, func(at inventory.Millis) { s.takeIn(sh, inventory.TransferIn, ref, units, at) })
}

// buy orders from the supplier what the centre is short of.
func (s *Sim) buy(sh *shelf) {
	daily := sh.daily() * float64(sh.place.stores)
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
	arrives := d.Due - between(s.rng, 0, inventory.Day)
	if s.happens(s.rates.LateTransfer) {
		arrives = d.Due + between(s.rng, 6*inventory.Hour, lateMost)
		s.fault(LateTransfer, sh, 0, arrives)
		s.episode(inventory.ReceiptDiscrepancy, LateTransfer, sh, "", d.Ref, d.Due).End = arrives
	}
	s.at(arrives, func(at inventory.Millis) { s.takeIn(sh, inventory.Receipt, d.Ref, units, at) })
}

// takeIn books what was sent, and puts on the shelf what came.
func (s *Sim) takeIn(sh *shelf, kind inventory.Kind, ref string, units int64, at inventory.Millis) {
	sh.coming -= units
	if kind == inventory.Receipt {
		units = s.short(sh, ref, units, at)
	}
	came := units
	if chance(s.rng, s.rates.ReceiptError) {
		came = s.came(units)
		if came != units {
			s.fault(ReceiptError, sh, units-came, at)
		}
	}
	sh.move(came, at)
	sh.recorded += units
	d := sh.delta(kind, units)
	d.Ref = ref
	s.send(sh.place.source, at, d)
	s.settle(sh, at)
}

// came draws what came instead of what was booked: now and then nothing, else some more or less.
func (s *Sim) came(units int64) int64 {
	const nothing, spread = 0.1, 0.3
	if chance(s.rng, nothing) {
		return 0
	}
	off := 1 + int64(s.rng.ExpFloat64()*spread*float64(units))
	if chance(s.rng, 0.5) {
		off = -off
	}
	return max(units+off, 0)
}
