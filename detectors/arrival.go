package detectors

import (
	"fmt"
	"strings"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// graceShare is how much of the time from announcement to due date goods may be late beyond it, within
	// graceLeast and graceMost. [A] Nobody means a date that is weeks ahead to the hour.
	graceShare = 10
	graceLeast = inventory.Hour
	graceMost  = 24 * inventory.Hour

	// settleAfter is how long after the latest receipt of a reference its units are held against those announced: a
	// trailer is booked in over some hours. [A]
	settleAfter = 4 * inventory.Hour

	// discrepancyRetention and delayRetention are how long an exception stands that nothing settles. [A]
	discrepancyRetention = 7 * inventory.Day
	delayRetention       = 14 * inventory.Day

	// openMax bounds how many exceptions of one class stand at a key, each about a reference or source of its own. What
	// comes beyond is not opened: that many tell people enough, and every delta of the key looks through them.
	openMax = 32

	// unitsMost is as good as without end; two of it still add up.
	unitsMost = 1 << 61
)

// fault is what is wrong with an [Arrival].
type fault uint8

// The faults; their numbers are stored.
const (
	noFault    fault = iota
	goodsLate        // due, and nothing came
	goodsShort       // less came than was announced
	goodsOver        // more came than was announced
)

func (f fault) String() string { return [...]string{"none", "late", "short", "over"}[f] }

// Arrival is what is known of goods that are on their way under one reference: announced by an ASN or sent
// by another location, and received. Its sums do not depend on the order of arrival of what tells of them.
type Arrival struct {
	Expected int64            // units announced or sent
	Received int64            // units that came
	Due      inventory.Millis // of the latest announcement; 0: not said
	From     string           // who announced them first: the supplier's source, or the location that sent them

	first    inventory.Millis // time of the earliest announcement
	came     inventory.Millis // time of the latest receipt
	transfer bool             // sent by another location
	raised   fault            // what the exception is about that was opened last
	settled  bool             // that one ended, though nothing came: it is not opened again
	until    inventory.Millis // when it ends by itself
}

// See takes in a delta of the reference; due is that of the reference with it.
func (a *Arrival) See(d *inventory.Delta, due inventory.Millis) {
	a.Due = due
	a.transfer = d.Kind == inventory.TransferOut || d.Kind == inventory.TransferIn
	if a.settled { // what was settled was another sum
		a.settled, a.raised = false, noFault
	}
	switch d.Kind {
	case inventory.ASN, inventory.TransferOut:
		if a.first == 0 || d.Time < a.first {
			a.first = d.Time
		}
		a.Expected = min(a.Expected+d.Quantity, unitsMost)
		if from := origin(d); a.From == "" {
			a.From = strings.Clone(from)
		}
	case inventory.Receipt, inventory.TransferIn:
		a.came = max(a.came, d.Time)
		a.Received = min(a.Received+d.Quantity, unitsMost)
	}
}

func origin(d *inventory.Delta) string {
	if d.Kind == inventory.TransferOut {
		return d.Location
	}
	return d.Source
}

// overdue returns when goods that did not come are late; 0: nobody said when they are due.
func (a *Arrival) overdue(share float64) inventory.Millis {
	if a.Due == 0 || a.Expected == 0 {
		return 0
	}
	return a.Due + min(max(inventory.Millis(part(int64(a.Due-a.first), share)), graceLeast), graceMost)
}

// judge returns what is wrong with a receipt by now, and when that is to be asked again: after now, or 0.
func (a *Arrival) judge(l *Limits, now inventory.Millis) (f fault, again inventory.Millis) {
	switch at := a.came + l.ReceiptSettle; {
	case a.Expected == 0:
		return noFault, 0 // nobody announced it: there is nothing to hold it against
	case a.Received == 0:
		return until(a.overdue(l.ReceiptLate), goodsLate, now)
	case a.Received > a.Expected:
		return until(at, goodsOver, now)
	case a.Received < a.Expected:
		return until(max(at, a.Due), goodsShort, now)
	}
	return noFault, 0
}

