package engine

import (
	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/inventory"
)

// past is the [detectors.Past] of the record that is looked at. What goes wrong with the store meanwhile stays in
// err until the look is over.
type past struct {
	e   *Engine
	rec *item[record]
	err error

	moves []ledger.Move // scratch space
}

func (p *past) Arrival(class inventory.Class, ref string) *detectors.Arrival {
	of := ledger.Inbound
	if class == inventory.TransferDelay {
		of = ledger.InTransit
	}
	if !p.rec.value.refs.may(refTag(of, ref)) {
		return nil
	}
	p.e.key = appendTimelineKey(p.e.key[:0], p.rec.key, of, ref)
	tl, err := p.e.timelines.get(p.e.key)
	if err != nil {
		p.err = err
	}
	if tl == nil {
		return nil
	}
	p.e.timelines.touch(tl)
	return &tl.value.arrival
}

func (p *past) OnHand(from, to inventory.Millis) (low, high int64) {
	p.e.paged = p.rec.key
	low, high, moves, err := p.rec.value.Around(max(from, p.e.horizon()), to, p.e.history, p.moves)
	p.moves = moves
	if err != nil {
		p.err = err
	}
	return low, high
}

func (p *past) sum(t window.Tier, s window.Series) window.Total {
	return p.rec.value.windows.Sum(t, s, t.Panes(), p.e.meta.watermark)
}

func (p *past) LastHour() detectors.Total {
	return detectors.Total(p.sum(window.Minutes, window.Demand))
}

func (p *past) LastDays() detectors.Total { return detectors.Total(p.sum(window.Days, window.Demand)) }

func (p *past) Returns() int64 { return p.sum(window.Days, window.Returns).Count }

// spans are the windows that make up each span of [detectors.Trade].
var spans = [...]struct {
	tier  window.Tier
	panes int64
}{
	detectors.FiveMinutes: {window.Minutes, 5},
	detectors.OneHour:     {window.Minutes, 60},
	detectors.TwoDays:     {window.Hours, 48},
	detectors.FiveWeeks:   {window.Days, 35},
}

func (p *past) Asked(s detectors.Span) (events, units int64) {
	return p.rec.value.demand(s, p.e.meta.watermark)
}

// demand is [detectors.Trade]'s Asked up to now.
func (r *record) demand(s detectors.Span, now inventory.Millis) (events, units int64) {
	total := r.windows.Sum(spans[s].tier, window.Demand, spans[s].panes, now)
	return total.Count, total.Sum
}

func (p *past) Lag(name string) detectors.Lag {
	p.e.key = append(p.e.key[:0], name...)
	c, err := p.e.channels.find(p.e.key)
	if err != nil {
		p.err = err
		return detectors.Lag{}
	}
	return c.value.lag // zero where there is none
}
