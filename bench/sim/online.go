package sim

import "github.com/holdfast-atp/holdfast/inventory"

const reserveFor = 3 * inventory.Day

// purchase is an order of an online customer.
type purchase struct {
	ref     string
	sh      *shelf
	channel int
	units   int64
	raced   bool // the books had not enough when it was taken: the listing was behind
}

// orderOnline is a customer of a channel. The order goes to a store that shows enough, and
// to a centre where none does; it is taken by what is shown, whatever is there.
func (s *Sim) orderOnline(k *sku, channel int, units int64, near int, at inventory.Millis) {
	s.totals.OnlineWanted += units
	sh := s.route(k, channel, units, near)
	if sh == nil {
		s.totals.OnlineRefused += units
		return
	}
	s.totals.Ordered += units
	p := &purchase{ref: s.order("o"), sh: sh, channel: channel, units: units, raced: sh.share(channel) < units}
	w := &sh.windows[channel]
	w.shown -= units // the channel counts its own orders at once
	w.told -= units
	w.heard -= units
	sh.truth.ordered(channel, at)
	sh.reserved += units
	if sh.fence.channel == channel {
		sh.fence.left = max(sh.fence.left-units, 0)
	}
	d := sh.delta(inventory.Reserve, units)
	d.Channel, d.Ref, d.Price, d.Due = s.channels[channel].Name, p.ref, k.price, at+reserveFor
	s.send(s.oms, at, d)
	s.accept(p, at)
	s.settle(sh, at)
	if s.changesMind(p, at) {
		s.at(at+between(s.rng, 5*inventory.Minute, inventory.Hour), func(at inventory.Millis) { s.withdraw(p, at) })
		return
	}
	s.at(at+between(s.rng, inventory.Hour, 6*inventory.Hour), func(at inventory.Millis) { s.pick(p, 1, at) })
}

// route returns the shelf that serves an order: of the stores, beginning with the one nearest
// to the customer, the first that shows enough on the channel; then the centres; nil where
// none does.
func (s *Sim) route(k *sku, channel int, units int64, near int) *shelf {
	stores := s.config.Stores
	for i := range len(s.places) {
		place := i
		if i < stores {
			place = (near + i) % stores
		}
		if sh := s.shelf(place, k.number); sh.windows[channel].shown >= units {
			return sh
		}
	}
	return nil
}

// pick looks for an order's units, twice where they are not found at first.
func (s *Sim) pick(p *purchase, attempt int, at inventory.Millis) {
	sh := p.sh
	if s.busy(p) {
		s.at(at-at%inventory.Day+inventory.Day+opensAt+between(s.rng, 0, 2*inventory.Hour), func(at inventory.Millis) { s.pick(p, attempt, at) })
		return
	}
	missed := !sh.place.centre && chance(s.rng, s.trade.FalseNil)
	found := sh.there
	if missed {
		found = 0
	}
	if found >= p.units {
		sh.move(-p.units, at)
		sh.recorded -= p.units
		sh.reserved -= p.units
		s.totals.Shipped += p.units
		s.totals.SoldValue += p.units * sh.sku.price
		d := sh.delta(inventory.Ship, p.units)
		d.Ref = p.ref
		s.send(s.oms, at, d)
		s.finish(p, at)
		s.settle(sh, at)
		return
	}
	sh.doubt()
	d := sh.delta(inventory.PickFailed, p.units-found)
	d.Ref, d.Reason = p.ref, "not found"
	s.send(s.oms, at, d)
	if attempt == 1 {
		s.at(at+between(s.rng, inventory.Hour, 4*inventory.Hour), func(at inventory.Millis) { s.pick(p, 2, at) })
		return
	}
	s.giveUp(p, at+inventory.Minute)
}

// giveUp cancels an order that was not found, and now and then sends something like it.
func (s *Sim) giveUp(p *purchase, at inventory.Millis) {
	sh := p.sh
	short := max(p.units-sh.there, 0)
	s.totals.Cancelled += p.units
	if p.raced {
		s.totals.OversoldRaced += short
	} else {
		s.totals.OversoldUnfound += short
	}
	sh.reserved -= p.units
	d := sh.delta(inventory.Release, p.units)
	d.Ref, d.Reason = p.ref, "not found"
	s.send(s.oms, at, d)
	s.finish(p, at)
	s.settle(sh, at)
	if sh.sku.sibling == nil || !chance(s.rng, substituteShare) {
		return
	}
	instead := s.like(sh)
	if instead.there < p.units {
		return
	}
	instead.move(-p.units, at)
	instead.recorded -= p.units
	d = sh.delta(inventory.Substitute, p.units)
	d.Ref = p.ref
	s.send(s.oms, at, d)
	d = instead.delta(inventory.Sale, p.units)
	d.Channel, d.Ref, d.Price = s.channels[p.channel].Name, p.ref, instead.sku.price
	s.send(s.oms, at, d)
	s.settle(instead, at)
}

// doubt puts the shelf among those to be counted.
func (sh *shelf) doubt() {
	if !sh.doubted && !sh.place.centre {
		sh.doubted = true
		sh.place.doubted = append(sh.place.doubted, sh)
	}
}
