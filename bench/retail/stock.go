package retail

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The numbers of the stock rule. Demand is a key's units sold a week, its greatest
// line left out, over the weeks between its first and its last sale. Its deviation is
// that of a compound Poisson process: the variance of n weeks is n times a week's sum of squared
// quantities. These customers are wholesalers, so it is large.
const (
	demandWeeksMin = 4 // a shorter life counts as this

	openingWeeksMin, openingWeeksMax = 4.0, 8.0 // of demand, counted at the first row
	lotWeeksMin, lotWeeksMax         = 4.0, 8.0 // of demand, ordered at once
	spareMin, spareMax               = 3.0, 7.0 // standard deviations of the demand meanwhile, kept on top
	leadDaysMin, leadDaysMax         = 5, 14    // from order to receipt; fixed for a key
	caseSize                         = 12       // lots are whole cases, openings one at least

	lateShare                        = 0.06 // of receipts
	lateDaysMin, lateDaysMax         = 3, 10
	shortShare                       = 0.04 // of receipts
	shortPercentMin, shortPercentMax = 10, 40

	reviewAt     = 21 * inventory.Hour // every evening
	receivingAt  = 7 * inventory.Hour  // from then on, in the morning
	receivingMin = 120                 // minutes that receiving takes
	dueAt        = 9 * inventory.Hour  // what an ASN promises
)

// StockRule describes the rule that makes opening stock and receipts, for people.
func StockRule() string {
	return fmt.Sprintf("opening count of %g–%g weeks of the key's later demand; every evening, what is at or below the demand of its lead time (%d–%d days) and %g–%g of its standard deviations more is ordered again in lots of %g–%g weeks; %g %% of receipts are %d–%d days late, %g %% are %d–%d %% short",
		openingWeeksMin, openingWeeksMax, leadDaysMin, leadDaysMax, spareMin, spareMax, lotWeeksMin, lotWeeksMax,
		100*lateShare, lateDaysMin, lateDaysMax, 100*shortShare, shortPercentMin, shortPercentMax)
}

// demand is what the first pass learns of a key.
type demand struct {
	units, largest int64   // sold; in one line
	squares        float64 // Σ quantity²
	first, last    inventory.Millis
}

func (d *demand) add(quantity int64, at inventory.Millis) {
	if d.units == 0 {
		d.first = at
	}
	d.units += quantity
	d.largest = max(d.largest, quantity)
	d.squares += float64(quantity) * float64(quantity)
	d.last = at
}

// weekly is the demand of a week, in mean and variance, without the greatest line: an
// order of 80,995 that is cancelled at once says nothing of the next week.
func (d *demand) weekly() (mean, variance float64) {
	weeks := max(float64(d.last-d.first)/float64(7*inventory.Day), demandWeeksMin)
	largest := float64(d.largest)
	return (float64(d.units) - largest) / weeks, (d.squares - largest*largest) / weeks
}

// shelf is one key's stock as the record has it.
type shelf struct {
	key       inventory.Key
	number    int // in order of opening, from 1
	rng       *rand.Rand
	onHand    int64
	onOrder   int64
	reorderAt int64 // order when on hand and on order are at or below it
	lot       int64
	leadDays  int
	orders    int // placed so far
}

// arrival is an order on its way.
type arrival struct {
	at       inventory.Millis
	shelf    *shelf
	order    int
	ordered  int64
	quantity int64 // what will come of it
}

// arrivals is a heap by time, then by shelf and order, so that ties are no accident.
type arrivals []arrival

func (a arrivals) Len() int { return len(a) }
func (a arrivals) Less(i, j int) bool {
	if a[i].at != a[j].at {
		return a[i].at < a[j].at
	}
	if a[i].shelf != a[j].shelf {
		return a[i].shelf.number < a[j].shelf.number
	}
	return a[i].order < a[j].order
}
func (a arrivals) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)   { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = (*a)[:last]
	return x
}

// stock makes the deltas that the file lacks, in step with its rows.
type stock struct {
	cfg      *Config
	demand   map[inventory.Key]*demand
	byKey    map[inventory.Key]*shelf
	shelves  []*shelf // in order of opening
	arrivals arrivals
	review   inventory.Millis // the next one; 0 before the first row
	emit     func(inventory.Delta)
}

func newStock(cfg *Config, demand map[inventory.Key]*demand, emit func(inventory.Delta)) *stock {
	return &stock{cfg: cfg, demand: demand, byKey: make(map[inventory.Key]*shelf, len(demand)), emit: emit}
}

