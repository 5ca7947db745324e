package sim

import "github.com/holdfast-atp/holdfast/inventory"

// FaultKind is a way in which records and the truth come apart, or in which word of it goes astray.
type FaultKind string

// The faults.
const (
	OpeningError  FaultKind = "opening error"  // the record was wrong from the beginning
	Shrink        FaultKind = "shrink"         // a unit or two gone, nobody knows
	Theft         FaultKind = "theft"          // a bagful, or all there is
	Unbooked      FaultKind = "unbooked"       // there, and nobody said so
	Damage        FaultKind = "damage"         // broken, and nobody says so
	Misplaced     FaultKind = "misplaced"      // there, but not to be found
	FoundAgain    FaultKind = "found again"    // what was misplaced
	Misscan       FaultKind = "mis-scan"       // sold as something else; one at each of the two
	ReceiptError  FaultKind = "receipt error"  // something else came than was booked
	LateTransfer  FaultKind = "late transfer"  // came after it was due
	FrozenListing FaultKind = "frozen listing" // a channel goes on showing what it showed
	WrongListing  FaultKind = "wrong listing"  // a channel shows more than it was told

	CutOff           FaultKind = "till cut off"      // a store's till sends nothing, and everything later
	DuplicateMessage FaultKind = "duplicate message" // sent twice
	LateMessage      FaultKind = "late message"      // hours late, though the source vouched for having said all
	LostMessage      FaultKind = "lost message"      // never arrives
)

// Fault is one of them, at a key or, where the SKU is "", at a location.
type Fault struct {
	Kind FaultKind        `json:"kind"`
	Key  inventory.Key    `json:"key"`
	At   inventory.Millis `json:"at"`

	// Units is by how many it leaves the books above what can be found and sold; below 0: under it.
	// A count sets the sum of a key's units back to 0.
	Units int64 `json:"units"`
}

// Rates are how often things go wrong.
type Rates struct {
	// Chances a day of a store's shelf, Shrink and Theft for each demand event a day: thieves want what sells.
	Shrink, Theft, Damage, Misplaced float64
	// Chance for each demand event a day that a unit gets there without a word: put back, or sent too many.
	Unbooked float64
	// Chance a day of a shelf that it is emptied without a word.
	Emptied float64
	// Chance a day of a shelf on a channel that its listing stands still, or is wrong; and of a store.
	FrozenListing, WrongListing, CutOff float64
	// Shares of lines over the counter, of receipts and transfers, of transfers.
	Misscan, ReceiptError, LateTransfer float64
	// Chance a day of a store's shelf that many want it at once, that its record is corrected again and again, and that much of
	// what was sold comes back.
	Rush, AdjustmentRun, FaultyLot float64
	// Chance a day of a store that it is short of staff, and of a channel there that most orders are taken back.
	ShortStaffed, CancelBurst float64
	// Share of promotions that nobody stocks up for.
	Unstocked float64
	// Shares of deliveries to a centre, and of snapshots.
	ShortDelivery, WrongSnapshot float64
	// Shares of messages, ticks aside.
	Duplicate, Late, Lost float64
}

// Times returns the rates times a factor, but for what makes phantoms: those have a share of their own.
func (r Rates) Times(factor float64) Rates {
	for _, rate := range []*float64{
		&r.Shrink, &r.Theft, &r.Damage, &r.Unbooked, &r.FrozenListing, &r.WrongListing, &r.CutOff, &r.Misscan, &r.ReceiptError,
		&r.LateTransfer, &r.Rush, &r.AdjustmentRun, &r.FaultyLot, &r.ShortStaffed, &r.CancelBurst, &r.Unstocked, &r.ShortDelivery, &r.WrongSnapshot, &r.Duplicate, &r.Late, &r.Lost,
	} {
		*rate = min(*rate*factor, 1)
	}
	return r
}

// DemoRates returns what DOMAIN.md's sources report, raised where a demonstration of a few
// days would see none.
func DemoRates() Rates {
	return Rates{
		Shrink: 0.002, Theft: 0.003, Damage: 0.005, Misplaced: 0.006,
		FrozenListing: 0.01, CutOff: 0.15,
		Misscan: 0.003, ReceiptError: 0.02, LateTransfer: 0.05,
		Duplicate: 0.005, Late: 0.002, Lost: 0.0005,
	}
}

// StudyRates returns those of [StudyTrade], under which a share of phantom of the records with something to
// promise have nothing behind them. Calibrated returns what they come to beside what is published.
func StudyRates(phantom float64) Rates {
	return Rates{
		Shrink: 0.018, Theft: 0.0008, Damage: 0.002, Unbooked: 0.022,
		Misplaced: max(0.06*phantom-0.0004, 0), Emptied: max(0.06*phantom-0.0004, 0),
		FrozenListing: 0.002, WrongListing: 0.001, CutOff: 0.05,
		Misscan: 0.003, ReceiptError: 0.02, LateTransfer: 0.05,
		Rush: 0.001, AdjustmentRun: 0.001, FaultyLot: 0.002, ShortStaffed: 0.03, CancelBurst: 0.02, Unstocked: 0.3,
		ShortDelivery: 0.05, WrongSnapshot: 0.005,
		Duplicate: 0.005, Late: 0.002, Lost: 0.0002,
	}
}

// fault notes what went wrong at a shelf.
func (s *Sim) fault(kind FaultKind, sh *shelf, units int64, at inventory.Millis) {
	s.faults = append(s.faults, Fault{kind, sh.key(), at, units})
	if units > 0 {
		sh.truth.latest = kind
	}
}

// note notes what went wrong with a message.
func (s *Sim) note(kind FaultKind, d *inventory.Delta, units int64) {
	s.faults = append(s.faults, Fault{kind, d.Key(), d.Time, units})
}
