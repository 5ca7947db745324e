package sim

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// misfortune draws what goes wrong in the day that begins.
func (s *Sim) misfortune() {
	draw := func(p float64, happens func(at inventory.Millis)) {
		at := s.now + between(s.fate, 0, inventory.Day-1)
		if chance(s.fate, p) {
			s.at(at, happens)
		}
	}
	for _, sh := range s.shelves {
		if sh.place.centre {
			continue
		}
		a, b, till := s.fate.Int64N(2), s.fate.Float64(), s.fate.Float64() // what it will be like, whether or not it happens
		wanted := sh.sku.perDay * sh.place.size
		draw(s.rates.Shrink*wanted, func(at inventory.Millis) { s.lose(Shrink, sh, 1+a, at) })
		draw(s.rates.Theft*wanted, func(at inventory.Millis) { s.lose(Theft, sh, 3+int64(25*b), at) })
		draw(s.rates.Unbooked*wanted, func(at inventory.Millis) { s.gain(sh, at) })
		draw(s.rates.Damage, func(at inventory.Millis) { s.lose(Damage, sh, 1, at) })
		draw(s.rates.Emptied, func(at inventory.Millis) { s.lose(Theft, sh, math.MaxInt64, at) })
		found := inventory.Day + inventory.Millis(misplacedFor*-math.Log(1-till))
		draw(s.rates.Misplaced, func(at inventory.Millis) { s.misplace(sh, found, at) })
		for c := range s.channels {
			lasts := 6*inventory.Hour + inventory.Millis(b*18*float64(inventory.Hour))
			draw(s.rates.FrozenListing, func(at inventory.Millis) { s.freeze(sh, c, lasts, at) })
			draw(s.rates.WrongListing, func(at inventory.Millis) { s.mislist(sh, c, 3+int64(20*b), lasts, at) })
		}
	}
	for _, p := range s.places {
		if !p.centre {
			draw(s.rates.CutOff, func(at inventory.Millis) { s.cutOff(p, at) })
		}
	}
}

// misplacedFor is the mean time beyond a day until what is in the wrong place is found.
const misplacedFor = float64(6 * inventory.Day)

func (s *Sim) lose(kind FaultKind, sh *shelf, units int64, at inventory.Millis) {
	units = min(units, sh.there)
	if units == 0 {
		return
	}
	sh.move(-units, at)
	s.totals.Shrunk += units
	s.totals.ShrunkValue += units * sh.sku.price
	s.fault(kind, sh, units, at)
	s.settle(sh, at)
}

// gain puts a unit on the shelf that nobody books.
func (s *Sim) gain(sh *shelf, at inventory.Millis) {
	sh.move(1, at)
	s.totals.ShrunkValue -= sh.sku.price
	s.totals.Shrunk--
	s.fault(Unbooked, sh, -1, at)
	s.settle(sh, at)
}

// misplace hides a shelf's stock for some days.
func (s *Sim) misplace(sh *shelf, found, at inventory.Millis) {
	if sh.there == 0 || sh.hidden > 0 {
		return
	}
	sh.hidden = sh.there
	sh.move(-sh.hidden, at)
	s.fault(Misplaced, sh, sh.hidden, at)
	s.settle(sh, at)
	s.at(at+found, func(at inventory.Millis) {
		sh.move(sh.hidden, at)
		s.fault(FoundAgain, sh, -sh.hidden, at)
		sh.hidden = 0
		s.settle(sh, at)
	})
}

// freeze lets a listing stand still for some hours: the feed to the channel hangs. What commands say takes another way.
func (s *Sim) freeze(sh *shelf, channel int, lasts, at inventory.Millis) {
	sh.windows[channel].frozenTill = at + lasts
	s.fault(FrozenListing, sh, 0, at)
}

// mislist lets a channel show more than it was told, and stand still.
func (s *Sim) mislist(sh *shelf, channel int, more int64, lasts, at inventory.Millis) {
	w := &sh.windows[channel]
	w.frozenTill = at + lasts
	s.fault(WrongListing, sh, 0, at)
	s.show(sh, channel, sh.sellable(channel)+more, at)
}

// cutOff keeps what a store says from getting through for some hours.
func (s *Sim) cutOff(p *place, at inventory.Millis) {
	if at < p.source.cutTill {
		return
	}
	p.source.cutFrom = at
	p.source.cutTill = at + between(s.fate, inventory.Hour, 4*inventory.Hour)
	s.faults = append(s.faults, Fault{Kind: CutOff, Key: inventory.Key{Location: p.name}, At: at})
	e := &Episode{Class: inventory.FeedStale, Cause: CutOff, Location: p.name, Source: p.source.name, Begin: at, End: p.source.cutTill}
	s.episodes = append(s.episodes, e)
}
