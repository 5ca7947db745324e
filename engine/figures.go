package engine

import (
	"fmt"
	"slices"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// before is what stood before what is being applied: copied for every delta, and made [inventory.Figures] of
// where something is decided, which is rare.
type before struct {
	quantities inventory.Quantities
	belief     detectors.Belief
	network    inventory.NetworkFigures

	// Of records that have exceptions, while their detectors' findings are carried out.
	open, held, throttled []string
}

// remember keeps what a record was before it is changed.
func (e *Engine) remember(r *record) {
	e.before.quantities, e.before.belief = r.Quantities, r.belief
}

func (n *network) figures() inventory.NetworkFigures {
	return inventory.NetworkFigures{Locations: n.locations, Sum: n.sum.shown(), ATP: n.positive.shown()}
}

// listStanding keeps which exceptions, holds and throttles there are, before they change.
func (e *Engine) listStanding(r *record, n *network) {
	e.before.open = appendOpen(e.before.open[:0], r, n)
	e.before.held, e.before.throttled = appendBound(e.before.held[:0], e.before.throttled[:0], r, n)
}

// appendOpen appends the ids of the exceptions that stand. r may be nil.
func appendOpen(ids []string, r *record, n *network) []string {
	add := func(open []opened) {
		for i := range open {
			if !open[i].muted {
				ids = append(ids, open[i].id)
			}
		}
	}
	if r != nil {
		add(r.open)
	}
	add(n.open)
	return ids
}

// appendBound appends the channels that are held, and those that are throttled. r may be nil.
func appendBound(held, throttled []string, r *record, n *network) (_, _ []string) {
	add := func(d *directive, channel, everywhere string) {
		switch {
		case d.held():
			held = append(held, channel+everywhere)
		case d.throttled():
			throttled = append(throttled, fmt.Sprintf("%s%s=%d", channel, everywhere, d.most))
		}
	}
	if r != nil {
		for i := range r.directives {
			add(&r.directives[i], r.Channels[i].Name, "")
		}
	}
	for i := range n.directives {
		add(&n.directives[i], n.channels[i], "@"+inventory.Network)
	}
	return held, throttled
}

// figuresBefore returns what stood before the delta or message that is being applied. r is nil where
// it is about a network.
func (e *Engine) figuresBefore(r *record) *inventory.Figures {
	f := &inventory.Figures{
		Network: e.before.network, Open: listed(e.before.open), Held: listed(e.before.held), Throttled: slices.Clone(e.before.throttled),
	}
	if r != nil {
		f.Stock = e.stockFigures(e.before.quantities, &e.before.belief)
	}
	return f
}

// figures returns what stands now. r is nil where it is about a network.
func (e *Engine) figures(r *record, n *network) *inventory.Figures {
	held, throttled := appendBound(nil, nil, r, n)
	f := &inventory.Figures{Network: n.figures(), Open: listed(appendOpen(nil, r, n)), Held: listed(held), Throttled: throttled}
	if r != nil {
		f.Stock = e.stockFigures(r.Quantities, &r.belief)
	}
	return f
}

func (e *Engine) stockFigures(q inventory.Quantities, b *detectors.Belief) *inventory.StockFigures {
	return &inventory.StockFigures{Quantities: q, ATP: q.ATP(), PhantomProbability: detectors.Round4(b.Probability(&e.view))}
}

// listed is a copy of names that is a list in JSON also where there is none.
func listed(names []string) []string {
	return append(make([]string, 0, len(names)), slices.Clone(names)...)
}
