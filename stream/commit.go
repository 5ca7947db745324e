package stream

import (
	"math"
	"time"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// flushEvery is how often a live partition begins a batch, and flushes it. It bounds what a crash takes from memory,
// and so what a start has to apply again before it comes to what is new. The partitions take turns: all at
// once would stop what they are for.
const flushEvery = 5 * time.Second

// departure is a batch on its way into the store.
type departure struct {
	underway bool
	landing  state.Landing // nil: it is not whole yet, or has landed
	landed   bool          // the store has it, and the engine does not know yet
	flush    bool          // it is to be flushed, too
	made     committed     // what it makes visible
}

// committed is what can be read of a partition.
type committed struct {
	status  engine.Status
	said    uint64           // ordinal of the last output
	logTime inventory.Millis // when the log took in the last message applied; 0: none is
	asOf    time.Time        // when that was all there was
}

// now is what could be read if all that is applied were committed now.
func (p *Partition) now() committed {
	return committed{
		status: engine.Status{
			Watermark: p.engine.Watermark(),
			Sequence:  p.last.Whole(),
			Counters:  p.engine.Counters(),
			Standing:  p.engine.Standing(),
		},
		said:    p.said,
		logTime: p.last.LogTime,
		asOf:    p.config.Now(),
	}
}

// Underway reports whether a batch is on its way, which Step gets there.
func (p *Partition) Underway() bool { return p.leaving.underway }

// Begin begins a batch of all that changed, what may not be published yet, and the position. It goes
// into the store by and by, with each Step, while the partition applies what comes; what that changes is not in it.
// The one before it has landed.
func (p *Partition) Begin() error {
	b := p.batch
	b.Reset()
	now := p.config.Now()
	p.leaving = departure{underway: true, flush: now.Sub(p.flushedAt) >= flushEvery, made: p.now()}
	if p.leaving.flush {
		p.flushedAt = now
	}
	if err := p.engine.Freeze(b, p.land); err != nil {
		return err
	}
	p.last.Rejected = p.speaker.RejectedSeen() // before Acked: what is not seen is not acked
	acked := p.speaker.Acked()
	for i := range p.pending {
		o := &p.pending[i]
		if o.Ordinal <= acked {
			continue
		}
		p.scratch = AppendOutput(p.scratch[:0], o)
		if err := b.PutOutput(o.Ordinal, p.scratch); err != nil {
			return err
		}
		p.stored = o.Ordinal
	}
	clear(p.pending)
	p.pending, p.pendingBytes = p.pending[:0], 0
	if err := b.DeleteOutputs(acked); err != nil {
		return err
	}
	if p.stored <= acked {
		p.stored = 0
	}
	if err := b.SetPosition(p.last); err != nil {
		return err
	}
	p.open = 0
	p.counts.moveTo(p.tally)
	return nil
}

// Step gets the batch on its way on: it writes up to so many values of what changed into it, and lets it be
// committed once they all are.
func (p *Partition) Step(values int) error {
	l := &p.leaving
	switch {
	case !l.underway:
		return nil
	case l.landing == nil && !l.landed:
		whole, err := p.engine.Write(values)
		if whole && err == nil {
			l.landing = p.store.BeginCommit(p.batch)
		}
		return err
	case !l.landed:
		landed, err := l.landing(false)
		if err != nil || !landed {
			return err
		}
	}
	return p.arrived()
}

// Finish gets the batch on its way into the store at once.
func (p *Partition) Finish() error {
	if !p.leaving.underway {
		return nil
	}
	if err := p.land(); err != nil {
		return err
	}
	return p.arrived()
}

// Commit writes all that is applied into the store.
func (p *Partition) Commit() error {
	if err := p.Finish(); err != nil {
		return err
	}
	if err := p.Begin(); err != nil {
		return err
	}
	return p.Finish()
}

// land gets the batch on its way into the store. The engine calls it, too, in the middle of a delta: what
// it has in memory stays as it is.
func (p *Partition) land() (err error) {
	l := &p.leaving
	switch {
	case l.landed:
		return nil
	case l.landing != nil:
		_, err = l.landing(true)
		l.landing = nil
	default:
		if _, err = p.engine.Write(math.MaxInt); err == nil {
			err = p.store.Commit(p.batch)
		}
	}
	l.landed = err == nil
	return err
}

// arrived gives back what was kept until the store had the batch.
func (p *Partition) arrived() error {
	p.engine.Committed()
	p.visible = p.leaving.made
	flush := p.leaving.flush
	p.leaving = departure{}
	if flush {
		return p.store.BeginFlush()
	}
	return nil
}
