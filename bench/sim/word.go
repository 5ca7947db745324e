package sim

import (
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// underWay is how long after something happened everybody may not have heard of it yet, and nothing is wrong.
const underWay = 10 * inventory.Minute

// word is what somebody who has only what arrived does not know of a shelf yet.
type word struct {
	time    inventory.Millis
	arrives inventory.Millis // never, where it was lost
	cause   FaultKind
	units   int64 // by which on-hand goes up when it is heard
}

// delay notes that word of a shelf is long under way, or lost. A count that arrives settles all before it.
func (s *Sim) delay(sh *shelf, d *inventory.Delta, arrives inventory.Millis, cause FaultKind) {
	units := onHandEffect(sh, d)
	if d.Kind == inventory.Count && arrives < never {
		s.at(arrives, func(inventory.Millis) {
			sh.unheard = slices.DeleteFunc(sh.unheard, func(w word) bool { return w.time <= d.Time })
		})
	}
	if units == 0 || arrives-d.Time <= underWay {
		return
	}
	sh.unheard = append(sh.unheard, word{d.Time, arrives, cause, units})
}

// unknown returns by how many units on-hand as of a time is more than what has arrived by now says, and the cause of it. What
// has arrived meanwhile is forgotten.
func (sh *shelf) unknown(asOf, now inventory.Millis) (units int64, cause FaultKind) {
	sh.unheard = slices.DeleteFunc(sh.unheard, func(w word) bool { return w.arrives <= now })
	for _, w := range sh.unheard {
		if w.time <= asOf {
			units += w.units
			cause = w.cause
		}
	}
	return units, cause
}

// onHandEffect is by how much a message changes what is on hand.
func onHandEffect(sh *shelf, d *inventory.Delta) int64 {
	switch d.Kind {
	case inventory.Sale, inventory.Ship, inventory.TransferOut:
		return -d.Quantity
	case inventory.Receipt, inventory.TransferIn, inventory.Return, inventory.Adjust:
		return d.Quantity
	case inventory.Count:
		return d.Quantity - sh.recorded - sh.damaged
	}
	return 0
}

// snapshot is what the ERP, which has its word from elsewhere, believes is there. Where the ledger of who listens is still off by
// something when word of it should have arrived, the two differ.
func (s *Sim) snapshot(sh *shelf, at inventory.Millis) {
	wrong := int64(0)
	if s.happens(s.rates.WrongSnapshot) {
		wrong = 5 + s.rng.Int64N(20)
	}
	onHand := sh.recorded + sh.damaged + wrong
	if onHand < 0 {
		return
	}
	if wrong > 0 {
		s.fault(WrongSnapshot, sh, 0, at)
	}
	s.send(s.erp, at, sh.delta(inventory.Snapshot, onHand))
	s.at(at+underWay, func(now inventory.Millis) {
		units, cause := sh.unknown(at, now)
		if wrong > 0 {
			cause = WrongSnapshot
		}
		if units+wrong != 0 {
			s.episode(inventory.StockMismatch, cause, sh, "", "", at).End = at + inventory.Hour
		}
	})
}

// never is when a message arrives that is lost.
const never = inventory.Millis(math.MaxInt64)
