package load

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Load makes deltas. It is for one goroutine.
type Load struct {
	mix     Mix
	rng     *rand.Rand
	zipf    *rand.Zipf // of the SKUs' ranks; nil: uniform
	skus    uint64
	stride  uint64 // from the SKU of a rank to that of the next: neighbours in rank are none by name
	weights []weight
	total   int                    // of the weights
	begins  [groups]inventory.Kind // what is begun where too few wait; KindNone: nothing, the end stands for itself
	open    [groups]ring           // begun, and waiting for their end
	recent  ring                   // what may be repeated
	clock   time.Duration          // event time since start
	start   inventory.Millis
	latest  inventory.Millis // greatest event time so far
	counts  Counts

	locations, sources []string // of each location
	id, sku, probe     name
	refs               [groups]name
}

// Counts says what a load has made so far, by what is to become of it.
type Counts struct {
	Deltas     uint64 `json:"deltas"` // all of them, those of Fill apart
	Probes     uint64 `json:"probes"`
	Duplicates uint64 `json:"duplicates"`
	Late       uint64 `json:"late"`
	OutOfOrder uint64 `json:"out_of_order"` // of what is none of these
}

const (
	// fullShelf is more than trade takes before a count or receipts fill it again.
	fullShelf = 1_000_000

	// recentMost bounds what may be repeated: at the longest step three hours, well within
	// the time for which ids are remembered.
	recentMost = 1 << 13

	// openLeast is how many wait before one is ended, so that it takes some thousands of deltas from
	// an order to its shipment; openMost is how many are remembered, the eldest being
	// forgotten, and never ended, where a mixture begins more than it ends.
	openLeast = 1 << 10
	openMost  = 1 << 12

	// lateness is holdfast's default for stock. What is late is later by lateLeast to 2·lateLeast:
	// a partition's watermark may be somewhat behind the load's latest.
	lateness  = inventory.Day
	lateLeast = 6 * inventory.Hour

	skuFirst = 100_000 // so that most names are of the same length

	// zipfShift flattens the head of the distribution: the first SKU gets some percent, not a third.
	zipfShift = 8
)

// New returns the load of a mix, or what [Mix.Check] has against it.
func New(m Mix) (*Load, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	m.setDefaults()
	l := &Load{
		mix:    m,
		rng:    rand.New(rand.NewPCG(m.Seed, 0x10ad)),
		skus:   uint64((m.Keys + m.Locations - 1) / m.Locations),
		recent: newRing(recentMost),
		start:  inventory.MillisOf(m.Start),
		latest: inventory.MillisOf(m.Start),
	}
	l.stride = stride(l.skus)
	if m.Skew != 0 {
		l.zipf = rand.NewZipf(l.rng, m.Skew, zipfShift, l.skus-1)
	}
	var err error
	if l.weights, err = m.weights(); err != nil {
		return nil, err
	}
	for _, w := range l.weights {
		l.total += w.n
		if w.kind == inventory.ASN {
			l.begins[inbound] = inventory.ASN
		}
	}
	l.begins[order], l.begins[transfer] = inventory.Reserve, inventory.TransferOut
	for i := range m.Locations {
		number := strconv.Itoa(10 + i)
		l.locations = append(l.locations, "store-"+number)
		l.sources = append(l.sources, "pos-"+number)
	}
	seed := strconv.FormatUint(m.Seed, 10) + "-"
	l.id, l.sku, l.probe = newName(seed), newName("sku-"), newName(m.ProbePrefix())
	for g, prefix := range refPrefixes {
		l.open[g] = newRing(openMost)
		l.refs[g] = newName(prefix + seed)
	}
	return l, nil
}

// Keys is how many SKU-locations there are.
func (l *Load) Keys() int { return int(l.skus) * len(l.locations) }

// Counts says what was made so far.
func (l *Load) Counts() Counts { return l.counts }

// Latest is the greatest event time so far.
func (l *Load) Latest() inventory.Millis { return l.latest }

// Fill yields a count for each key that fills its shelf, at the load's start, all locations of a SKU one
// after another and the SKUs in no order. A delta is good until the next one.
func (l *Load) Fill(yield func(d *inventory.Delta) bool) {
	id := newName("f" + strconv.FormatUint(l.mix.Seed, 10) + "-")
	var d inventory.Delta
	for rank := range l.skus {
		for i := range l.locations {
			d = inventory.Delta{
				ID:       id.of(rank*uint64(len(l.locations)) + uint64(i)),
				Source:   l.sources[i],
				SKU:      l.sku.of(skuFirst + l.ranked(rank)),
				Location: l.locations[i],
				Kind:     inventory.Count,
				Quantity: fullShelf,
				Time:     l.start,
			}
			if !yield(&d) {
				return
			}
		}
	}
}

