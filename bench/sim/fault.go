package sim

import "github.com/holdfast-atp/holdfast/inventory"

// FaultKind is a way in which records and the truth come apart.
type FaultKind string

// The faults.
const (
	Shrink        FaultKind = "shrink"         // a unit or two gone, nobody knows
	Theft         FaultKind = "theft"          // the shelf emptied
	Misplaced     FaultKind = "misplaced"      // there, but not to be found
	Misscan       FaultKind = "mis-scan"       // sold as something else
	ReceiptError  FaultKind = "receipt error"  // less came than was booked
	LateTransfer  FaultKind = "late transfer"  // came after it was due
	CutOff        FaultKind = "till cut off"   // a store's till sends nothing, and everything later
	FrozenListing FaultKind = "frozen listing" // a channel goes on showing what it showed
)

// Fault is one of them, at a key or, where the SKU is "", at a location.
type Fault struct {
	Kind FaultKind
	Key  inventory.Key
	At   inventory.Millis
}

// Chances a day.
const (
	shrinkADay    = 0.01  // of each shelf
	theftADay     = 0.003 // of each shelf, for each demand event a day: thieves want what sells
	misplacedADay = 0.006 // of each shelf
	cutOffADay    = 0.15  // of each store
	frozenADay    = 0.01  // of each shelf and channel

	duplicateShare = 0.005 // of messages that are sent twice
)

func (s *Sim) fault(kind FaultKind, sh *shelf, at inventory.Millis) {
	s.faults = append(s.faults, Fault{kind, inventory.Key{SKU: sh.sku.name, Location: sh.place.name}, at})
}

// misfortune draws what goes wrong until end.
func (s *Sim) misfortune(end inventory.Millis) {
	share := float64(slice) / float64(inventory.Day)
	for _, sh := range s.shelves {
		if sh.place.isCentre() {
			continue
		}
		at := func(happens func(at inventory.Millis)) { s.at(s.between(s.now, end-1), happens) }
		if s.chance(shrinkADay * share) {
			at(func(at inventory.Millis) { s.lose(Shrink, sh, 1+s.rng.Int64N(2), at) })
		}
		if s.chance(theftADay * sh.sku.perDay * share) {
			at(func(at inventory.Millis) { s.lose(Theft, sh, sh.there, at) })
		}
		if s.chance(misplacedADay * share) {
			at(func(at inventory.Millis) { s.misplace(sh, at) })
		}
		for _, channel := range online {
			if s.chance(frozenADay * share) {
				sh.frozenTill[channel] = end + s.between(6*inventory.Hour, inventory.Day)
				s.fault(FrozenListing, sh, s.now)
			}
		}
	}
	for _, p := range s.places {
		if !p.isCentre() && s.chance(cutOffADay*share) {
			p.cutTill = end + s.between(inventory.Hour, 4*inventory.Hour)
			s.faults = append(s.faults, Fault{CutOff, inventory.Key{Location: p.name}, s.now})
		}
	}
}

func (s *Sim) lose(kind FaultKind, sh *shelf, units int64, at inventory.Millis) {
	units = min(units, sh.there)
	if units == 0 {
		return
	}
	sh.move(-units, at)
	s.fault(kind, sh, at)
}

// misplace hides a shelf's stock for some days.
func (s *Sim) misplace(sh *shelf, at inventory.Millis) {
	if sh.there == 0 {
		return
	}
	sh.hidden += sh.there
	sh.move(-sh.there, at)
	s.fault(Misplaced, sh, at)
	s.at(at+s.between(inventory.Day, 6*inventory.Day), func(at inventory.Millis) {
		sh.move(sh.hidden, at)
		sh.hidden = 0
	})
}
