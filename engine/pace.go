package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// pace bounds how many exceptions a second a partition tells of as they open, so that a feed gone wrong, which opens a hundred
// thousand at once, does not bury those who read them. What is told later is told once, as it stands then, with all of its history.
//
// Only the telling waits. The exception stands at once, and its holds, releases and the audit trail are said at once: no hold is late
// for the pace. Nor do ends wait behind openings: what was told is ended at once, and what was not is told in its turn, ended.
//
// Seconds are the log's own: a replay waits at the same places. They are counted as by a leaky bucket (ITU-T I.371): each
// exception takes the time that it has at an even pace, and time that goes by gives it back. Where the log's clock is set back, none goes by.
//
// Invariant: the exceptions from first to last, each of which has a turn that names the next, are those that were told to
// wait and whose turn has not come, in the order in which they opened; waiting of them are unsaid.
type pace struct {
	at          inventory.Millis // the log's time, when one was told of or had to wait last
	taken       int64            // µs, as of then
	waiting     uint64           // exceptions that stand or ended, and are not told of
	deferred    uint64           // exceptions that ever waited
	first, last string           // exception ids; "" where none wait

	changed bool // since the last freeze. Not stored
}

// turn is an exception's place in the line of those that wait to be told of.
type turn struct {
	Unsaid bool   `json:"unsaid,omitempty"` // false: somebody decided about it, so it was told of before its turn
	Next   string `json:"next,omitempty"`   // exception id; "": it is the last
}

// take reports whether one may be told now, and counts it. A log that does not say when it took something in sets no pace.
func (p *pace) take(now inventory.Millis, rule *policy.Policy) bool {
	if now == 0 {
		return true
	}
	each := 1_000_000 / rule.ExceptionsPerSecond
	full := each * rule.ExceptionsAtOnce
	taken := max(min(p.taken, full)-1000*int64(max(now-p.at, 0)), 0) // it may have been another policy's
	free := taken+each <= full
	if free {
		taken += each
	}
	p.changed = p.changed || now != p.at || taken != p.taken
	p.at, p.taken = now, taken
	return free
}

// announce tells of an exception that opened, which is touched, or has it wait.
func (e *Engine) announce(it *item[exception]) error {
	p := &e.pace
	if p.first == "" && p.take(e.logTime, e.policy) {
		e.sayException(&it.value.Exception)
		return nil
	}
	if p.first == "" {
		p.first = it.key
	} else {
		before, err := e.mustException(p.last)
		if err != nil {
			return err
		}
		e.exceptions.touch(before)
		before.value.Turn = &turn{before.value.Turn.Unsaid, it.key}
	}
	it.value.Turn = &turn{Unsaid: true}
	p.last = it.key
	p.waiting++
	p.deferred++
	p.changed = true
	return nil
}

// ToldPerDelta is how many exceptions that waited are told of with each delta at most, so that what a step says stays small.
const ToldPerDelta = sliceOutputs

// sayDeferred tells of those whose turn has come.
func (e *Engine) sayDeferred() error {
	p := &e.pace
	for n := 0; n < ToldPerDelta && p.first != ""; n++ {
		it, err := e.mustException(p.first)
		if err != nil {
			return err
		}
		of := it.value.Turn
		if of == nil {
			return fmt.Errorf("exception %s waits to be told of, and has no turn", it.key)
		}
		if of.Unsaid && !p.take(e.logTime, e.policy) {
			return nil
		}
		e.exceptions.touch(it)
		it.value.Turn = nil
		if of.Unsaid {
			p.waiting--
			e.sayException(&it.value.Exception)
		}
		if p.first = of.Next; p.first == "" {
			p.last = ""
		}
		p.changed = true
	}
	return nil
}

// sayChange tells of a change of an exception, which is touched. One that waits has it told in its turn, but for what a
// person did, who is to see it.
func (e *Engine) sayChange(it *item[exception], by string) {
	if of := it.value.Turn; of != nil && of.Unsaid {
		if by == byHoldfast {
			return
		}
		it.value.Turn = &turn{Next: of.Next}
		e.pace.waiting--
		e.pace.changed = true
	}
	e.sayException(&it.value.Exception)
}

// flush writes the pace where it changed.
func (p *pace) flush(w Writer) error {
	if !p.changed {
		return nil
	}
	p.changed = false
	return w.Set([]byte{keyPace}, p.append(nil))
}

func (p *pace) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatPace)
	dst = wire.AppendInt(dst, p.at)
	dst = wire.AppendInt(dst, p.taken)
	dst = wire.AppendUint(dst, p.waiting)
	dst = wire.AppendUint(dst, p.deferred)
	dst = wire.AppendString(dst, p.first)
	return wire.AppendString(dst, p.last)
}

func readPace(store Store) (pace, error) {
	var p pace
	coded, err := store.Get([]byte{keyPace})
	if err != nil || coded == nil {
		return p, err
	}
	r := wire.NewReader(coded)
	r.Version(formatPace)
	p.at, p.taken = inventory.Millis(r.Int()), r.Int()
	p.waiting, p.deferred = r.Uint(), r.Uint()
	p.first, p.last = r.String(), r.String()
	if err := r.Done(); err != nil {
		return p, fmt.Errorf("read the pace of exceptions: %w", err)
	}
	return p, nil
}
