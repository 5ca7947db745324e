package gen

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Start is the event time at which every log begins.
const Start inventory.Millis = 1_795_392_000_000 // 2026-11-23T00:00:00Z

// Shape is what a log is like.
type Shape struct {
	DeltasMax int
	Lateness  inventory.Millis

	// Orderly logs come to the same in any order of arrival: no delta is refused, no id
	// comes twice, and a reference belongs to one channel for good.
	Orderly bool

	// Hot logs are about one SKU at one location.
	Hot bool

	// Of is a class of exceptions that the log is to bring about: the kinds that bear on it are drawn more often.
	Of inventory.Class

	// Without are kinds that are not to be drawn.
	Without []inventory.Kind
}

// Log draws the deltas of one partition in their order of arrival.
func Log(s Shape) *rapid.Generator[[]inventory.Delta] {
	return rapid.Custom(func(t *rapid.T) []inventory.Delta {
		w := &world{
			shape:     s,
			now:       Start,
			grid:      s.Lateness / rapid.SampledFrom([]inventory.Millis{8, 24, 120}).Draw(t, "grid"),
			skus:      names(t, "sku", "tea", "coffee", "a b.c*>"),
			locations: names(t, "location", "leeds", "york", "köln"),
			channels:  names(t, "channel", "web", "amazon", "store"),
			refs:      names(t, "ref", "o1", "o2", "o3", "o4"),
			kinds:     kinds(s.Without, bearing[s.Of]),
			huge:      !s.Orderly && rapid.IntRange(0, 9).Draw(t, "huge") == 0,
		}
		if s.Hot {
			w.skus, w.locations = w.skus[:1], w.locations[:1]
		}
		n := rapid.IntRange(1, s.DeltasMax).Draw(t, "deltas")
		log := make([]inventory.Delta, 0, n)
		for i := range n {
			if !s.Orderly && i > 0 && oneIn(t, 12, "repeat") {
				log = append(log, w.repeat(t, log))
				continue
			}
			log = append(log, w.delta(t, i))
		}
		return log
	})
}

// names draws how many of the names there are: sometimes one, so that everything
// meets in one place.
func names(t *rapid.T, what string, all ...string) []string {
	return all[:rapid.IntRange(1, len(all)).Draw(t, what+"s")]
}

// weights says how often each kind is drawn; sales and reservations are most of any retailer's day.
var weights = map[inventory.Kind]int{
	inventory.Sale: 10, inventory.Reserve: 10, inventory.Release: 6, inventory.Ship: 6,
	inventory.Return: 3, inventory.ASN: 3, inventory.Receipt: 5, inventory.TransferOut: 4, inventory.TransferIn: 4,
	inventory.Adjust: 3, inventory.Block: 2, inventory.Unblock: 2, inventory.Count: 4, inventory.Snapshot: 1,
	inventory.Listing: 3, inventory.Safety: 2, inventory.Allocate: 5, inventory.PickFailed: 2, inventory.Substitute: 1,
	inventory.Promo: 1, inventory.Task: 1, inventory.TaskDone: 1, inventory.Capacity: 1, inventory.Tick: 3,
}

// bearing are the kinds that bear on a class.
var bearing = map[inventory.Class][]inventory.Kind{
	inventory.ReceiptDiscrepancy: {inventory.ASN, inventory.Receipt},
	inventory.StockMismatch:      {inventory.Snapshot, inventory.Sale, inventory.Count},
	inventory.StaleListing:       {inventory.Listing, inventory.Count},
	inventory.OversellRisk:       {inventory.Sale, inventory.Receipt, inventory.Listing, inventory.Count},
	inventory.TransferDelay:      {inventory.TransferOut, inventory.TransferIn},
}

// often is how many times as often these are drawn.
const often = 5

func kinds(without, bearing []inventory.Kind) []inventory.Kind {
	out := map[inventory.Kind]bool{}
	for _, k := range without {
		out[k] = true
	}
	var all []inventory.Kind
	for _, k := range inventory.Kinds() {
		n := weights[k]
		if out[k] {
			n = 0
		} else if slices.Contains(bearing, k) {
			n *= often
		}
		for range n {
			all = append(all, k)
		}
	}
	return all
}

// world is where a log is drawn in.
type world struct {
	shape                           Shape
	now                             inventory.Millis // the greatest time drawn
	grid                            inventory.Millis // times are multiples of it after Start
	skus, locations, channels, refs []string
	kinds                           []inventory.Kind
	huge                            bool // quantities near the limit are drawn too
}

func (w *world) delta(t *rapid.T, i int) inventory.Delta {
	d := inventory.Delta{
		ID:     fmt.Sprintf("d%d", i),
		Source: pick(t, "source", "pos", "erp"),
		Kind:   rapid.SampledFrom(w.kinds).Draw(t, "kind"),
		Time:   w.time(t),
	}
	if d.Kind == inventory.Tick {
		if oneIn(t, 3, "vouch") {
			d.Location = rapid.SampledFrom(w.locations).Draw(t, "location")
		}
		return d
	}
	d.SKU = rapid.SampledFrom(w.skus).Draw(t, "sku")
	d.Location = rapid.SampledFrom(w.locations).Draw(t, "location")
	d.Quantity = w.quantity(t, d.Kind)
	if oneIn(t, 3, "priced") {
		d.Price = rapid.Int64Range(1, 3).Draw(t, "price")
	}
	w.bind(t, &d)
	if !w.shape.Orderly && oneIn(t, 40, "broken") {
		d.Quantity, d.Ref = -d.Quantity, ""
	}
	return d
}

