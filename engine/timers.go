package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/inventory"
)

// setTimer sets a timer that is after the watermark and returns its time.
func (e *Engine) setTimer(at inventory.Millis, what byte, key string) inventory.Millis {
	at = max(at, e.meta.watermark+1)
	e.timers.Set(timer.Timer{Time: at, Kind: what, Key: key})
	return at
}

// sliceOutputs is how much may be said before Step returns. One timer more may say a few of each channel of its SKU.
const sliceOutputs = 1024

// advance moves the watermark on to t, which it is behind: first everything that
// was due by then happens, each at its own time. Renewals alone wait for t: they come out
// at the same moment anyway, and over a gap of months one stands for many. Where much is due
// it leaves off on the way, at a point that the log alone decides: what happens is the same whether or not memory is
// given back there.
func (e *Engine) advance(t inventory.Millis) (there bool, err error) {
	e.target = t
	said := e.meta.ordinal
	for fired := 1; ; fired++ {
		due, ok, err := e.timers.Next(t)
		if err != nil {
			return false, err
		}
		if !ok {
			e.meta.watermark = t
			return true, nil
		}
		e.meta.watermark = max(e.meta.watermark, due.Time)
		if err := e.fire(due); err != nil {
			return false, fmt.Errorf("timer %c %q of %v: %w", due.Kind, due.Key, due.Time, err)
		}
		if fired == e.config.SliceTimers || e.meta.ordinal-said >= sliceOutputs {
			e.interrupt(due.After())
			return false, nil
		}
	}
}

// fire does what a timer is for, if it is still the live one of its owner.
func (e *Engine) fire(t timer.Timer) error {
	key := []byte(t.Key)
	switch t.Kind {
	case timerTimeline:
		return e.fireTimeline(key, t.Time)
	case timerAlarm:
		rec, err := e.records.get(key)
		if err != nil || rec == nil || rec.value.alarmAt != t.Time {
			return err
		}
		e.records.touch(rec)
		rec.value.alarmAt = 0
		e.remember(&rec.value)
		return e.look(rec, nil)
	case timerWake:
		rec, err := e.records.get(key)
		if err != nil || rec == nil || rec.value.wakeAt != t.Time {
			return err
		}
		e.records.touch(rec)
		rec.value.wakeAt = 0
		e.remember(&rec.value)
		return e.look(rec, nil)
	case timerPlace:
		pl, err := e.place(t.Key)
		if err != nil || pl.value.wakeAt != t.Time {
			return err
		}
		e.places.touch(pl)
		pl.value.wakeAt = 0
		return e.lookPlace(pl, inventory.KindNone)
	case timerRenew:
		rec, err := e.records.get(key)
		if err != nil || rec == nil || rec.value.renewAt != t.Time {
			return err
		}
		if t.Time < e.target {
			e.records.touch(rec)
			rec.value.renewAt = e.setTimer(e.target, timerRenew, rec.key)
			return nil
		}
		return e.renewRecord(rec)
	case timerNetwork:
		net, err := e.networks.get(key)
		if err != nil || net == nil || net.value.renewAt != t.Time {
			return err
		}
		if t.Time < e.target {
			e.networks.touch(net)
			net.value.renewAt = e.setTimer(e.target, timerNetwork, net.key)
			return nil
		}
		return e.renewNetwork(net)
	case timerDwell:
		rec, err := e.records.get(key)
		if err != nil || rec == nil {
			return err
		}
		e.records.touch(rec)
		e.remember(&rec.value)
		return e.look(rec, nil)
	case timerGuard:
		return e.fireGuard(key, t.Time)
	case timerEnded:
		return e.forgetException(key)
	}
	return fmt.Errorf("nobody sets timers of kind %q", t.Kind)
}

// vouch carries what was vouched for over to the location's feed, by the watermark at most, so
// that silence up to then is the demand's and not the feed's.
func (e *Engine) vouch(pl *item[place]) error {
	vouched, err := e.vouchedFor(pl)
	if err != nil || !pl.value.feed.Behind(vouched.Until) {
		return err
	}
	e.places.touch(pl)
	pl.value.feed.Vouch(vouched.Until)
	return nil
}

// vouchedFor returns up to when the location's feed is vouched for, the watermark at most, and how long a silence of those who vouch for it is
// one too many: of its source, or, where that has no rhythm, of who names the location.
func (e *Engine) vouchedFor(pl *item[place]) (detectors.Vouched, error) {
	v := detectors.Vouched{Until: pl.value.vouched, Silence: pl.value.rhythm.Silence()}
	src, err := e.sourceOf(&pl.value)
	if err != nil {
		return v, err
	}
	if !src.gone {
		v.Until = max(v.Until, src.value.vouched)
		if silence := src.value.rhythm.Silence(); silence > 0 {
			v.Silence = silence
		}
	}
	v.Until = min(v.Until, e.meta.watermark)
	return v, nil
}

// sourceOf returns the item of the source of a location's feed, which is gone where that never vouched.
func (e *Engine) sourceOf(p *place) (*item[source], error) {
	if p.src == nil || p.asOf != e.sources.evictions || p.src.key != p.feed.Source {
		src, err := e.sources.find([]byte(p.feed.Source))
		if err != nil {
			return nil, err
		}
		p.src, p.asOf = src, e.sources.evictions
	}
	p.src.recent = true
	return p.src, nil
}

// fireTimeline lets a reservation lapse, or forgets a timeline that is spent.
func (e *Engine) fireTimeline(key []byte, at inventory.Millis) error {
	tl, err := e.timelines.get(key)
	if err != nil || tl == nil || tl.value.TimerAt != at {
		return err
	}
	e.timelines.touch(tl)
	tl.value.TimerAt = 0
	record, class, ref := splitTimelineKey(tl.key)
	rec, err := e.records.get([]byte(record))
	if err != nil {
		return err
	}
	if rec == nil {
		return fmt.Errorf("timeline %q has no record", tl.key)
	}
	if tl.value.over(e.horizon()) && tl.value.arrival.Wake(e.limitsAt(rec.key), at-1) == 0 {
		e.timelines.remove(tl)
		e.records.touch(rec)
		rec.value.refs.remove(refTag(class, ref))
		return nil
	}
	e.remember(&rec.value)
	opened, effects := tl.value.Advance(e.meta.watermark, e.effects[:0])
	changed := opened != 0 || len(effects) > 0
	if changed || class != ledger.Reservation {
		e.records.touch(rec)
	}
	e.settle(rec, tl, opened, effects)
	if !changed && class == ledger.Reservation {
		return nil
	}
	if err := e.closePage(rec); err != nil {
		return err
	}
	if class != ledger.Reservation {
		e.about = concern{rec, tl, ref}
	}
	return e.look(rec, nil)
}
