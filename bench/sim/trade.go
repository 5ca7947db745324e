package sim

import "github.com/holdfast-atp/holdfast/inventory"

const (
	returnShare     = 0.04 // of sales over the counter come back
	damagedShare    = 0.25 // of what comes back
	substituteShare = 0.3  // of customers who take something like it where there is none
)

// sell is a customer at the counter: what is not on the shelf is not sold.
func (s *Sim) sell(sh *shelf, units int64, at inventory.Millis) {
	wanted := units
	if sh.there == 0 && sh.sku.sibling != nil && chance(s.rng, substituteShare) {
		instead := s.like(sh)
		s.overflow(sh, instead, at)
		sh = instead
	}
	units = min(units, sh.there)
	s.totals.Wanted += wanted
	s.totals.Lost += wanted - units
	if units == 0 {
		return
	}
	s.totals.Sold += units
	s.totals.SoldValue += units * sh.sku.price
	sh.move(-units, at)
	rung := sh
	if sh.sku.sibling != nil && chance(s.rng, s.rates.Misscan) {
		rung = s.like(sh)
		s.fault(Misscan, sh, units, at)
		s.fault(Misscan, rung, -units, at)
	}
	rung.recorded -= units
	rung.sales = append(rung.sales, at)
	d := rung.delta(inventory.Sale, units)
	d.Channel, d.Price, d.Ref = overCounter, rung.sku.price, s.order("r")
	s.send(sh.place.source, at, d)
	if rung != sh {
		s.settle(rung, at)
	}
	s.settle(sh, at)
	if chance(s.rng, returnShare) {
		s.at(at+between(s.rng, inventory.Day, 10*inventory.Day), func(at inventory.Millis) { s.giveBack(rung, units, at) })
	}
}

// like returns the shelf of the same place with what looks like it. The SKU has a sibling.
func (s *Sim) like(sh *shelf) *shelf {
	return s.byKey[inventory.Key{SKU: sh.sku.sibling.name, Location: sh.place.name}]
}

// giveBack is a return over the counter.
func (s *Sim) giveBack(sh *shelf, units int64, at inventory.Millis) {
	d := sh.delta(inventory.Return, units)
	if chance(s.rng, damagedShare) {
		d.Reason = "damaged"
		sh.damaged += units
	} else {
		d.Reason = "sellable"
		sh.recorded += units
		sh.move(units, at)
	}
	s.send(sh.place.source, at, d)
	s.settle(sh, at)
}
