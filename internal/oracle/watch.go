package oracle

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Exception is one that stands, in what a model can say of it.
type Exception struct {
	SKU, Location string
	Channel       string
	Of            string           // the reference or source that it is about
	Opened        inventory.Millis // event time
}

// Watch is a Model with the detector of one class on it. It opens and ends exceptions at the moments at which the
// rule of the class says so, each worked out from all that was accepted.
type Watch struct {
	*Model
	rule rule
	open map[subject]inventory.Millis // since when an exception stands
}

// subject is what an exception is about.
type subject struct {
	key         inventory.Key
	channel, of string
}

// rule is a class's own.
type rule interface {
	// accepted is told of each delta that was accepted, once it stands in the log.
	accepted(w *Watch, d *inventory.Delta)

	// look is called for a moment of event time at which no delta came.
	look(w *Watch)

	// next returns the first moment after the watermark at which time alone may change something; 0: none.
	next(w *Watch) inventory.Millis
}

// NewWatch returns a partition that has seen nothing, and whether there is a model of that class.
func NewWatch(c Config, class inventory.Class) (*Watch, bool) {
	w := &Watch{Model: New(c), open: map[subject]inventory.Millis{}}
	switch class {
	case inventory.ReceiptDiscrepancy:
		w.rule = newArrivals(false)
	case inventory.StockMismatch:
		w.rule = mismatches{}
	case inventory.StaleListing:
		w.rule = newListings()
	case inventory.TransferDelay:
		w.rule = newArrivals(true)
	default:
		return nil, false
	}
	return w, true
}

// Apply takes the next delta of the log, as [Model.Apply] does.
func (w *Watch) Apply(d inventory.Delta, logTime inventory.Millis) (Outcome, *inventory.Invalid) {
	outcome, why := w.judge(&d, logTime)
	if outcome != Applied {
		return outcome, why
	}
	for {
		at := first(w.watermark, w.rule.next(w), w.lapse(d.Time))
		if at == 0 || at > d.Time {
			break
		}
		w.watermark = at
		w.rule.look(w)
	}
	w.accept(&d)
	if d.Kind == inventory.Tick {
		return outcome, nil
	}
	w.rule.accepted(w, &d)
	return outcome, nil
}

// first returns the first of some moments that is after another; 0: there is none.
func first(after inventory.Millis, moments ...inventory.Millis) (at inventory.Millis) {
	for _, m := range moments {
		if m > after && (at == 0 || m < at) {
			at = m
		}
	}
	return at
}

// lapse returns when the first reservation lapses, up to time; 0: none does.
func (m *Model) lapse(time inventory.Millis) inventory.Millis {
	if lapses := m.lapsesBy(time); len(lapses) > 0 {
		return lapses[0].due
	}
	return 0
}

// Open returns the exceptions that stand, by what they are about.
func (w *Watch) Open() []Exception {
	all := []Exception{}
	for s, since := range w.open {
		all = append(all, Exception{s.key.SKU, s.key.Location, s.channel, s.of, since})
	}
	slices.SortFunc(all, func(a, b Exception) int {
		return cmp.Or(strings.Compare(a.SKU, b.SKU), strings.Compare(a.Location, b.Location),
			strings.Compare(a.Channel, b.Channel), strings.Compare(a.Of, b.Of))
	})
	return all
}

// edge makes an exception stand or not.
func (w *Watch) edge(s subject, stands bool) {
	_, open := w.open[s]
	switch {
	case stands && !open:
		w.open[s] = w.watermark
	case !stands && open:
		delete(w.open, s)
	}
}

// sorted returns the keys of a map in their order.
func sorted[V any](m map[subject]V) []subject {
	return slices.SortedFunc(maps.Keys(m), func(a, b subject) int {
		return cmp.Or(strings.Compare(a.key.SKU, b.key.SKU), strings.Compare(a.key.Location, b.key.Location),
			strings.Compare(a.channel, b.channel), strings.Compare(a.of, b.of))
	})
}
