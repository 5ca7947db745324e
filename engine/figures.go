package engine

import (
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
	open, held []string
}

// remember keeps what a record was before it is changed.
func (e *Engine) remember(r *record) {
	e.before.quantities, e.before.belief = r.Quantities, r.belief
}

func (n *network) figures() inventory.NetworkFigures {
	return inventory.NetworkFigures{Locations: n.locations, Sum: n.sum.shown(), ATP: n.positive.shown()}
}

// listStanding keeps which exceptions and holds there are, before they change.
func (e *Engine) listStanding(r *record, n *network) {
	e.before.open = appendOpen(e.before.open[:0], r, n)
	e.before.held = appendHeld(e.before.held[:0], r, n)
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

// appendHeld appends the channels that are held. r may be nil.
func appendHeld(channels []string, r *record, n *network) []string {
	if r != nil {
		for i := range r.directives {
			if r.directives[i].held {
				channels = append(channels, r.Channels[i].Name)
			}
		}
	}
	for i := range n.directives {
		if n.directives[i].held {
			channels = append(channels, n.channels[i]+"@"+inventory.Network)
		}
	}
	return channels
}

// figuresBefore returns what stood before the delta or message that is being applied. r is nil where
// it is about a network.
func (e *Engine) figuresBefore(r *record) *inventory.Figures {
	f := &inventory.Figures{Network: e.before.network, Open: listed(e.before.open), Held: listed(e.before.held)}
	if r != nil {
		f.Stock = e.stockFigures(e.before.quantities, &e.before.belief)
	}
	return f
}

// figures returns what stands now. r is nil where it is about a network.
func (e *Engine) figures(r *record, n *network) *inventory.Figures {
	f := &inventory.Figures{Network: n.figures(), Open: listed(appendOpen(nil, r, n)), Held: listed(appendHeld(nil, r, n))}
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
