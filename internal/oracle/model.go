package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Config is what is allowed.
type Config struct {
	Lateness       inventory.Millis // of stock
	WindowLateness inventory.Millis // of windows
	AheadMax       inventory.Millis // of event time, ahead of the log's
	ChannelsMax    int              // of a SKU; 0: as many as come
	Asks           bool             // an oversell that opens awaits a person's approval
	Guard          Guard            // of what an oversell holds by itself
	Risk           *Risk            // nil: nothing is throttled
}

// Outcome is what became of a delta.
type Outcome uint8

// The outcomes.
const (
	Applied Outcome = iota + 1
	Duplicate
	Rejected
)

func (o Outcome) String() string {
	return [...]string{"none", "applied", "duplicate", "rejected"}[o]
}

// Model is one partition. It is not safe for concurrent use.
type Model struct {
	config    Config
	watermark inventory.Millis               // greatest event time of any accepted delta
	accepted  map[identity]inventory.Millis  // the watermark just after the delta was accepted
	log       map[inventory.Key][]entry      // accepted deltas, in order of arrival
	volume    map[inventory.Key]int64        // Σ |quantity| of the key's log
	locations map[string]map[string]struct{} // by SKU
	lapsing   []lapse                        // those of the watermark's own moment that have still to happen
}

type identity struct{ source, id string }

// entry is an accepted delta as one key sees it. A transfer_out stands in two logs.
type entry struct {
	inventory.Delta
	arriving   bool             // a transfer_out, in the log of where it goes
	watermark  inventory.Millis // just after it was accepted
	generation int              // of its timeline: how many of that reference were forgotten before
}

// New returns a partition that has seen nothing.
func New(c Config) *Model {
	return &Model{
		config:    c,
		accepted:  map[identity]inventory.Millis{},
		log:       map[inventory.Key][]entry{},
		volume:    map[inventory.Key]int64{},
		locations: map[string]map[string]struct{}{},
	}
}

// Watermark returns the greatest event time of any accepted delta; 0: none yet.
func (m *Model) Watermark() inventory.Millis { return m.watermark }

// Keys returns every key that an accepted delta touched, by SKU and location.
func (m *Model) Keys() []inventory.Key {
	return slices.SortedFunc(maps.Keys(m.log), func(a, b inventory.Key) int {
		return cmp.Or(strings.Compare(a.SKU, b.SKU), strings.Compare(a.Location, b.Location))
	})
}

// Apply takes the next delta of the partition's log, which took it in at logTime; 0: that is not
// known. It keeps no string of d's. The reason is nil unless the outcome is Rejected.
func (m *Model) Apply(d inventory.Delta, logTime inventory.Millis) (Outcome, *inventory.Invalid) {
	outcome, why := m.judge(&d, logTime)
	if outcome == Applied {
		m.accept(&d)
	}
	return outcome, why
}

// judge says what is to become of d, and changes nothing.
func (m *Model) judge(d *inventory.Delta, logTime inventory.Millis) (Outcome, *inventory.Invalid) {
	if err := d.Validate(); err != nil {
		return Rejected, err.(*inventory.Invalid)
	}
	if m.remembers(d) {
		return Duplicate, nil
	}
	if d.Time < m.watermark-m.config.Lateness {
		return Rejected, &inventory.Invalid{Reason: inventory.Late, Field: "time",
			Detail: fmt.Sprintf("%s is more than the lateness before %s", d.Time, m.watermark)}
	}
	if logTime != 0 && d.Time > logTime+m.config.AheadMax {
		return Rejected, &inventory.Invalid{Reason: inventory.Future, Field: "time",
			Detail: fmt.Sprintf("%s is too far ahead of %s", d.Time, logTime)}
	}
	if m.crowded(d) {
		return Rejected, &inventory.Invalid{Reason: inventory.OutOfRange, Field: "channel",
			Detail: fmt.Sprintf("the SKU has %d channels, which is the most", m.config.ChannelsMax)}
	}
	if total := m.overflowing(d); total != "" {
		return Rejected, &inventory.Invalid{Reason: inventory.Overflow, Field: "quantity",
			Detail: total + " would go beyond ±(2^53−1)"}
	}
	return Applied, nil
}

// remembers reports whether d's id was accepted and is not forgotten: event time
// is cut into epochs of a quarter of the lateness, and an epoch is
// forgotten once its end is behind the watermark by the lateness.
func (m *Model) remembers(d *inventory.Delta) bool {
	at, found := m.accepted[identity{d.Source, d.ID}]
	quarter := max(1, m.config.Lateness/4)
	return found && (at/quarter+1)*quarter > m.watermark-m.config.Lateness
}

// crowded reports whether d would make a channel known of which its SKU has too many already.
func (m *Model) crowded(d *inventory.Delta) bool {
	if m.config.ChannelsMax == 0 || len(channels([]entry{{Delta: *d}})) == 0 {
		return false
	}
	var log []entry
	for location := range m.locations[d.SKU] {
		log = append(log, m.log[inventory.Key{SKU: d.SKU, Location: location}]...)
	}
	known := channels(log)
	return len(known) >= m.config.ChannelsMax && !slices.Contains(known, d.Channel)
}

