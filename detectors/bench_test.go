package detectors_test

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// shop is a location with three weeks behind it at which a thousand keys sell, some every few minutes, most of them seldom.
type shop struct {
	feed  detectors.Feed
	views []detectors.View
	drawn []int // keys in the order in which they sell
	now   inventory.Millis
	sold  int
	found []detectors.Finding
}

const (
	shopKeys  = 1000
	shopWeeks = 3
	shopEvery = 12 * inventory.Second // a sale
)

func newShop() *shop {
	s := &shop{now: monday, views: make([]detectors.View, shopKeys)}
	s.feed.From("pos")
	s.feed.Vouch(s.now)
	for i := range s.views {
		s.views[i] = detectors.View{
			Now: s.now, SKU: "tea", Location: "leeds", Price: 250,
			Quantities: inventory.Quantities{OnHand: 100},
			Channels:   []detectors.Channel{{Name: "web", ATP: 100}, {Name: "store", ATP: 100}, {Name: "amazon", ATP: 100}},
			Network:    detectors.Network{Locations: 4, Sum: 400, ATP: 400},
			Belief:     new(detectors.Belief), Feed: &s.feed,
			Alarm: detectors.Alarm{Raise: 0.8, Clear: 0.4},
			Place: new(detectors.Place), Patience: new(uint8), Past: nothing{},
		}
	}
	skewed := rand.NewZipf(rand.New(rand.NewSource(1)), 1.1, 20, shopKeys-1)
	for range 1 << 14 {
		s.drawn = append(s.drawn, int(skewed.Uint64()))
	}
	for s.now < monday+shopWeeks*7*inventory.Day {
		s.sell(s.step())
	}
	return s
}

// step lets time go by, and returns the key that sells next.
func (s *shop) step() *detectors.View {
	s.now += shopEvery
	s.sold++
	v := &s.views[s.drawn[s.sold%len(s.drawn)]]
	v.Now = s.now
	return v
}

// sell is what the engine does for a sale, but for building the view.
func (s *shop) sell(v *detectors.View) {
	d := inventory.Delta{Kind: inventory.Sale, Quantity: 1, Source: "pos", Time: s.now}
	if s.feed.From(d.Source) {
		s.feed.Sale(d.Time)
	}
	s.feed.Learn(v.Belief.Waited(v))
	rose := v.Belief.Observe(v, &d)
	v.Belief.Hold(v)
	s.look(v, d.Kind)
	if rose {
		v.Belief.AlarmIn(v, v.Alarm.Raise, 60*inventory.Day)
	}
}

var table = detectors.Table()

func (s *shop) look(v *detectors.View, kind inventory.Kind) {
	s.found = s.found[:0]
	for i := range table {
		if table[i].Kinds.Has(kind) || v.IsOpenClass(table[i].Class) {
			s.found = table[i].Look(v, s.found)
		}
	}
}

// BenchmarkSale is all that detecting costs a sale.
func BenchmarkSale(b *testing.B) {
	s := newShop()
	b.ReportAllocs()
	for b.Loop() {
		s.sell(s.step())
	}
}

// BenchmarkParts are what it consists of, and what comes seldom. Each includes a step.
func BenchmarkParts(b *testing.B) {
	sale := inventory.Delta{Kind: inventory.Sale, Quantity: 1, Source: "pos"}
	var coded []byte
	for _, part := range []struct {
		name string
		do   func(s *shop, v *detectors.View)
	}{
		{"step", func(*shop, *detectors.View) {}},
		{"Feed.Sale", func(s *shop, v *detectors.View) { s.feed.Sale(v.Now) }},
		{"Feed.Learn", func(s *shop, v *detectors.View) { s.feed.Learn(v.Belief.Waited(v)) }},
		{"Feed.After-40h", func(s *shop, v *detectors.View) { s.feed.After(40, 60*inventory.Day) }},
		{"Feed.After-400h", func(s *shop, v *detectors.View) { s.feed.After(400, 60*inventory.Day) }},
		{"Belief.Observe", func(_ *shop, v *detectors.View) { v.Belief.Observe(v, &sale) }},
		{"Belief.Hold", func(_ *shop, v *detectors.View) { v.Belief.Hold(v) }},
		{"Belief.Probability", func(_ *shop, v *detectors.View) { v.Belief.Probability(v) }},
		{"Belief.AlarmIn", func(_ *shop, v *detectors.View) { v.Belief.AlarmIn(v, v.Alarm.Raise, 60*inventory.Day) }},
		{"Belief.Append", func(_ *shop, v *detectors.View) { coded = v.Belief.Append(coded[:0]) }},
		{"Feed.Append", func(s *shop, _ *detectors.View) { coded = s.feed.Append(coded[:0]) }},
		{"Look", func(s *shop, v *detectors.View) { s.look(v, inventory.Sale) }},
		{"Look-open", func(s *shop, v *detectors.View) {
			v.Open = append(v.Open[:0], detectors.Scope{Class: inventory.PhantomInventory}, detectors.Scope{Class: inventory.Oversell, Network: true})
			v.Network.Sum = -1
			s.look(v, inventory.Sale)
		}},
	} {
		b.Run(part.name, func(b *testing.B) {
			s := newShop()
			b.ReportAllocs()
			for b.Loop() {
				part.do(s, s.step())
			}
			if strings.HasSuffix(part.name, "Append") {
				b.ReportMetric(float64(len(coded)), "bytes")
			}
		})
	}
}

// BenchmarkYoung is a catch-up in which every key is young: its first ten sales, each of which may say
// that it sells faster than was thought.
func BenchmarkYoung(b *testing.B) {
	s := newShop()
	keys := make([]detectors.Belief, 100)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		v := s.step()
		v.Belief = &keys[n%len(keys)]
		if n/len(keys)%10 == 0 {
			*v.Belief = detectors.Belief{}
		}
		s.sell(v)
	}
}
