package detectors

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// workDays is for how many days work counts that nobody said was done: what tells of it may be lost.
const workDays = 3

// Work is the fulfilment that a location has accepted and not finished, and what it can do. Tasks and capacity name a SKU, as every
// delta does, and count for the location in the partition of that SKU: who wants them held against each other names the same one.
type Work struct {
	days  [workDays]int64 // units accepted and not done, by the day they were accepted on; index is day modulo workDays
	day   int64           // the newest
	early int64           // units done of which nobody had said that they were accepted

	capacity int64
	from     inventory.Millis // since when the location can do capacity, until due
	due      inventory.Millis
	done     int64 // since from
}

// See takes in a task, one that is done, or what the location can do.
func (w *Work) See(d *inventory.Delta, now inventory.Millis) {
	w.advance(now)
	switch d.Kind {
	case inventory.Task:
		known := min(w.early, d.Quantity)
		w.early -= known
		today := &w.days[w.day%workDays]
		*today = min(*today+d.Quantity-known, unitsMost)
	case inventory.TaskDone:
		if d.Time >= w.from {
			w.done = min(w.done+d.Quantity, unitsMost)
		}
		left := d.Quantity
		for i := range int64(workDays) {
			oldest := &w.days[(w.day+1+i)%workDays]
			took := min(*oldest, left)
			*oldest -= took
			left -= took
		}
		w.early = min(w.early+left, unitsMost)
	case inventory.Capacity:
		if d.Time >= w.from {
			w.capacity, w.from, w.due, w.done = d.Quantity, d.Time, d.Due, 0
		}
	}
}

func (w *Work) advance(now inventory.Millis) {
	day := int64(now / inventory.Day)
	for range min(day-w.day, workDays) {
		w.day++
		w.days[w.day%workDays] = 0
	}
	if day > w.day {
		w.day = day
		w.days, w.early = [workDays]int64{}, 0
	}
}

// waiting returns the units that are accepted and not done.
func (w *Work) waiting() (units int64) {
	for _, n := range w.days {
		units = min(units+n, unitsMost)
	}
	return units
}

// left returns what the location can still do until its capacity's due, and whether that is said for now.
func (w *Work) left(now inventory.Millis) (units int64, said bool) {
	return max(w.capacity-w.done, 0), w.due > now
}

func overloadRule(l *Limits) string {
	return fmt.Sprintf("raise where the units waiting are more than %g %% of what the location can still do until its capacity's due, clear at %g %% or when it is due",
		100*l.OverloadRaise, 100*l.OverloadClear)
}

// fulfilmentOverload: a location has accepted more work than it can do in the time that its capacity is stated for. The exception is
// the location's, with SKU "*". Looked at after tasks and capacities, and when a capacity is due.
func fulfilmentOverload() Detector {
	kinds := KindsOf(inventory.Task, inventory.TaskDone, inventory.Capacity)
	return Detector{inventory.FulfilmentOverload, kinds, lookOverload, describeOverload}
}

func lookOverload(v *View, found []Finding) []Finding {
	scope := Scope{Class: inventory.FulfilmentOverload}
	w := &v.Place.Work
	w.advance(v.Now)
	waiting := w.waiting()
	left, said := w.left(v.Now)
	l := v.limits()
	switch open := v.IsOpen(scope); {
	case open && (!said || waiting <= part(left, l.OverloadClear)):
		found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
	case !open && said && waiting > part(left, l.OverloadRaise):
		found = append(found, Finding{Scope: scope, Edge: Raise, Confidence: 1})
	}
	return found
}

func describeOverload(v *View, f *Finding) Description {
	w := &v.Place.Work
	waiting := w.waiting()
	left, said := w.left(v.Now)
	d := Description{
		Rule: overloadRule(v.limits()),
		Evidence: map[string]any{
			"waiting": waiting, "capacity": w.capacity, "capacity_left": left, "done": w.done, "due": w.due.String(),
		},
	}
	switch {
	case f.Edge == Clear && !said:
		d.Reason = fmt.Sprintf("What %s could do was stated until %s; nothing is stated since.", v.Location, clock(w.due))
		return d
	case f.Edge == Clear:
		d.Reason = fmt.Sprintf("%s can do what is waiting again: %s, where it can do %d more until %s.", v.Location, units(waiting), left, clock(w.due))
		return d
	}
	d.Exposure = worth(waiting-left, v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	d.Reason = fmt.Sprintf("%s has accepted more than it can do: %s waiting, where it can do %d more until %s.", v.Location, units(waiting), left, clock(w.due))
	d.Recommendations = []inventory.Recommendation{
		{Action: "hold", Why: "stop ship-from-store and pickup there until it has caught up"},
		{Action: "escalate", Quantity: waiting - left, Why: "that much has to be done elsewhere, or by more hands"},
	}
	return d
}

func (w *Work) append(dst []byte) []byte {
	idle := w.day == 0 && w.due == 0 && w.from == 0
	dst = wire.AppendUint(dst, flagIf(!idle, 1))
	if idle {
		return dst
	}
	for _, n := range append(w.days[:len(w.days):len(w.days)], w.day, w.early, w.capacity, int64(w.from), int64(w.due), w.done) {
		dst = wire.AppendInt(dst, n)
	}
	return dst
}

func (w *Work) read(r *wire.Reader) {
	*w = Work{}
	if r.Uint() == 0 {
		return
	}
	for i := range w.days {
		w.days[i] = r.Int()
	}
	w.day, w.early, w.capacity = r.Int(), r.Int(), r.Int()
	w.from, w.due, w.done = inventory.Millis(r.Int()), inventory.Millis(r.Int()), r.Int()
	if w.day < 0 {
		r.Fail(wire.ErrShort)
		w.day = 0
	}
}
