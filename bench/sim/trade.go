package sim

import "github.com/holdfast-atp/holdfast/inventory"

const (
	returnShare     = 0.04 // of sales over the counter come back
	damagedShare    = 0.25 // of what comes back
	substituteShare = 0.3  // of customers who take something like it where there is none
	reserveFor      = 3 * inventory.Day
)

// sell is a customer at the counter: what is not on the shelf is not sold.
func (s *Sim) sell(sh *shelf, units int64, at inventory.Millis) {
	if sh.there == 0 && sh.sku.sibling != nil && s.chance(substituteShare) {
		sh = s.like(sh)
	}
	units = min(units, sh.there)
	if units == 0 {
		return
	}
	sh.move(-units, at)
	rung := sh
	if sh.sku.sibling != nil && s.chance(s.rates.Misscan) {
		rung = s.like(sh)
		s.fault(Misscan, sh, units, at)
		s.fault(Misscan, rung, -units, at)
	}
	rung.recorded -= units
	d := rung.delta(inventory.Sale, units)
	d.Channel, d.Price, d.Ref = overCounter, rung.sku.price, s.order("r")
	s.send(sh.place.source, at, d)
	if s.chance(returnShare) {
		s.at(at+s.between(inventory.Day, 10*inventory.Day), func(at inventory.Millis) { s.giveBack(rung, units, at) })
	}
}

// like returns the shelf of the same place with what looks like it. The SKU has a sibling.
func (s *Sim) like(sh *shelf) *shelf {
	return s.byKey[inventory.Key{SKU: sh.sku.sibling.name, Location: sh.place.name}]
}

// giveBack is a return over the counter.
func (s *Sim) giveBack(sh *shelf, units int64, at inventory.Millis) {
	d := sh.delta(inventory.Return, units)
	if s.chance(damagedShare) {
		d.Reason = "damaged"
		sh.damaged += units
	} else {
		d.Reason = "sellable"
		sh.recorded += units
		sh.move(units, at)
	}
	s.send(sh.place.source, at, d)
}

// orderOnline is a customer of a channel. The order goes to a store that shows enough, and
// to the centre where none does; it is taken by what is shown, whatever is there.
func (s *Sim) orderOnline(k *sku, channel int, units int64, at inventory.Millis) {
	sh := s.route(k, channel, units, at)
	if sh == nil {
		return
	}
	sh.listed[channel] -= units // the channel counts its own orders at once
	sh.reserved += units
	if sh.fence.channel == channel {
		sh.fence.left = max(sh.fence.left-units, 0)
	}
	ref := s.order("o")
	d := sh.delta(inventory.Reserve, units)
	d.Channel, d.Ref, d.Price, d.Due = online[channel], ref, k.price, at+reserveFor
	s.send(s.oms, at, d)
	s.at(at+s.between(inventory.Hour, 6*inventory.Hour), func(at inventory.Millis) { s.pick(sh, channel, units, ref, 1, at) })
}

// route returns the shelf that serves an order: of the stores, beginning with the one nearest
// to the customer, the first that shows enough on the channel; then the centre; nil where
// none does.
func (s *Sim) route(k *sku, channel int, units int64, at inventory.Millis) *shelf {
	stores := s.config.Stores
	nearest := s.rng.IntN(stores)
	for i := range stores + 1 {
		place := (nearest + i) % stores
		if i == stores {
			place = stores
		}
		if sh := s.shelf(place, k.number); sh.listed[channel] >= units && !sh.held(channel, at) {
			return sh
		}
	}
	return nil
}

// pick looks for an order's units, twice where they are not there at first.
func (s *Sim) pick(sh *shelf, channel int, units int64, ref string, attempt int, at inventory.Millis) {
	if sh.there >= units {
		sh.move(-units, at)
		sh.recorded -= units
		sh.reserved -= units
		d := sh.delta(inventory.Ship, units)
		d.Ref = ref
		s.send(s.oms, at, d)
		return
	}
	sh.doubt()
	d := sh.delta(inventory.PickFailed, units-sh.there)
	d.Ref, d.Reason = ref, "not found"
	s.send(s.oms, at, d)
	if attempt == 1 {
		s.at(at+s.between(inventory.Hour, 4*inventory.Hour), func(at inventory.Millis) { s.pick(sh, channel, units, ref, 2, at) })
		return
	}
	s.giveUp(sh, channel, units, ref, at+inventory.Minute)
}

// giveUp cancels an order that was not found, and now and then sends something like it.
func (s *Sim) giveUp(sh *shelf, channel int, units int64, ref string, at inventory.Millis) {
	sh.reserved -= units
	d := sh.delta(inventory.Release, units)
	d.Ref, d.Reason = ref, "not found"
	s.send(s.oms, at, d)
	if sh.sku.sibling == nil || !s.chance(substituteShare) {
		return
	}
	instead := s.like(sh)
	if instead.there < units {
		return
	}
	instead.move(-units, at)
	instead.recorded -= units
	d = sh.delta(inventory.Substitute, units)
	d.Ref = ref
	s.send(s.oms, at, d)
	d = instead.delta(inventory.Sale, units)
	d.Channel, d.Ref, d.Price = online[channel], ref, instead.sku.price
	s.send(s.oms, at, d)
}

// doubt puts the shelf among those to be counted.
func (sh *shelf) doubt() {
	if !sh.doubted && !sh.place.isCentre() {
		sh.doubted = true
		sh.place.doubted = append(sh.place.doubted, sh)
	}
}

// listingLag is how long a channel shows what it showed, whatever has changed.
var listingLag = [len(online)]inventory.Millis{30 * inventory.Minute, 2 * inventory.Hour}

// list lets the channels show what the network's systems would sell, each when it gets round to it.
func (s *Sim) list() {
	for _, sh := range s.shelves {
		for channel := range online {
			if s.now >= sh.frozenTill[channel] && s.now-sh.listedAt[channel] >= listingLag[channel] &&
				sh.listed[channel] != sh.sellable(channel, s.now) {
				s.show(sh, channel, s.now)
			}
		}
	}
}

func (s *Sim) show(sh *shelf, channel int, at inventory.Millis) {
	sh.listed[channel], sh.listedAt[channel] = sh.sellable(channel, at), at
	d := sh.delta(inventory.Listing, sh.listed[channel])
	d.Channel = online[channel]
	s.send(s.channels[channel], at, d)
}
