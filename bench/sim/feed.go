package sim

import (
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	tickEvery = 30 * inventory.Minute
	tickDelay = 5 * inventory.Minute // how long a source waits before it says that it has told everything

	transitLeast = 50 * inventory.Second / 1000
	transitMost  = 3 * inventory.Second
	drainSpeed   = 60 // how much faster than it came a backlog is sent
)

// source is a system that sends.
type source struct {
	name string
	told inventory.Millis // when the latest of what it sent arrives, but for what is late or lost

	cutFrom, cutTill inventory.Millis // nothing gets through; what is sent meanwhile comes after that, in order
}

// arrival returns when something arrives that would have arrived at a time.
func (src *source) arrival(at inventory.Millis) inventory.Millis {
	if at >= src.cutFrom && at < src.cutTill {
		return src.cutTill + (at-src.cutFrom)/drainSpeed
	}
	return at
}

// send lets src say what happened at a time. It arrives soon, but for what goes wrong on the way. When it arrives is returned; never
// for what is lost.
func (s *Sim) send(src *source, at inventory.Millis, d *inventory.Delta) inventory.Millis {
	arrives, cause := s.stamp(src, at, d), CutOff
	switch {
	case chance(s.rng, s.rates.Lost):
		s.note(LostMessage, d, bookEffect(d))
		arrives, cause = never, LostMessage
	case chance(s.rng, s.rates.Late):
		arrives += between(s.rng, 10*inventory.Minute, 6*inventory.Hour)
		s.note(LateMessage, d, 0)
		cause = LateMessage
	default:
		src.told = max(src.told, arrives)
	}
	if sh := s.byKey[d.Key()]; sh != nil {
		s.delay(sh, d, arrives, cause)
	}
	if arrives == never {
		return never
	}
	s.transmit(d, arrives)
	if chance(s.rng, s.rates.Duplicate) {
		s.note(DuplicateMessage, d, 0)
		s.transmit(d, arrives+between(s.rng, inventory.Second, inventory.Minute))
	}
	return arrives
}

// stamp says who says it and when it was, and returns when it will arrive if nothing goes wrong.
func (s *Sim) stamp(src *source, at inventory.Millis, d *inventory.Delta) inventory.Millis {
	s.sent++
	d.ID, d.Source, d.Time = strconv.Itoa(s.sent), src.name, at
	return src.arrival(at + between(s.rng, transitLeast, transitMost))
}

// transmit brings a message on its way. Nothing arrives before what has been handed out already.
func (s *Sim) transmit(d *inventory.Delta, arrives inventory.Millis) {
	s.outbox.put(max(arrives, s.now), d)
}

// tick lets every source say that it is alive and has told all up to now. What was late or lost it
// does not know of.
func (s *Sim) tick() {
	for _, p := range s.places {
		s.vouch(p.source)
	}
	s.vouch(s.oms)
	s.vouch(s.erp)
	for _, channel := range s.channels {
		s.vouch(channel.source)
	}
}

func (s *Sim) vouch(src *source) {
	d := &inventory.Delta{Kind: inventory.Tick}
	s.stamp(src, s.now, d)
	s.transmit(d, max(src.arrival(s.now+tickDelay), src.told))
}

// bookEffect is by how much what can be sold is more on the books if a message is lost.
func bookEffect(d *inventory.Delta) int64 {
	switch d.Kind {
	case inventory.Sale, inventory.Ship, inventory.TransferOut, inventory.Block:
		return d.Quantity
	case inventory.Receipt, inventory.TransferIn, inventory.Adjust, inventory.Unblock:
		return -d.Quantity
	case inventory.Return:
		if d.Reason == "sellable" {
			return -d.Quantity
		}
	}
	return 0
}
