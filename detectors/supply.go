package detectors

import "github.com/holdfast-atp/holdfast/inventory"

const (
	// sameDelivery is within which time goods come of one delivery. [A]
	sameDelivery = 4 * inventory.Hour

	// supplyKnown is how many distances between deliveries, discounted, a location's rhythm is learned from before it is relied on. [A]
	supplyKnown = 5
)

// Supplied tells the location that goods came at a time.
func (p *Place) Supplied(at inventory.Millis) {
	switch {
	case p.supplied == 0:
	case at-p.supplied < sameDelivery:
		return
	default:
		p.supplies.add(inHours(at - p.supplied))
	}
	p.supplied = at
}

// nextSupply returns when the next delivery will nearly surely have come: the mean of the time between two after the last, and three standard
// deviations; where that is past, as long from now as is usual. 0: not enough is known.
func (p *Place) nextSupply(now inventory.Millis) inventory.Millis {
	if p.supplies.count < supplyKnown {
		return 0
	}
	mean, deviation := p.supplies.moments()
	next := p.supplied + inventory.Millis((mean+float64(3*deviation))*float64(inventory.Hour))
	if next <= now {
		next = now + inventory.Millis(mean*float64(inventory.Hour))
	}
	return next
}
