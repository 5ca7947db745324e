package engine

import (
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// everySKU is the SKU of an exception about a location as a whole.
const everySKU = "*"

// tellPlace tells the location of what d says of it as a whole, and looks at it where that may matter: after work, what is cancelled,
// and anything at all while some exception stands there.
func (e *Engine) tellPlace(rec *item[record], d *inventory.Delta) error {
	pl := rec.value.around.pl
	cancelled := e.cancelled
	e.cancelled = ""
	kind := d.Kind
	ordinary := false // it is reason to look only where something stands
	switch {
	case kind == inventory.Task || kind == inventory.TaskDone || kind == inventory.Capacity:
		e.places.touch(pl)
		pl.value.state.Work.See(d, e.meta.watermark)
	case kind == inventory.Reserve:
		e.places.touch(pl)
		pl.value.state.Demand(d.Time)
		pl.value.state.Order(d.Channel, e.meta.watermark, false)
		ordinary = true
	case cancelled != "":
		e.places.touch(pl)
		pl.value.state.Order(cancelled, e.meta.watermark, true)
	default:
		ordinary = true
	}
	if ordinary && len(pl.value.open) == 0 {
		if pl.value.wakeAt == 0 && d.Kind == inventory.Sale {
			return e.armPlace(pl)
		}
		return nil
	}
	return e.lookPlace(pl, kind)
}

// lookPlace lets the detectors of locations look at one, after a delta of a kind or, where that is none, after a timer or something
// else, and sees to what they find. No command follows: those name a SKU.
func (e *Engine) lookPlace(pl *item[place], kind inventory.Kind) error {
	vouched, err := e.vouchedFor(pl) // the feed's clock itself is moved by looks at its keys alone
	if err != nil {
		return err
	}
	e.places.touch(pl)
	e.showPlace(pl)
	e.view.Vouched, e.view.Kind = vouched, kind
	v := &e.view
	e.found = e.found[:0]
	for i := range e.placeDetectors {
		if det := &e.placeDetectors[i]; det.Kinds.Has(kind) || v.IsOpenClass(det.Class) {
			e.found = det.Look(v, e.found)
		}
	}
	e.endDwelt(pl.value.open)
	for i := range e.found {
		f := &e.found[i]
		carry := e.clear
		if f.Edge == detectors.Raise {
			carry = e.raise
		}
		said, err := carry(scene{pl: pl}, f)
		if err != nil {
			return err
		}
		if said.exception != nil {
			e.audit(&said, nil, nil)
		}
	}
	return e.armPlace(pl)
}

// showPlace fills the view with what the detectors of locations may see.
func (e *Engine) showPlace(pl *item[place]) {
	v := &e.view
	open := appendStanding(v.Open[:0], pl.value.open)
	*v = detectors.View{
		Now: e.meta.watermark, SKU: everySKU, Location: pl.key,
		Feed: &pl.value.feed, Place: &pl.value.state, Open: open, Channels: v.Channels[:0],
	}
	e.bound(v)
}

// armPlace sets the location's timer for the next thing that its detectors wait for, unless one stands that is not later.
func (e *Engine) armPlace(pl *item[place]) error {
	p := &pl.value
	vouched, err := e.vouchedFor(pl)
	if err != nil {
		return err
	}
	var scopes [8]detectors.Scope
	open := appendStanding(scopes[:0], p.open)
	next := p.state.Next(e.limitsIn(&e.limits.there, everySKU, pl.key, ""), &p.feed, open, vouched, e.meta.watermark)
	for i := range p.open {
		if at := p.open[i].endsAt; at > e.meta.watermark && (next <= e.meta.watermark || at < next) {
			next = at
		}
	}
	if next > e.meta.watermark && (p.wakeAt == 0 || next < p.wakeAt) {
		e.places.touch(pl)
		p.wakeAt = e.setTimer(next, timerPlace, pl.key)
	}
	return nil
}

// decidePlace is decide for an exception of a location as a whole.
func (e *Engine) decidePlace(m *control.Message, it *item[exception]) error {
	pl, err := e.place(it.value.Location)
	if err != nil {
		return err
	}
	e.places.touch(pl)
	v, err := e.settleDecision(m, it, pl.value.open)
	if err != nil {
		return err
	}
	e.audit(&v, nil, nil)
	return nil
}
