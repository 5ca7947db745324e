package sim

import "github.com/holdfast-atp/holdfast/inventory"

// The incidents: what goes wrong for everybody to see who looks.
const (
	ShortDelivery FaultKind = "short delivery"    // less came than was announced, and was booked as it came
	WrongSnapshot FaultKind = "wrong snapshot"    // a system believes something else than the ledger
	Rush          FaultKind = "rush"              // many want it at once
	AdjustmentRun FaultKind = "run of write-offs" // somebody corrects a record downwards again and again
)

const (
	rushLasts  = 4 * inventory.Hour
	rushTimes  = 12.0
	runAdjusts = 6
)

// incidents draws what happens in the day that begins.
func (s *Sim) incidents() {
	for _, sh := range s.shelves {
		if sh.place.centre {
			continue
		}
		if chance(s.luck, s.rates.Rush) {
			s.at(s.now+10*inventory.Hour, func(at inventory.Millis) { s.rush(sh, at) })
		}
		if chance(s.luck, s.rates.AdjustmentRun) {
			s.at(s.now+between(s.luck, 9*inventory.Hour, 12*inventory.Hour), func(at inventory.Millis) { s.writeDown(sh, at) })
		}
	}
}

// rush lets many want what is on a shelf for some hours.
func (s *Sim) rush(sh *shelf, at inventory.Millis) {
	sh.rushTill = at + rushLasts
	s.fault(Rush, sh, 0, at)
	s.episode(inventory.DemandSpike, Rush, sh, "", "", at).End = sh.rushTill
}

// writeDown corrects a record downwards, unit by unit, though nothing is gone.
func (s *Sim) writeDown(sh *shelf, at inventory.Millis) {
	if sh.recorded < 2*runAdjusts {
		return
	}
	s.fault(AdjustmentRun, sh, -runAdjusts, at)
	s.episode(inventory.AdjustmentAnomaly, AdjustmentRun, sh, "", "", at).End = at + runAdjusts*inventory.Hour
	for i := range runAdjusts {
		s.at(at+inventory.Millis(i)*inventory.Hour, func(at inventory.Millis) {
			sh.recorded--
			d := sh.delta(inventory.Adjust, -1)
			d.Reason = "correction"
			s.send(sh.place.source, at, d)
			s.settle(sh, at)
		})
	}
}

// short draws how many of what was announced are delivered, and notes it where they are fewer.
func (s *Sim) short(sh *shelf, ref string, units int64, at inventory.Millis) int64 {
	if units < 10 || !s.happens(s.rates.ShortDelivery) {
		return units
	}
	s.fault(ShortDelivery, sh, 0, at)
	s.episode(inventory.ReceiptDiscrepancy, ShortDelivery, sh, "", ref, at).End = at + inventory.Hour
	return units - units/10 - s.rng.Int64N(units/2)
}

// misbelieve draws by how much a snapshot is wrong.
func (s *Sim) misbelieve(sh *shelf, at inventory.Millis) int64 {
	if !s.happens(s.rates.WrongSnapshot) {
		return 0
	}
	s.fault(WrongSnapshot, sh, 0, at)
	s.episode(inventory.StockMismatch, WrongSnapshot, sh, "", "", at).End = at + inventory.Hour
	return 5 + s.rng.Int64N(20)
}

// happens draws whether something goes wrong that can; what cannot leaves the draws of everything else as they are.
func (s *Sim) happens(p float64) bool { return p > 0 && chance(s.rng, p) }