// until returns f from at on, and before then when to ask again.
func until(at inventory.Millis, f fault, now inventory.Millis) (fault, inventory.Millis) {
	switch {
	case at == 0:
		return noFault, 0
	case now < at:
		return noFault, at
	}
	return f, 0
}

// delayed is judge for a transfer: it is late as long as not all of it came.
func (a *Arrival) delayed(l *Limits, now inventory.Millis) (f fault, again inventory.Millis) {
	if a.Received >= a.Expected {
		return noFault, 0
	}
	return until(a.overdue(l.TransferLate), goodsLate, now)
}

// Wake returns when the reference is to be looked at next, after now; 0: not before something happens to it.
func (a *Arrival) Wake(l *Limits, now inventory.Millis) inventory.Millis {
	switch {
	case a.settled:
		return 0
	case a.raised != noFault:
		return a.until
	}
	if a.transfer {
		_, again := a.delayed(l, now)
		return again
	}
	_, again := a.judge(l, now)
	return again
}

// Turns reports whether it is a transfer of which an exception is to begin or to end by now.
func (a *Arrival) Turns(l *Limits, now inventory.Millis) bool {
	f, _ := a.delayed(l, now)
	return a.transfer && !a.settled && f != a.raised
}

// Raised reports whether an exception was opened about it that nothing has ended.
func (a *Arrival) Raised() bool { return a.raised != noFault && !a.settled }

// edges appends what is to happen to the exception about the reference, where it has that fault now.
func (a *Arrival) edges(v *View, scope Scope, f fault, retention inventory.Millis, found []Finding) []Finding {
	if v.IsOpen(scope) {
		if f == a.raised && v.Now < a.until {
			return found
		}
		scope.Of = strings.Clone(scope.Of) // of a delta, whose memory is lent
		found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		a.settled = f == a.raised
		a.until = 0
		if !a.settled {
			a.raised = noFault
		}
	}
	if f == noFault || a.settled {
		return found
	}
	if v.openOf(scope.Class) >= openMax {
		a.raised, a.settled = f, true
		return found
	}
	a.raised, a.until = f, v.Now+retention
	scope.Of = strings.Clone(scope.Of)
	return append(found, Finding{Scope: scope, Edge: Raise, Confidence: 1})
}

// The flags of a written arrival.
const (
	arrivalSettled = 1 << iota
	arrivalTransfer
	arrivalUntil

	arrivalBits = iota
)

// Append appends the arrival's bytes.
func (a *Arrival) Append(dst []byte) []byte {
	dst = wire.AppendUint(dst, uint64(a.raised)<<arrivalBits|flagIf(a.settled, arrivalSettled)|
		flagIf(a.transfer, arrivalTransfer)|flagIf(a.until != 0, arrivalUntil))
	dst = wire.AppendInt(dst, a.Expected)
	dst = wire.AppendInt(dst, a.Received)
	dst = wire.AppendInt(dst, a.Due)
	dst = wire.AppendString(dst, a.From)
	dst = wire.AppendInt(dst, a.first)
	dst = wire.AppendInt(dst, a.came)
	if a.until != 0 {
		dst = wire.AppendInt(dst, a.until)
	}
	return dst
}

// Read reads what Append wrote. Errors stay in r.
func (a *Arrival) Read(r *wire.Reader) {
	head := r.Uint()
	*a = Arrival{raised: fault(head >> arrivalBits), settled: head&arrivalSettled != 0, transfer: head&arrivalTransfer != 0}
	if head>>arrivalBits > uint64(goodsOver) {
		r.Fail(fmt.Errorf("an arrival has fault %d", head>>arrivalBits))
	}
	a.Expected = r.Int()
	a.Received = r.Int()
	a.Due = inventory.Millis(r.Int())
	a.From = r.String()
	a.first = inventory.Millis(r.Int())
	a.came = inventory.Millis(r.Int())
	if head&arrivalUntil != 0 {
		a.until = inventory.Millis(r.Int())
	}
}
