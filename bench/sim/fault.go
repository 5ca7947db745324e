package sim

import "github.com/holdfast-atp/holdfast/inventory"

// FaultKind is a way in which records and the truth come apart, or in which word of it goes astray.
type FaultKind string

// The faults.
const (
	Shrink        FaultKind = "shrink"         // a unit or two gone, nobody knows
	Theft         FaultKind = "theft"          // a bagful, or all there is
	Damage        FaultKind = "damage"         // broken, and nobody says so
	Misplaced     FaultKind = "misplaced"      // there, but not to be found
	FoundAgain    FaultKind = "found again"    // what was misplaced
	Misscan       FaultKind = "mis-scan"       // sold as something else; one at each of the two
	ReceiptError  FaultKind = "receipt error"  // something else came than was booked
	LateTransfer  FaultKind = "late transfer"  // came after it was due
	FrozenListing FaultKind = "frozen listing" // a channel goes on showing what it showed

	CutOff           FaultKind = "till cut off"      // a store's till sends nothing, and everything later
	DuplicateMessage FaultKind = "duplicate message" // sent twice
	LateMessage      FaultKind = "late message"      // hours late, though the source vouched for having said all
	LostMessage      FaultKind = "lost message"      // never arrives
)

// Fault is one of them, at a key or, where the SKU is "", at a location.
type Fault struct {
	Kind FaultKind
	Key  inventory.Key
	At   inventory.Millis

	// Units is by how many it leaves the books above what can be found and sold; below 0: under it.
	// A count sets the sum of a key's units back to 0.
	Units int64
}

// Rates are how often things go wrong.
type Rates struct {
	// Chances a day of a store's shelf, Theft for each demand event a day: thieves want what sells.
	Shrink, Theft, Damage, Misplaced float64
	// Chance a day of a shelf on a channel, and of a store.
	FrozenListing, CutOff float64
	// Shares of lines over the counter, of receipts and transfers, of transfers.
	Misscan, ReceiptError, LateTransfer float64
	// Shares of messages, ticks aside.
	Duplicate, Late, Lost float64
}

// DefaultRates returns what DOMAIN.md's sources report, raised where a demonstration of a few
// days would see none.
func DefaultRates() Rates {
	return Rates{
		Shrink: 0.01, Theft: 0.003, Damage: 0.005, Misplaced: 0.006,
		FrozenListing: 0.01, CutOff: 0.15,
		Misscan: 0.003, ReceiptError: 0.02, LateTransfer: 0.05,
		Duplicate: 0.005, Late: 0.002, Lost: 0.0005,
	}
}

// fault notes what went wrong at a shelf.
func (s *Sim) fault(kind FaultKind, sh *shelf, units int64, at inventory.Millis) {
	key := inventory.Key{SKU: sh.sku.name, Location: sh.place.name}
	s.faults = append(s.faults, Fault{kind, key, at, units})
}

// note notes what went wrong with a message.
func (s *Sim) note(kind FaultKind, d *inventory.Delta, units int64) {
	s.faults = append(s.faults, Fault{kind, d.Key(), d.Time, units})
}

// misfortune draws what goes wrong in the day that begins.
func (s *Sim) misfortune() {
	draw := func(chance float64, happens func(at inventory.Millis)) {
		if s.chance(chance) {
			s.at(s.now+s.between(0, inventory.Day-1), happens)
		}
	}
	for _, sh := range s.shelves {
		if sh.place.isCentre() {
			continue
		}
		draw(s.rates.Shrink, func(at inventory.Millis) { s.lose(Shrink, sh, 1+s.rng.Int64N(2), at) })
		draw(s.rates.Theft*sh.sku.perDay, func(at inventory.Millis) { s.lose(Theft, sh, 3+s.rng.Int64N(25), at) })
		draw(s.rates.Damage, func(at inventory.Millis) { s.lose(Damage, sh, 1, at) })
		draw(s.rates.Misplaced, func(at inventory.Millis) { s.misplace(sh, at) })
		for channel := range online {
			draw(s.rates.FrozenListing, func(at inventory.Millis) { s.freeze(sh, channel, at) })
		}
	}
	for _, p := range s.places {
		if !p.isCentre() {
			draw(s.rates.CutOff, func(at inventory.Millis) { s.cutOff(p, at) })
		}
	}
}

func (s *Sim) lose(kind FaultKind, sh *shelf, units int64, at inventory.Millis) {
	units = min(units, sh.there)
	if units == 0 {
		return
	}
	sh.move(-units, at)
	s.fault(kind, sh, units, at)
}

// misplace hides a shelf's stock for some days.
func (s *Sim) misplace(sh *shelf, at inventory.Millis) {
	if sh.there == 0 || sh.hidden > 0 {
		return
	}
	sh.hidden = sh.there
	sh.move(-sh.hidden, at)
	s.fault(Misplaced, sh, sh.hidden, at)
	s.at(at+s.between(inventory.Day, 6*inventory.Day), func(at inventory.Millis) {
		sh.move(sh.hidden, at)
		s.fault(FoundAgain, sh, -sh.hidden, at)
		sh.hidden = 0
	})
}

// freeze lets a listing stand still for some hours.
func (s *Sim) freeze(sh *shelf, channel int, at inventory.Millis) {
	sh.frozenTill[channel] = at + s.between(6*inventory.Hour, inventory.Day)
	s.fault(FrozenListing, sh, 0, at)
}

// cutOff keeps what a store says from getting through for some hours.
func (s *Sim) cutOff(p *place, at inventory.Millis) {
	if at < p.source.cutTill {
		return
	}
	p.source.cutFrom = at
	p.source.cutTill = at + s.between(inventory.Hour, 4*inventory.Hour)
	s.faults = append(s.faults, Fault{Kind: CutOff, Key: inventory.Key{Location: p.name}, At: at})
}
