package sim

import "github.com/holdfast-atp/holdfast/inventory"

const (
	misscanShare = 0.003 // of lines over the counter that are rung up as a sibling
	returnShare  = 0.04  // of sales that come back
	damagedShare = 0.25  // of what comes back
	reserveFor   = 3 * inventory.Day
)

// sell is a customer at the counter: what is not on the shelf is not sold.
func (s *Sim) sell(sh *shelf, units int64, at inventory.Millis) {
	units = min(units, sh.there)
	if units == 0 {
		return
	}
	sh.move(-units, at)
	rung := sh
	if len(sh.sku.siblings) > 0 && s.chance(misscanShare) {
		rung = s.byKey[inventory.Key{SKU: s.skus[sh.sku.siblings[0]].name, Location: sh.place.name}]
		s.fault(Misscan, sh, at)
	}
	rung.recorded -= units
	d := rung.delta(inventory.Sale, units)
	d.Channel, d.Price, d.Ref = overCounter, rung.sku.price, s.order("r")
	s.send(sh.place.till, at, d)
	if s.chance(returnShare) {
		s.at(at+s.between(inventory.Day, 10*inventory.Day), func(at inventory.Millis) { s.giveBack(rung, units, at) })
	}
}

// giveBack is a return over the counter.
func (s *Sim) giveBack(sh *shelf, units int64, at inventory.Millis) {
	d := sh.delta(inventory.Return, units)
	d.Reason = "sellable"
	if s.chance(damagedShare) {
		d.Reason = "damaged"
	} else {
		sh.recorded += units
		sh.move(units, at)
	}
	s.send(sh.place.till, at, d)
}

// orderOnline is a customer of a channel. The order goes to a store that shows enough, and
// to the centre where none does; it is taken by what is shown, whatever is there.
func (s *Sim) orderOnline(number int, channel string, units int64, at inventory.Millis) {
	sh := s.route(number, channel, units)
	if sh == nil {
		return
	}
	sh.listed[channel] -= units // the channel counts its own orders at once
	sh.reserved += units
	ref := s.order("o")
	d := sh.delta(inventory.Reserve, units)
	d.Channel, d.Ref, d.Price, d.Due = channel, ref, sh.sku.price, at+reserveFor
	s.send("oms", at, d)
	s.at(at+s.between(inventory.Hour, 6*inventory.Hour), func(at inventory.Millis) { s.pick(sh, units, ref, 1, at) })
}

// route returns the shelf that serves an order: of the stores, beginning with the one nearest
// to the customer, the first that shows enough on the channel; then the centre; nil where
// none does.
func (s *Sim) route(number int, channel string, units int64) *shelf {
	stores := s.config.Stores
	nearest := s.rng.IntN(stores)
	for i := range stores + 1 {
		place := (nearest + i) % stores
		if i == stores {
			place = stores
		}
		sh := s.shelves[place*len(s.skus)+number]
		if sh.listed[channel] >= units && !s.heldFor(channel, sh) {
			return sh
		}
	}
	return nil
}

// pick looks for an order's units, twice where they are not there at first.
func (s *Sim) pick(sh *shelf, units int64, ref string, attempt int, at inventory.Millis) {
	if sh.there >= units {
		sh.move(-units, at)
		sh.recorded -= units
		sh.reserved -= units
		d := sh.delta(inventory.Ship, units)
		d.Ref = ref
		s.send("oms", at, d)
		return
	}
	d := sh.delta(inventory.PickFailed, units-sh.there)
	d.Ref, d.Reason = ref, "not found"
	s.send("oms", at, d)
	if attempt == 1 {
		s.at(at+s.between(inventory.Hour, 4*inventory.Hour), func(at inventory.Millis) { s.pick(sh, units, ref, 2, at) })
		return
	}
	sh.reserved -= units
	d = sh.delta(inventory.Release, units)
	d.Ref = ref
	s.send("oms", at+inventory.Minute, d)
}

// list lets the channels show what the network's systems would sell, each when it gets round to it.
func (s *Sim) list() {
	for _, sh := range s.shelves {
		for _, channel := range online {
			lag := 30 * inventory.Minute
			if channel == amazon {
				lag = 2 * inventory.Hour
			}
			if s.now >= sh.frozenTill[channel] && s.now-sh.listedAt[channel] >= lag && sh.listed[channel] != max(sh.promised(), 0) {
				s.show(sh, channel, s.now)
			}
		}
	}
}

func (s *Sim) show(sh *shelf, channel string, at inventory.Millis) {
	sh.listed[channel], sh.listedAt[channel] = max(sh.promised(), 0), at
	d := sh.delta(inventory.Listing, sh.listed[channel])
	d.Channel = channel
	s.send(channel, at, d)
}
