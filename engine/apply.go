package engine

import (
	"errors"
	"fmt"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/dedupe"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Apply is [Engine.Step] until the delta is finished, for those who have memory for all that may be due by its time.
func (e *Engine) Apply(at At, d *inventory.Delta) (Result, error) {
	for {
		result, err := e.Step(at, d)
		if err != nil || result.Outcome != Unfinished {
			return result, err
		}
	}
}

// Step takes in the next delta of the log, which has been validated. It borrows d and its strings
// until it returns.
//
// Where much is due by the delta's time, it does a part of that and returns [Unfinished]. Then the caller takes over the
// outputs, may commit, and calls Step again with the same delta, even after a crash: that it is under way is in the
// store. So a tick that fires a million timers takes no more memory than one that fires a few.
func (e *Engine) Step(at At, d *inventory.Delta) (Result, error) {
	id := e.ids.Hash(d)
	var rec *item[record] // nil: not known, or there is none
	goesOn := e.meta.pause.on
	if goesOn {
		if err := e.resume(at); err != nil {
			return Result{}, err
		}
	} else {
		var result Result
		var err error
		if rec, result, err = e.accept(at, d, id); err != nil || result.Outcome != Unfinished {
			return result, err
		}
	}
	if goesOn || d.Time > e.meta.watermark {
		if there, err := e.advance(d.Time); err != nil || !there {
			return Result{}, wrap(errors.Join(err, e.fault), d)
		}
	}
	if d.Kind != inventory.Tick {
		if err := e.change(rec, d); err != nil {
			return Result{}, wrap(err, d)
		}
	}
	if e.fault != nil {
		return Result{}, wrap(e.fault, d)
	}
	e.ids.Add(id, e.meta.watermark)
	e.meta.counters.Applied++
	return Result{Outcome: Applied}, nil
}

func wrap(err error, d *inventory.Delta) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("apply %s %q of %q: %w", d.Kind, d.ID, d.Source, err)
}

// accept decides what becomes of a delta; Unfinished is that it is to be applied. It returns the record that it is for,
// where there is one.
func (e *Engine) accept(at At, d *inventory.Delta, id dedupe.ID) (*item[record], Result, error) {
	e.begin(at)
	if err := e.sayDeferred(); err != nil {
		return nil, Result{}, wrap(err, d)
	}
	if bad := e.misplaced(d); bad != nil {
		return nil, e.reject(at, bad), nil
	}
	known, err := e.ids.Known(id, e.meta.watermark)
	if err != nil {
		return nil, Result{}, err
	}
	if known {
		e.meta.counters.Duplicates++
		return nil, Result{Outcome: Duplicate}, nil
	}
	if d.Time < e.horizon() {
		return nil, e.reject(at, e.tooLate(d)), nil
	}
	if at.LogTime != 0 && d.Time > at.LogTime+e.config.AheadMax {
		return nil, e.reject(at, e.tooEarly(at, d)), nil
	}
	if d.Kind == inventory.Tick {
		return nil, Result{}, wrap(e.vouched(d), d)
	}
	rec, bad, err := e.refuse(d)
	if bad != nil && err == nil {
		return nil, e.reject(at, bad), nil
	}
	return rec, Result{}, wrap(err, d)
}

// Reject takes in an item of the log that could not be decoded: it counts, and stands
// among the outputs like every other rejected delta.
func (e *Engine) Reject(at At, bad *inventory.Invalid) Result {
	e.begin(at)
	return e.reject(at, bad)
}

func (e *Engine) begin(at At) {
	e.meta.counters.Read++
	e.meta.sequence, e.meta.items = at.Sequence, uint64(at.Index)+1
	e.cause = inventory.Cause{Partition: e.config.Partition, Sequence: at.Sequence, Index: at.Index}
	e.causeOrdinal = 0
	e.logTime = at.LogTime
}

// interrupt leaves off within the delta that is being applied, once the timers before next have fired.
func (e *Engine) interrupt(next timer.Timer) {
	e.meta.items--
	e.meta.pause = pause{true, e.causeOrdinal, next}
}

// resume goes on where interrupt left off.
func (e *Engine) resume(at At) error {
	if at.Sequence != e.meta.sequence || uint64(at.Index) != e.meta.items {
		return fmt.Errorf("item %d of message %d is unfinished, and item %d of message %d was to be applied: state and position do not belong together; move the partition's folder away and let the log be applied again",
			e.meta.items, e.meta.sequence, at.Index, at.Sequence)
	}
	e.meta.items++
	e.cause = inventory.Cause{Partition: e.config.Partition, Sequence: at.Sequence, Index: at.Index}
	e.causeOrdinal = e.meta.pause.causeOrdinal
	e.logTime = at.LogTime
	e.meta.pause = pause{}
	return nil
}

