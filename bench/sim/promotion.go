package sim

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Unstocked: a promotion that nobody stocked up for, and for which the centre sends nothing while it runs.
const Unstocked FaultKind = "promotion not stocked for"

const (
	promosADay  = 0.01 // of SKUs: how many begin to be planned for the next day
	promoLead   = inventory.Day
	promoLeast  = 2 // days
	promoMost   = 5
	upliftLeast = 0.5
	upliftMost  = 2.0
)

// promotion is one of a SKU in every store. Stores are stocked for it in the night before, but where that was forgotten.
type promotion struct {
	from, till inventory.Millis
	uplift     float64 // multiple of the SKU's demand
	forgotten  bool
}

func (p *promotion) runs(at inventory.Millis) bool { return at >= p.from && at < p.till }

// plan decides on a promotion from tomorrow on.
func (s *Sim) plan(k *sku) {
	from := s.now + promoLead
	k.promo = promotion{
		from: from, till: from + inventory.Millis(promoLeast+s.want.IntN(promoMost-promoLeast+1))*inventory.Day,
		uplift:    1 + upliftLeast + (upliftMost-upliftLeast)*s.want.Float64(),
		forgotten: s.rates.Unstocked > 0 && chance(s.luck, s.rates.Unstocked),
	}
	s.at(from, func(at inventory.Millis) { s.promote(k, at) })
	s.at(k.promo.till, func(at inventory.Millis) {
		for place := range s.config.Stores {
			s.watch(s.shelf(place, k.number), at)
		}
	})
}

// promote begins a promotion, and says so.
func (s *Sim) promote(k *sku, at inventory.Millis) {
	for place := range s.config.Stores {
		sh := s.shelf(place, k.number)
		if k.promo.forgotten {
			s.fault(Unstocked, sh, 0, at)
		}
		d := sh.delta(inventory.Promo, int64(math.Round(100*(k.promo.uplift-1))))
		d.Ref, d.Due = "promo-"+k.name, k.promo.till
		s.send(s.erp, at, d)
		s.watch(sh, at)
	}
}

// planned is how many units a day a shelf is stocked for; 0: for now it gets none.
func (s *Sim) planned(sh *shelf) float64 {
	p := &sh.sku.promo
	switch {
	case p.forgotten && p.runs(s.now):
		return 0
	case !p.forgotten && s.now >= p.from-promoLead && s.now < p.till:
		return sh.daily() * p.uplift
	}
	return sh.daily()
}

// watchPromotion: a store has promised all it has of what is promoted.
func (s *Sim) watchPromotion(sh *shelf, at inventory.Millis) {
	p, e := &sh.sku.promo, &sh.truth.soldOut
	switch is := !sh.place.centre && p.runs(at) && sh.promised() <= 0; {
	case is && *e == nil:
		cause := FaultKind("")
		if p.forgotten {
			cause = Unstocked
		}
		*e = s.episode(inventory.PromoStockout, cause, sh, "", "promo-"+sh.sku.name, at)
	case !is && *e != nil:
		(*e).End = at
		*e = nil
	}
}