// Next writes the next delta to d. What d's strings were is gone with the call.
func (l *Load) Next(d *inventory.Delta) {
	l.clock += time.Duration(l.rng.Int64N(2*int64(l.mix.Step) + 1))
	number := l.counts.Deltas
	l.counts.Deltas++
	var e event
	draw := l.rng.Float64()
	switch m := &l.mix; {
	case draw < m.Oversell:
		l.counts.Probes++
		e = event{kind: inventory.Sale, number: number, quantity: 1, location: l.location(), probe: true}
		l.date(&e)
		l.recent.push(e)
	case draw < m.Oversell+m.Late:
		l.counts.Late++
		e = l.deltaOf(inventory.Sale, number)
		e.time = l.latest - lateness - lateLeast - inventory.Millis(l.rng.Int64N(int64(lateLeast)))
	case draw < m.Oversell+m.Late+m.Duplicates && l.recent.size > 0:
		l.counts.Duplicates++
		e = *l.recent.at(l.rng.IntN(l.recent.size))
	default:
		e = l.trade(number)
		l.recent.push(e)
	}
	l.write(&e, d)
}

// trade makes an event of the mixture.
func (l *Load) trade(number uint64) event {
	kind := l.kind()
	if g := shapes[kind].ends; g != alone && l.begins[g] != inventory.KindNone {
		if l.open[g].size > openLeast {
			return l.end(kind, number)
		}
		kind = l.begins[g]
	}
	e := l.deltaOf(kind, number)
	l.date(&e)
	if g := shapes[kind].begins; g != alone {
		l.open[g].push(e)
	}
	return e
}

// end ends what has waited longest, not before it began.
func (l *Load) end(kind inventory.Kind, number uint64) event {
	began := l.open[shapes[kind].ends].pop()
	e := began
	e.kind, e.number = kind, number
	if kind == inventory.TransferIn {
		e.location = began.other
	}
	l.date(&e)
	e.time = max(e.time, began.time)
	return e
}

// deltaOf makes an event of that kind at a key that it draws, without a time.
func (l *Load) deltaOf(kind inventory.Kind, number uint64) event {
	e := event{kind: kind, number: number, subject: number, location: l.location(), sku: uint32(l.ranked(l.rank()))}
	s := &shapes[kind]
	e.quantity = (1 + l.rng.Int64N(3)) * s.units
	if s.units == 0 {
		e.quantity = fullShelf
	}
	if s.channel {
		e.channel = uint8(l.rng.IntN(len(channels)))
	}
	if s.elsewhere {
		e.other = uint16((int(e.location) + 1 + l.rng.IntN(len(l.locations)-1)) % len(l.locations))
	}
	return e
}

// date gives e its time: now, or for one out of order some time before the latest.
func (l *Load) date(e *event) {
	if l.mix.OutOfOrder > 0 && l.rng.Float64() < l.mix.OutOfOrder {
		l.counts.OutOfOrder++
		e.time = l.latest - 1 - inventory.Millis(l.rng.Int64N(l.mix.OutOfOrderMax.Milliseconds()))
		return
	}
	e.time = l.start + inventory.Millis(l.clock.Milliseconds())
	l.latest = e.time // as the clock never goes back
}

func (l *Load) kind() inventory.Kind {
	draw := l.rng.IntN(l.total)
	for _, w := range l.weights {
		if draw -= w.n; draw < 0 {
			return w.kind
		}
	}
	panic("load: the weights are less than their total")
}

func (l *Load) location() uint16 { return uint16(l.rng.IntN(len(l.locations))) }

// rank draws how many SKUs are asked for more than the one that is meant.
func (l *Load) rank() uint64 {
	switch {
	case l.mix.HotShare > 0 && l.rng.Float64() < l.mix.HotShare:
		return 0
	case l.zipf != nil:
		return l.zipf.Uint64()
	}
	return l.rng.Uint64N(l.skus)
}

// ranked returns the SKU of a rank.
func (l *Load) ranked(rank uint64) uint64 { return rank * l.stride % l.skus }

// stride returns a number that has no factor in common with n, near its golden section: so
// many at a time, one comes past each of n places once, and soon everywhere.
func stride(n uint64) uint64 {
	for s := max(n*618/1000, 1); ; s++ {
		if gcd(s, n) == 1 {
			return s
		}
	}
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
