package sim

import "github.com/holdfast-atp/holdfast/inventory"

// ShortStaffed: a place can do a part of its day's work.
const ShortStaffed FaultKind = "short of staff"

const (
	shortLeast = 0.2 // of a usual day's units
	shortMost  = 0.5
	workSKU    = "work" // under which a place's tasks and capacity are told
	opensAt    = 8 * inventory.Hour
)

// work is what a place has taken on and can do, in units picked.
type work struct {
	waiting  int64
	capacity int64 // today's
	done     int64 // today
	overload *Episode
}

// staff draws what a store can do in the day that begins, and says so.
func (s *Sim) staff(p *place) {
	if s.trade.Hands == 0 {
		return
	}
	usual := 0.0
	for _, k := range s.skus {
		usual += k.perDay * (1 + k.clump) * s.onlineShare()
	}
	share := s.trade.Hands
	if chance(s.luck, s.rates.ShortStaffed) {
		share = shortLeast + (shortMost-shortLeast)*s.luck.Float64()
		s.faults = append(s.faults, Fault{Kind: ShortStaffed, Key: inventory.Key{Location: p.name}, At: s.now})
	}
	p.work.capacity, p.work.done = int64(share*usual), 0
	d := p.delta(inventory.Capacity, p.work.capacity)
	d.Due = s.now + inventory.Day
	s.send(s.oms, s.now, d)
	s.watchWork(p, s.now)
}

// accept takes on an order's picking.
func (s *Sim) accept(p *purchase, at inventory.Millis) {
	pl := p.sh.place
	if pl.centre || s.trade.Hands == 0 {
		return
	}
	pl.work.waiting += p.units
	d := pl.delta(inventory.Task, p.units)
	d.Ref = p.ref
	s.send(s.oms, at, d)
	s.watchWork(pl, at)
}

// busy reports whether a place has no hands left today for an order.
func (s *Sim) busy(p *purchase) bool {
	w := &p.sh.place.work
	return !p.sh.place.centre && s.trade.Hands > 0 && w.done+p.units > w.capacity
}

// finish ends an order's picking, however it ended.
func (s *Sim) finish(p *purchase, at inventory.Millis) {
	pl := p.sh.place
	if pl.centre || s.trade.Hands == 0 {
		return
	}
	pl.work.waiting -= p.units
	pl.work.done += p.units
	d := pl.delta(inventory.TaskDone, p.units)
	d.Ref = p.ref
	s.send(s.oms, at, d)
	s.watchWork(pl, at)
}

// watchWork: a place has taken on more than it can do today.
func (s *Sim) watchWork(p *place, at inventory.Millis) {
	w := &p.work
	switch is := w.waiting > max(w.capacity-w.done, 0); {
	case is && w.overload == nil:
		w.overload = &Episode{Class: inventory.FulfilmentOverload, Cause: ShortStaffed, Location: p.name, Begin: at}
		s.episodes = append(s.episodes, w.overload)
	case !is && w.overload != nil:
		w.overload.End = at
		w.overload = nil
	}
}

// delta begins a delta of a place's work.
func (p *place) delta(kind inventory.Kind, quantity int64) *inventory.Delta {
	return &inventory.Delta{SKU: workSKU, Location: p.name, Kind: kind, Quantity: quantity}
}
