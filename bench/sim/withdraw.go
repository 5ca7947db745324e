package sim

import "github.com/holdfast-atp/holdfast/inventory"

// CancelBurst: customers of a channel at a place take most of their orders back, as after a payment that failed.
const CancelBurst FaultKind = "burst of cancellations"

const (
	burstLasts = inventory.Day
	burstShare = 0.7 // of a burst's orders are taken back
	burstLeast = 12  // orders the day before, below which a place's channel has none
)

// counter is a channel's trade at a place.
type counter struct {
	today, before int              // orders
	burstTill     inventory.Millis // until when most of them are taken back
}

// withdrawMany begins a burst of cancellations.
func (s *Sim) withdrawMany(p *place, channel int, at inventory.Millis) {
	c := &p.counters[channel]
	if c.before < burstLeast {
		return
	}
	c.burstTill = at + burstLasts
	s.faults = append(s.faults, Fault{Kind: CancelBurst, Key: inventory.Key{Location: p.name}, At: at})
	s.episodes = append(s.episodes, &Episode{
		Class: inventory.CancellationAnomaly, Cause: CancelBurst, Location: p.name, Channel: s.channels[channel].Name, Begin: at, End: c.burstTill,
	})
}

// changesMind draws whether a customer takes an order back before it is picked.
func (s *Sim) changesMind(p *purchase, at inventory.Millis) bool {
	c := &p.sh.place.counters[p.channel]
	c.today++
	share := s.trade.Withdrawn
	if at < c.burstTill {
		share = burstShare
	}
	return s.happens(share)
}

// withdraw takes an order back.
func (s *Sim) withdraw(p *purchase, at inventory.Millis) {
	s.totals.Withdrawn += p.units
	p.sh.reserved -= p.units
	d := p.sh.delta(inventory.Release, p.units)
	d.Ref, d.Reason = p.ref, "customer"
	s.send(s.oms, at, d)
	s.finish(p, at)
	s.settle(p.sh, at)
}