// before emits all that happens before a row's delta, its key's opening included.
func (s *stock) before(d *inventory.Delta) {
	if s.review == 0 {
		s.review = d.Time - d.Time%inventory.Day + reviewAt
	}
	for {
		if len(s.arrivals) > 0 && s.arrivals[0].at <= min(d.Time, s.review) {
			s.receive(heap.Pop(&s.arrivals).(arrival))
			continue
		}
		if s.review > d.Time {
			break
		}
		quiet := len(s.arrivals) == 0
		for _, sh := range s.shelves {
			quiet = !s.reorder(sh) && quiet
		}
		s.review += inventory.Day
		if quiet && s.review < d.Time { // and so it stays until the next row
			s.review += (d.Time - s.review) / inventory.Day * inventory.Day
		}
	}
	if s.byKey[d.Key()] == nil {
		s.open(d.Key(), d.Time)
	}
}

// move takes a row's delta into the record.
func (s *stock) move(d *inventory.Delta) {
	sh := s.byKey[d.Key()]
	if d.Kind == inventory.Sale {
		sh.onHand = bounded(sh.onHand - d.Quantity)
	} else {
		sh.onHand = bounded(sh.onHand + d.Quantity)
	}
}

func (s *stock) open(key inventory.Key, at inventory.Millis) {
	sh := &shelf{
		key: key, number: len(s.shelves) + 1,
		rng: rand.New(rand.NewPCG(s.cfg.Seed, s.cfg.hash(key.SKU+"\x00"+key.Location))),
	}
	var weekly, variance float64
	if d := s.demand[key]; d != nil {
		weekly, variance = d.weekly()
	}
	sh.leadDays = between(sh.rng, leadDaysMin, leadDaysMax)
	leadWeeks := float64(sh.leadDays) / 7
	spare := uniform(sh.rng, spareMin, spareMax) * math.Sqrt(variance*leadWeeks)
	sh.onHand = max(units(weekly*uniform(sh.rng, openingWeeksMin, openingWeeksMax)+spare), caseSize)
	sh.reorderAt = units(weekly*leadWeeks + spare)
	lot := units(weekly * uniform(sh.rng, lotWeeksMin, lotWeeksMax))
	sh.lot = max((lot+caseSize-1)/caseSize, 1) * caseSize
	s.shelves = append(s.shelves, sh)
	s.byKey[key] = sh
	s.emit(s.made(sh, inventory.Count, at, fmt.Sprintf("open-%d", sh.number), sh.onHand))
}

// reorder is one evening's look at one key; it reports whether it ordered.
func (s *stock) reorder(sh *shelf) bool {
	missing := sh.reorderAt - sh.onHand - sh.onOrder
	if missing < 0 {
		return false
	}
	quantity := bounded(sh.lot * (missing/sh.lot + 1))
	sh.orders++
	sh.onOrder += quantity
	morning := s.review - s.review%inventory.Day + inventory.Millis(sh.leadDays)*inventory.Day
	a := arrival{
		at:    morning + receivingAt + inventory.Millis(sh.rng.IntN(receivingMin))*inventory.Minute,
		shelf: sh, order: sh.orders, ordered: quantity, quantity: quantity,
	}
	if sh.rng.Float64() < lateShare {
		a.at += inventory.Millis(between(sh.rng, lateDaysMin, lateDaysMax)) * inventory.Day
	}
	if sh.rng.Float64() < shortShare {
		a.quantity = max(quantity-quantity*int64(between(sh.rng, shortPercentMin, shortPercentMax))/100, 1)
	}
	heap.Push(&s.arrivals, a)
	d := s.made(sh, inventory.ASN, s.review, fmt.Sprintf("asn-%d-%d", sh.number, sh.orders), quantity)
	d.Ref, d.Due = orderNumber(sh, sh.orders), morning+dueAt
	s.emit(d)
	return true
}

func (s *stock) receive(a arrival) {
	a.shelf.onHand = bounded(a.shelf.onHand + a.quantity)
	a.shelf.onOrder -= a.ordered // what is short is not waited for
	d := s.made(a.shelf, inventory.Receipt, a.at, fmt.Sprintf("receipt-%d-%d", a.shelf.number, a.order), a.quantity)
	d.Ref = orderNumber(a.shelf, a.order)
	s.emit(d)
}

func (s *stock) made(sh *shelf, kind inventory.Kind, at inventory.Millis, id string, quantity int64) inventory.Delta {
	return inventory.Delta{
		ID: id, Source: SourceMade, SKU: sh.key.SKU, Location: sh.key.Location,
		Kind: kind, Quantity: quantity, Time: at,
	}
}

func orderNumber(sh *shelf, order int) string { return fmt.Sprintf("PO-%d-%d", sh.number, order) }

// units rounds up to whole units.
func units(x float64) int64 { return int64(math.Ceil(min(x, unitsMax))) }

// unitsMax bounds every quantity of the rule, whatever a file says: a quarter of what a delta may carry,
// so that sums of a few stay valid.
const unitsMax = inventory.QuantityMax / 4

func bounded(quantity int64) int64 { return max(-unitsMax, min(quantity, unitsMax)) }

func uniform(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }

// between draws from low to high, both included.
func between(rng *rand.Rand, low, high int) int { return low + rng.IntN(high-low+1) }