func (e *Engine) reject(at At, bad *inventory.Invalid) Result {
	e.meta.counters.Rejected++
	e.say(Output{Rejected: &Rejection{at, bad}})
	return Result{Rejected, bad}
}

// say gives the output the next ordinal.
func (e *Engine) say(o Output) {
	e.meta.ordinal++
	o.Ordinal = e.meta.ordinal
	e.outputs = append(e.outputs, o)
}

func (e *Engine) misplaced(d *inventory.Delta) *inventory.Invalid {
	if e.config.Partitions == 0 || d.SKU == "" {
		return nil
	}
	if p := codec.Partition(d.SKU, e.config.Partitions); p != e.config.Partition {
		return &inventory.Invalid{
			Reason: inventory.WrongPartition, Field: "sku",
			Detail: fmt.Sprintf("belongs to partition %d of %d, came to %d", p, e.config.Partitions, e.config.Partition),
		}
	}
	return nil
}

func (e *Engine) tooLate(d *inventory.Delta) *inventory.Invalid {
	return &inventory.Invalid{
		Reason: inventory.Late, Field: "time",
		Detail: fmt.Sprintf("%v is more than the allowed lateness of %v before the watermark %v",
			d.Time, (e.config.Lateness.Time().Sub(inventory.Millis(0).Time())), e.meta.watermark),
	}
}

// tooEarly says that a clock is wrong. It would take event time along for everybody, and make late what
// others say: so the log's own clock, which is in the log, bounds what a delta may claim.
func (e *Engine) tooEarly(at At, d *inventory.Delta) *inventory.Invalid {
	return &inventory.Invalid{
		Reason: inventory.Future, Field: "time",
		Detail: fmt.Sprintf("%v is more than %v ahead of %v, when the log took it in: set the clock of %q",
			d.Time, e.config.AheadMax.Time().Sub(inventory.Millis(0).Time()), at.LogTime, d.Source),
	}
}

// vouched takes in a tick, which moves event time on. Its source vouches that it has said all from before then, and
// for the location that it names, if any; so do the timers see it that are due by then.
func (e *Engine) vouched(d *inventory.Delta) error {
	src, _, err := e.sources.make([]byte(d.Source))
	if err != nil {
		return err
	}
	if d.Time > src.value.vouched {
		e.sources.touch(src)
		src.value.vouch(d.Time)
	}
	if d.Location != "" {
		pl, err := e.place(d.Location)
		if err != nil {
			return err
		}
		if d.Time > pl.value.vouched {
			e.places.touch(pl)
			pl.value.vouch(d.Time)
		}
	}
	return nil
}

// change applies a delta that touches a key, whose record is rec; nil: not known, or there is none.
func (e *Engine) change(rec *item[record], d *inventory.Delta) (err error) {
	if rec == nil {
		if rec, err = e.record(d.SKU, d.Location); err != nil {
			return err
		}
	}
	e.records.touch(rec)
	e.remember(&rec.value)
	e.paged = rec.key
	if err := rec.value.Apply(d, e.history); err != nil {
		return err
	}
	if err := e.reference(rec, d); err != nil {
		return err
	}
	if err := e.closePage(rec); err != nil {
		return err
	}
	e.count(rec, d)
	rec.value.asked(d)
	if d.Kind == inventory.Listing {
		if err := e.measure(&rec.value, d); err != nil {
			return err
		}
	}
	return e.lookAfter(rec, d)
}

// lookAfter looks at d's record, and where d tells that goods to another one are late, or not late after all, at that too.
func (e *Engine) lookAfter(rec *item[record], d *inventory.Delta) error {
	of := e.about
	elsewhere := of.tl != nil && of.rec != rec
	if elsewhere {
		e.about = concern{}
	}
	if err := e.look(rec, d); err != nil {
		return err
	}
	if err := e.tellPlace(rec, d); err != nil || !elsewhere || !of.tl.value.arrival.Turns(e.limitsAt(of.rec.key), e.meta.watermark) {
		return err
	}
	e.about = of
	e.remember(&of.rec.value)
	return e.look(of.rec, nil)
}

