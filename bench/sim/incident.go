package sim

import (
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The incidents: what goes wrong for everybody to see who looks.
const (
	ShortDelivery    FaultKind = "short delivery"    // less came than was announced, and was booked as it came
	WrongSnapshot    FaultKind = "wrong snapshot"    // a system believes something else than the ledger
	Rush             FaultKind = "rush"              // many want it at once
	AdjustmentRun    FaultKind = "run of write-offs" // somebody corrects a record downwards again and again
	FaultyLot        FaultKind = "faulty lot"        // much of what was sold of late comes back
	WrongDisposition FaultKind = "wrong disposition" // came back broken, and was booked as sellable
)

const (
	rushLasts  = 4 * inventory.Hour
	rushLeast  = 8.0 // customers an hour
	rushMost   = 20.0
	rushSeen   = 12 // units that have to be there for anybody to see it: what is not there isn't sold
	runAdjusts = 6

	lotSales   = 28 * inventory.Day // whose goods a faulty lot is
	lotLeast   = 12                 // sales of it, below which there is none
	lotReturns = 4 * inventory.Day  // within which they come back
	lotLeastBy = 0.5
	lotMostBy  = 0.8
	lotBroken  = 0.7 // of them, found to be broken at once
)

// rush is many customers of one shelf at once.
type rush struct {
	till  inventory.Millis
	each  float64 // customers an hour
	spilt bool    // some take something like it, where there is none
}

// incidents draws what happens in the day that begins.
func (s *Sim) incidents() {
	for _, sh := range s.shelves {
		if sh.place.centre {
			continue
		}
		if chance(s.luck, s.rates.Rush) {
			each := rushLeast + (rushMost-rushLeast)*s.luck.Float64()
			s.at(s.now+between(s.luck, 10, 15)*inventory.Hour, func(at inventory.Millis) { s.rush(sh, each, at) })
		}
		if chance(s.luck, s.rates.AdjustmentRun) {
			s.at(s.now+between(s.luck, 9*inventory.Hour, 12*inventory.Hour), func(at inventory.Millis) { s.writeDown(sh, at) })
		}
		if s.rates.FaultyLot > 0 && chance(s.luck, s.rates.FaultyLot) {
			share := lotLeastBy + (lotMostBy-lotLeastBy)*s.luck.Float64()
			s.at(s.now+10*inventory.Hour, func(at inventory.Millis) { s.recall(sh, share, at) })
		}
	}
	for _, p := range s.places {
		if p.centre {
			continue
		}
		s.staff(p)
		for c := range s.channels {
			if s.rates.CancelBurst > 0 && chance(s.luck, s.rates.CancelBurst) {
				s.at(s.now+between(s.luck, 0, 12*inventory.Hour), func(at inventory.Millis) { s.withdrawMany(p, c, at) })
			}
		}
	}
}

// rush lets many want what is on a shelf for some hours.
func (s *Sim) rush(sh *shelf, each float64, at inventory.Millis) {
	sh.rush = rush{till: at + rushLasts, each: each}
	s.fault(Rush, sh, 0, at)
	e := s.episode(inventory.DemandSpike, Rush, sh, "", "", at)
	e.End, e.Minor = sh.rush.till, sh.there < rushSeen
}

// overflow notes that what rushes a shelf that is empty takes something like it.
func (s *Sim) overflow(from, to *shelf, at inventory.Millis) {
	if at >= from.rush.till || from.rush.spilt {
		return
	}
	from.rush.spilt = true
	e := s.episode(inventory.DemandSpike, Rush, to, "", "", at)
	e.End, e.Minor = from.rush.till, true
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

// recall lets a share of what was sold over the counter of late come back broken, within some days. Most of it is booked as what it is, and
// nobody gets round to sort it out before it is over. The distortion lasts until it is.
func (s *Sim) recall(sh *shelf, share float64, at inventory.Millis) {
	recent, _ := slices.BinarySearch(sh.sales, at-lotSales)
	sold := len(sh.sales) - recent
	if sold < lotLeast {
		return
	}
	s.fault(FaultyLot, sh, 0, at)
	if sh.truth.lot == nil {
		sh.truth.lot = s.episode(inventory.ReturnDistortion, FaultyLot, sh, "", "", at)
	}
	sh.unsorted = at + lotReturns
	for range int(share * float64(sold)) {
		day := at + inventory.Millis(s.rng.Int64N(int64(lotReturns/inventory.Day)))*inventory.Day
		broken := chance(s.rng, lotBroken)
		s.at(day+between(s.rng, 0, 9*inventory.Hour), func(at inventory.Millis) { s.giveBackBroken(sh, broken, at) })
	}
}

// sorted ends what a faulty lot brought, if it is over.
func (s *Sim) sorted(sh *shelf, at inventory.Millis) {
	if e := sh.truth.lot; e != nil && at >= sh.unsorted {
		e.End = at
		sh.truth.lot = nil
	}
}

// giveBackBroken is a return of something broken, which may be booked as sellable.
func (s *Sim) giveBackBroken(sh *shelf, seen bool, at inventory.Millis) {
	d := sh.delta(inventory.Return, 1)
	if seen {
		d.Reason = "damaged"
		sh.damaged++
	} else {
		d.Reason = "sellable"
		sh.recorded++
		s.fault(WrongDisposition, sh, 1, at)
	}
	s.send(sh.place.source, at, d)
	s.settle(sh, at)
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

// happens draws whether something goes wrong that can; what cannot leaves the draws of everything else as they are.
func (s *Sim) happens(p float64) bool { return p > 0 && chance(s.rng, p) }