// time draws when the next delta happened, and moves the world's time on.
func (w *world) time(t *rapid.T) inventory.Millis {
	lateness := int64(w.shape.Lateness / w.grid)
	step := int64(0)
	switch rapid.IntRange(0, 9).Draw(t, "pace") {
	default: // at the same time as the newest
	case 4, 5, 6:
		step = 1
	case 7:
		step = rapid.Int64Range(2, lateness+lateness/2).Draw(t, "leap")
	case 8:
		step = -rapid.Int64Range(1, lateness).Draw(t, "late")
	case 9:
		step = -rapid.Int64Range(1, lateness+2).Draw(t, "later")
		if w.shape.Orderly {
			step = max(step, -lateness)
		}
	}
	at := max(w.now+inventory.Millis(step)*w.grid, Start)
	w.now = max(w.now, at)
	return at
}

func (w *world) quantity(t *rapid.T, k inventory.Kind) int64 {
	switch {
	case w.huge && oneIn(t, 4, "full"):
		return inventory.QuantityMax - rapid.Int64Range(0, 2).Draw(t, "short of")
	case k == inventory.Adjust:
		return pickUnits(t, -5, -3, -1, 1, 3, 5)
	case w.shape.Of == inventory.OversellRisk && k == inventory.Count: // what is left lasts for some sales
		return rapid.Int64Range(0, 60).Draw(t, "counted")
	case w.shape.Of == inventory.OversellRisk && k == inventory.Sale:
		return rapid.Int64Range(1, 2).Draw(t, "units")
	case k == inventory.Count:
		return rapid.Int64Range(0, 12).Draw(t, "counted")
	case k == inventory.Receipt, k == inventory.ASN, k == inventory.Allocate:
		return rapid.Int64Range(1, 12).Draw(t, "units")
	}
	return rapid.Int64Range(1, 5).Draw(t, "units")
}

// bind fills in the fields that d's kind needs, and now and then one that it does not.
func (w *world) bind(t *rapid.T, d *inventory.Delta) {
	switch d.Kind {
	case inventory.Sale, inventory.Listing, inventory.Allocate:
		d.Channel = rapid.SampledFrom(w.channels).Draw(t, "channel")
	case inventory.Reserve:
		w.reference(t, d)
		d.Channel = rapid.SampledFrom(w.channels).Draw(t, "channel")
		if w.shape.Orderly {
			d.Channel = w.channels[int(d.Ref[len(d.Ref)-1])%len(w.channels)]
		}
		if oneIn(t, 2, "lapses") {
			d.Due = w.due(t)
		}
	case inventory.ASN:
		w.reference(t, d)
		d.Due = w.due(t)
	case inventory.TransferOut:
		w.reference(t, d)
		d.Counterparty = rapid.SampledFrom(append([]string{"elsewhere"}, w.locations...)).Draw(t, "to")
		if d.Counterparty == d.Location {
			d.Counterparty = "elsewhere"
		}
		if oneIn(t, 2, "eta") {
			d.Due = w.due(t)
		}
	case inventory.Release, inventory.Ship, inventory.Receipt, inventory.TransferIn, inventory.PickFailed, inventory.Substitute:
		w.reference(t, d)
	case inventory.Return:
		d.Reason = pick(t, "disposition", "sellable", "", "damaged")
		if oneIn(t, 2, "channel too") {
			d.Channel = "returns" // known by nothing that makes a channel known
		}
	case inventory.Promo, inventory.Capacity:
		d.Due = w.due(t)
	}
}

func (w *world) reference(t *rapid.T, d *inventory.Delta) {
	d.Ref = rapid.SampledFrom(w.refs).Draw(t, "ref")
}

// due draws when something is due: mostly ahead of the newest time, sometimes before its own,
// sometimes when all that led to it is past the lateness.
func (w *world) due(t *rapid.T) inventory.Millis {
	most := int64(6)
	if oneIn(t, 4, "far") {
		most = 2 * int64(w.shape.Lateness/w.grid)
	}
	return max(w.now+inventory.Millis(rapid.Int64Range(-1, most).Draw(t, "due"))*w.grid, 1)
}

// repeat draws an earlier delta again: as it was, or with its id on something else.
func (w *world) repeat(t *rapid.T, log []inventory.Delta) inventory.Delta {
	d := log[rapid.IntRange(0, len(log)-1).Draw(t, "of")]
	if oneIn(t, 2, "otherwise") {
		other := w.delta(t, len(log))
		other.ID, other.Source = d.ID, d.Source
		return other
	}
	return d
}

func oneIn(t *rapid.T, n int, what string) bool { return rapid.IntRange(1, n).Draw(t, what) == n }

func pick(t *rapid.T, what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(t, what)
}

func pickUnits(t *rapid.T, from ...int64) int64 { return rapid.SampledFrom(from).Draw(t, "units") }