// record returns the record of a key, marked as changed. A new one joins its SKU's network.
func (e *Engine) record(sku, location string) (*item[record], error) {
	e.key = appendRecordKey(e.key[:0], sku, location)
	rec, fresh, err := e.records.make(e.key)
	if err != nil {
		return nil, err
	}
	e.records.touch(rec)
	if fresh {
		net, _, err := e.networks.make([]byte(sku))
		if err != nil {
			return nil, err
		}
		e.networks.touch(net)
		net.value.locations++
	}
	return rec, nil
}

// reference applies d to the reservation, ASN or transfer that it names, if its kind has one.
func (e *Engine) reference(rec *item[record], d *inventory.Delta) error {
	class := ledger.Class(0)
	switch d.Kind {
	case inventory.Reserve, inventory.Release, inventory.Ship:
		class = ledger.Reservation
	case inventory.ASN, inventory.Receipt:
		class = ledger.Inbound
	case inventory.TransferIn:
		class = ledger.InTransit
	case inventory.TransferOut:
		there, err := e.record(d.SKU, d.Counterparty)
		if err != nil {
			return err
		}
		rec, class = there, ledger.InTransit
	default:
		return nil
	}
	tl, err := e.timeline(rec, class, d.Ref)
	if err != nil {
		return err
	}
	e.timelines.touch(tl)
	if tl.value.over(e.horizon()) { // only its timer has still to say so
		tl.value.arrival = detectors.Arrival{}
	}
	opened, effects := tl.value.Timeline.Apply(d, e.meta.watermark, e.horizon(), e.effects[:0])
	if class != ledger.Reservation {
		tl.value.arrival.See(d, tl.value.Due())
		e.about = concern{rec, tl, d.Ref}
	}
	if d.Kind == inventory.Release && opened < 0 {
		e.cancelled = tl.value.Channel()
	}
	e.settle(rec, tl, opened, effects)
	return nil
}

// timeline returns a timeline of a record, which is new where there is none.
func (e *Engine) timeline(rec *item[record], class ledger.Class, ref string) (tl *item[timeline], err error) {
	e.key = appendTimelineKey(e.key[:0], rec.key, class, ref)
	tag := refTag(class, ref)
	fresh := !rec.value.refs.may(tag)
	if fresh {
		tl = e.timelines.create(e.key)
	} else if tl, fresh, err = e.timelines.make(e.key); err != nil {
		return nil, err
	}
	if fresh {
		tl.value.Class = class
		rec.value.refs.add(tag)
	}
	return tl, nil
}

// settle carries what happened on a timeline over to its record, and sees to the timeline's timer. Both are touched.
func (e *Engine) settle(rec *item[record], tl *item[timeline], opened int64, effects []ledger.Effect) {
	e.effects = effects
	switch tl.value.Class {
	case ledger.Reservation:
		rec.value.Reserved += opened
	case ledger.Inbound:
		rec.value.Inbound += opened
	case ledger.InTransit:
		rec.value.InTransit += opened
	}
	for _, effect := range effects {
		rec.value.Consume(effect)
	}
	e.armTimeline(tl)
}

// armTimeline sets the timeline's timer, unless one stands that is not later.
func (e *Engine) armTimeline(tl *item[timeline]) {
	next := tl.value.nextTimer(e.limitsAt(tl.key), e.config.Lateness, e.meta.watermark)
	if next != 0 && (tl.value.TimerAt == 0 || next < tl.value.TimerAt) {
		tl.value.TimerAt = e.setTimer(next, timerTimeline, tl.key)
	}
}

// count counts d in the record's windows, unless it comes too late for them.
func (e *Engine) count(rec *item[record], d *inventory.Delta) {
	mask := seriesOf(d.Kind)
	if mask == 0 {
		return
	}
	if d.Time < e.meta.watermark-e.config.WindowLateness {
		e.meta.counters.WindowLate++
		return
	}
	rec.value.windows.Add(d.Time, e.meta.watermark, mask, d.Quantity)
}

// seriesOf returns the windows that a kind counts in, as a mask.
func seriesOf(k inventory.Kind) uint8 {
	switch k {
	case inventory.Sale:
		return window.Demand.Bit() | window.Sales.Bit()
	case inventory.Reserve:
		return window.Demand.Bit()
	case inventory.Release:
		return window.Cancels.Bit()
	case inventory.Return:
		return window.Returns.Bit()
	case inventory.Adjust:
		return window.Adjustments.Bit()
	case inventory.PickFailed:
		return window.PickFailures.Bit()
	}
	return 0
}
