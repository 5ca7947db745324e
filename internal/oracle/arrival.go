package oracle

import "github.com/holdfast-atp/holdfast/inventory"

// arrivals is the rule of receipt_discrepancy, and that of transfer_delay: goods under a reference, announced and received.
type arrivals struct {
	transfers bool
	refs      map[subject]*goods
}

// goods is what was said of a reference beyond its deltas.
type goods struct {
	from       int // its deltas before that one of the key's log are forgotten
	generation int
	ended      string           // the fault of an exception that ended though nothing happened to the reference since
	fault      string           // of the exception that stands
	until      inventory.Millis // when that one ends by itself
}

func newArrivals(transfers bool) *arrivals {
	return &arrivals{transfers, map[subject]*goods{}}
}

func (a *arrivals) class() class {
	if a.transfers {
		return inTransit
	}
	return inbound
}

func (a *arrivals) accepted(w *Watch, d *inventory.Delta) {
	key := d.Key()
	if d.Kind == inventory.TransferOut {
		key.Location = d.Counterparty
	}
	if log := w.log[key]; len(log) > 0 {
		e := log[len(log)-1]
		if r, ok := referenceOf(&e); ok && r.class == a.class() {
			a.told(w, key, &e, len(log)-1)
			a.lookAt(w, subject{key: key, of: d.Ref})
		}
	}
	if d.Kind == inventory.Count && !a.transfers {
		for _, s := range sorted(a.refs) {
			g := a.refs[s]
			if s.key == key && g.fault != "" && g.fault != "late" && d.Time >= a.announced(w, s).came {
				a.end(w, s)
			}
		}
	}
}

// told notes a delta of a reference.
func (a *arrivals) told(w *Watch, key inventory.Key, e *entry, at int) {
	s := subject{key: key, of: e.Ref}
	g := a.refs[s]
	if g == nil {
		g = &goods{from: at, generation: e.generation}
		a.refs[s] = g
	}
	if e.generation != g.generation && g.fault == "" {
		g.from = at
	}
	g.generation = e.generation
	g.ended = ""
}

// consignment is what the deltas of a reference come to.
type consignment struct {
	expected, received int64
	first, came, due   inventory.Millis
}

func (a *arrivals) announced(w *Watch, s subject) (t consignment) {
	var events []entry
	for i, e := range w.log[s.key] {
		if r, ok := referenceOf(&e); !ok || r.class != a.class() || e.Ref != s.of || i < a.refs[s].from {
			continue
		}
		events = append(events, e)
		switch e.Kind {
		case inventory.ASN, inventory.TransferOut:
			t.expected += e.Quantity
			if t.first == 0 || e.Time < t.first {
				t.first = e.Time
			}
		default:
			t.received += e.Quantity
			t.came = max(t.came, e.Time)
		}
	}
	var last *entry
	for i := range events {
		e := &events[i]
		if (e.Kind == inventory.ASN || e.Kind == inventory.TransferOut) && (last == nil || byTime(*last, *e) < 0) {
			last = e
		}
	}
	if last != nil {
		t.due = last.Due
	}
	return t
}

// fault returns what is wrong with a reference by now, or from when on it will be.
func (a *arrivals) fault(w *Watch, s subject) (fault string, from inventory.Millis) {
	t := a.announced(w, s)
	overdue := inventory.Millis(0)
	if t.due > 0 {
		overdue = t.due + min(max((t.due-t.first)/10, inventory.Hour), 24*inventory.Hour)
	}
	switch {
	case t.expected == 0:
		return "", 0
	case a.transfers && t.received < t.expected, t.received == 0:
		fault, from = "late", overdue
	case a.transfers:
		return "", 0
	case t.received > t.expected:
		fault, from = "over", t.came+4*inventory.Hour
	case t.received < t.expected:
		fault, from = "short", max(t.came+4*inventory.Hour, t.due)
	}
	if from == 0 {
		return "", 0
	}
	return fault, from
}

func (a *arrivals) lookAt(w *Watch, s subject) {
	g := a.refs[s]
	fault, from := a.fault(w, s)
	if from > w.watermark {
		fault = ""
	}
	if g.fault != "" && g.fault != fault {
		w.edge(s, false)
		g.fault = ""
	}
	if g.fault != "" && w.watermark >= g.until {
		a.end(w, s)
	}
	if fault != "" && g.fault == "" && g.ended == "" {
		w.edge(s, true)
		g.fault, g.until = fault, w.watermark+7*inventory.Day
		if a.transfers {
			g.until = w.watermark + 14*inventory.Day
		}
	}
}

// end ends an exception that nothing settled: it is not opened again before something happens to its reference.
func (a *arrivals) end(w *Watch, s subject) {
	g := a.refs[s]
	w.edge(s, false)
	g.ended, g.fault = g.fault, ""
}

func (a *arrivals) look(w *Watch) {
	for _, s := range sorted(a.refs) {
		a.lookAt(w, s)
	}
}

func (a *arrivals) next(w *Watch) (at inventory.Millis) {
	for s, g := range a.refs {
		_, from := a.fault(w, s)
		at = first(w.watermark, at, from, g.until)
	}
	return at
}
