package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// giversMax is how many locations of a SKU are remembered as ones that could give: who advises looks at no more,
	// however many locations there are.
	giversMax = 4

	// giverDays is for how long a location keeps what it will be asked for itself, where master data do not say how long it takes to
	// get more. [A]
	giverDays = 7
)

// giver is a location of a SKU that has much to promise.
type giver struct {
	location string
	atp      int64 // above 0
}

// offer notes what a location has to promise, if that is among the most. One that has less than it had may be behind one that
// is not remembered; that comes back with its next change.
func (n *network) offer(location string, atp int64) {
	least := 0
	for i := range n.givers {
		g := &n.givers[i]
		if g.location == location {
			if g.atp = atp; atp <= 0 {
				n.givers = slices.Delete(n.givers, i, i+1)
			}
			return
		}
		if g.atp < n.givers[least].atp {
			least = i
		}
	}
	switch {
	case atp <= 0:
	case len(n.givers) < giversMax:
		n.givers = append(n.givers, giver{location, atp})
	case atp > n.givers[least].atp:
		n.givers[least] = giver{location, atp}
	}
}

// spare is what a location can give.
type spare struct {
	location   string
	units      int64
	confidence float64 // that the units are there
}

// advise puts into words from where the units come that a detector would have transferred: of those locations that can spare most, as many
// as it takes, three at most; what they can't give is to be replenished. by is when that is wanted.
func (e *Engine) advise(s scene, d *detectors.Description, by inventory.Millis) error {
	at := slices.IndexFunc(d.Recommendations, func(r inventory.Recommendation) bool { return r.Action == "transfer" && r.From == "" })
	if at < 0 || s.net == nil {
		return nil
	}
	missing := d.Recommendations[at].Quantity
	spares, err := e.spares(s)
	if err != nil {
		return err
	}
	advice := d.Recommendations[:at:at]
	for _, from := range spares[:min(len(spares), 3)] {
		if missing <= 0 {
			break
		}
		units := min(from.units, missing)
		missing -= units
		advice = append(advice, inventory.Recommendation{
			Action: "transfer", From: from.location, Quantity: units, By: by, Confidence: detectors.Round4(from.confidence),
			Why: fmt.Sprintf("%s can spare %d beyond what it will be asked for itself", from.location, from.units),
		})
	}
	if missing > 0 && !slices.ContainsFunc(d.Recommendations, func(r inventory.Recommendation) bool { return r.Action == "replenish" }) {
		why := "no other location can spare it"
		if lead := e.item(e.view.SKU).LeadHours; lead > 0 {
			why = fmt.Sprintf("no other location can spare it, and an order takes %d h", lead)
		}
		advice = append(advice, inventory.Recommendation{Action: "replenish", Quantity: missing, By: by, Why: why})
	}
	d.Recommendations = append(advice, d.Recommendations[at+1:]...)
	return nil
}

// spares returns what other locations of the scene's SKU can give, most first.
func (e *Engine) spares(s scene) ([]spare, error) {
	var all []spare
	for _, g := range s.net.value.givers {
		if g.location == e.view.Location {
			continue
		}
		rec, err := e.records.get(appendRecordKey(nil, e.view.SKU, g.location))
		if err != nil {
			return nil, err
		}
		if rec == nil || len(rec.value.open) > 0 || rec.value.held() {
			continue // it has troubles of its own
		}
		pl, err := e.place(g.location)
		if err != nil {
			return nil, err
		}
		r := &rec.value
		if units := r.ATP() - e.keeps(r); units > 0 {
			v := detectors.View{Now: e.meta.watermark, SKU: e.view.SKU, Location: g.location, Quantities: r.Quantities, Belief: &r.belief, Feed: &pl.value.feed}
			all = append(all, spare{g.location, units, 1 - r.belief.Probability(&v)})
		}
	}
	slices.SortFunc(all, func(a, b spare) int {
		return cmp.Or(cmp.Compare(b.units, a.units), cmp.Compare(a.location, b.location))
	})
	return all, nil
}

// keeps returns the units that a location will hardly be asked for more than until it could get some again: the mean of the last four weeks
// and twice the deviation, as of a Poisson count of events of equal size.
func (e *Engine) keeps(r *record) int64 {
	const past = 28
	days := float64(giverDays)
	if lead := e.item(e.view.SKU).LeadHours; lead > 0 {
		days = float64(lead) / 24
	}
	asked := r.windows.Sum(window.Days, window.Demand, past, e.meta.watermark)
	if asked.Count == 0 {
		return 0
	}
	each := float64(asked.Sum) / float64(asked.Count)
	events := float64(asked.Count) * days / past
	return int64(math.Ceil(float64(each * (events + float64(2*math.Sqrt(events))))))
}