// overflowing names the total that d would take beyond ±QuantityMax, judged by
// the totals as they stand on its arrival; "" where there is none.
func (m *Model) overflowing(d *inventory.Delta) string {
	q := d.Quantity
	there := inventory.Key{SKU: d.SKU, Location: d.Counterparty}
	if max(m.volume[d.Key()], m.volume[there])+abs(q) <= inventory.QuantityMax {
		return "" // not even if every quantity that was ever given had the same sign
	}
	here := m.Availability(d.SKU, d.Location).Quantities
	totals := map[string]int64{}
	switch d.Kind {
	case inventory.Sale, inventory.Ship, inventory.TransferOut:
		totals["on_hand"] = here.OnHand - q
	case inventory.Return, inventory.Receipt, inventory.TransferIn, inventory.Adjust:
		totals["on_hand"] = here.OnHand + q
	case inventory.Block:
		totals["unavailable"] = here.Unavailable + q
	case inventory.Unblock:
		totals["unavailable"] = here.Unavailable - q
	case inventory.Reserve: // what one reference holds open is part of the total
		totals["reserved"] = here.Reserved + q
		totals["reserved, with what does not lapse after all,"] = here.Reserved + m.gain(d)
	case inventory.ASN:
		totals["inbound"] = here.Inbound + q
	case inventory.Count:
		if with, counted := onHand(append(slices.Clone(m.log[d.Key()]), entry{Delta: *d})); counted == d.Time {
			totals["on_hand"] = with
		}
	}
	if d.Kind == inventory.Return && d.Reason != sellable {
		totals["unavailable"] = here.Unavailable + q
	}
	if d.Kind == inventory.TransferOut {
		totals["in_transit"] = m.Availability(there.SKU, there.Location).InTransit + q
	}
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		if abs(totals[name]) > inventory.QuantityMax {
			return name
		}
	}
	return ""
}

// gain is by how much a late reserve changes what its reference holds open: it may add more than its own
// quantity, where with it the reference has not lapsed. One that is not late adds its quantity.
func (m *Model) gain(d *inventory.Delta) int64 {
	if d.Time >= m.watermark {
		return d.Quantity
	}
	e := entry{Delta: *d}
	r, _ := referenceOf(&e)
	r.generation = m.generation(d.Key(), &e)
	var events []entry
	for _, o := range m.log[d.Key()] {
		if of, ok := referenceOf(&o); ok && of.class == r.class && of.ref == r.ref && o.generation == r.generation {
			events = append(events, o)
		}
	}
	before := fold(r.class, slices.Clone(events), m.watermark).open
	return fold(r.class, append(events, e), m.watermark).open - before
}

// accept puts d in the log of every key that it touches.
func (m *Model) accept(d *inventory.Delta) {
	m.watermark = max(m.watermark, d.Time)
	own := cloned(d)
	m.accepted[identity{own.Source, own.ID}] = m.watermark
	switch own.Kind {
	case inventory.Tick:
	case inventory.TransferOut:
		m.record(own.Key(), entry{Delta: own})
		m.record(inventory.Key{SKU: own.SKU, Location: own.Counterparty}, entry{Delta: own, arriving: true})
	default:
		m.record(own.Key(), entry{Delta: own})
	}
}

func (m *Model) record(k inventory.Key, e entry) {
	e.watermark = m.watermark
	e.generation = m.generation(k, &e)
	m.log[k] = append(m.log[k], e)
	m.volume[k] = min(m.volume[k]+abs(e.Quantity), 1<<60)
	if m.locations[k.SKU] == nil {
		m.locations[k.SKU] = map[string]struct{}{}
	}
	m.locations[k.SKU][k.Location] = struct{}{}
}

// generation returns which timeline of its reference e belongs to: the latest,
// or a new one where that one is forgotten, which it is once it holds nothing
// open and its last event, lapses among them, is older than the lateness.
func (m *Model) generation(k inventory.Key, e *entry) int {
	r, ok := referenceOf(e)
	if !ok {
		return 0
	}
	latest := 0
	var events []entry
	for _, o := range m.log[k] {
		if of, ok := referenceOf(&o); ok && of == r {
			if o.generation > latest {
				latest, events = o.generation, nil
			}
			events = append(events, o)
		}
	}
	if len(events) == 0 {
		return latest
	}
	t := fold(r.class, events, m.watermark)
	if t.open == 0 && t.last < m.watermark-m.config.Lateness {
		return latest + 1
	}
	return latest
}

// cloned returns d with strings of its own and without attrs, which nothing here reads.
func cloned(d *inventory.Delta) inventory.Delta {
	own := *d
	for _, s := range []*string{&own.ID, &own.Source, &own.SKU, &own.Location, &own.Channel, &own.Ref, &own.Reason, &own.Counterparty} {
		*s = strings.Clone(*s)
	}
	own.Attrs = nil
	return own
}

func abs(q int64) int64 { return max(q, -q) }
