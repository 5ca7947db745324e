package stream

import (
	"maps"
	"sync"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Tally says what was done since the process started. A delta that is applied again
// after a crash counts again: what holds for ever is in engine.Counters.
//
// Read = Σ Applied + Σ Controls + Duplicates + Σ Rejected, always.
type Tally struct {
	Read       uint64
	Applied    map[inventory.Kind]uint64
	Controls   map[control.Kind]uint64 // messages that hold no delta, applied
	Duplicates uint64
	Rejected   map[inventory.Reason]uint64
	Decisions  map[DecisionKind]uint64
	Commands   map[CommandKind]uint64
}

// DecisionKind is what decisions are counted by.
type DecisionKind struct {
	Class    inventory.Class
	Decision string // open, change, resolve, approve, …; "refused" for a person's that changed nothing
}

// CommandKind is what commands are counted by.
type CommandKind struct {
	Class  inventory.Class
	Action inventory.Action
}

func newTally() Tally {
	return Tally{
		Applied:   map[inventory.Kind]uint64{},
		Controls:  map[control.Kind]uint64{},
		Rejected:  map[inventory.Reason]uint64{},
		Decisions: map[DecisionKind]uint64{},
		Commands:  map[CommandKind]uint64{},
	}
}

// Add adds what other counted to t.
func (t *Tally) Add(other *Tally) {
	t.Read += other.Read
	t.Duplicates += other.Duplicates
	addCounts(t.Applied, other.Applied)
	addCounts(t.Controls, other.Controls)
	addCounts(t.Rejected, other.Rejected)
	addCounts(t.Decisions, other.Decisions)
	addCounts(t.Commands, other.Commands)
}

// Subtract takes away what other counted earlier.
func (t *Tally) Subtract(other *Tally) {
	t.Read -= other.Read
	t.Duplicates -= other.Duplicates
	subtractCounts(t.Applied, other.Applied)
	subtractCounts(t.Controls, other.Controls)
	subtractCounts(t.Rejected, other.Rejected)
	subtractCounts(t.Decisions, other.Decisions)
	subtractCounts(t.Commands, other.Commands)
}

// AppliedTotal is the sum over the kinds, of deltas and of what is none.
func (t *Tally) AppliedTotal() uint64 { return total(t.Applied) + total(t.Controls) }

// RejectedTotal is the sum over the reasons.
func (t *Tally) RejectedTotal() uint64 { return total(t.Rejected) }

func addCounts[K comparable](to, from map[K]uint64) {
	for k, n := range from {
		to[k] += n
	}
}

func subtractCounts[K comparable](from, counts map[K]uint64) {
	for k, n := range counts {
		if from[k] -= n; from[k] == 0 {
			delete(from, k)
		}
	}
}

func total[K comparable](counts map[K]uint64) (sum uint64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// tallyBook is the tally of one partition: its worker writes once a batch, anybody
// reads.
type tallyBook struct {
	mu  sync.Mutex
	all Tally
}

// read returns a copy of what has been counted.
func (b *tallyBook) read() Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.all
	t.Applied = maps.Clone(t.Applied)
	t.Controls = maps.Clone(t.Controls)
	t.Rejected = maps.Clone(t.Rejected)
	t.Decisions = maps.Clone(t.Decisions)
	t.Commands = maps.Clone(t.Commands)
	return t
}

// batchTally counts one batch without a lock and, for what is frequent, without a map.
type batchTally struct {
	read, duplicates uint64
	applied          [32]uint64 // by kind; kinds are below 32
	rare             Tally      // rejections, decisions, commands
}

func (b *batchTally) result(d *inventory.Delta, r engine.Result) {
	if r.Outcome == engine.Applied {
		b.read++
		b.applied[d.Kind%32]++
		return
	}
	b.control("", r)
}

// control counts what became of a message that holds no delta.
func (b *batchTally) control(kind control.Kind, r engine.Result) {
	b.read++
	switch r.Outcome {
	case engine.Applied:
		b.rare.Controls[kind]++
	case engine.Duplicate:
		b.duplicates++
	case engine.Rejected:
		b.rare.Rejected[r.Invalid.Reason]++
	}
}

func (b *batchTally) output(o *engine.Output) {
	switch {
	case o.Decision != nil:
		kind := DecisionKind{o.Decision.Class, o.Decision.Decision}
		if o.Decision.Refused != "" {
			kind.Decision = "refused"
		}
		b.rare.Decisions[kind]++
	case o.Command != nil:
		b.rare.Commands[CommandKind{o.Command.Class, o.Command.Action}]++
	}
}

// moveTo adds the batch's counts to the book and empties the batch.
func (b *batchTally) moveTo(book *tallyBook) {
	book.mu.Lock()
	defer book.mu.Unlock()
	book.all.Read += b.read
	book.all.Duplicates += b.duplicates
	for kind, n := range b.applied {
		if n > 0 {
			book.all.Applied[inventory.Kind(kind)] += n
		}
	}
	book.all.Add(&b.rare)
	b.read, b.duplicates = 0, 0
	clear(b.applied[:])
	clear(b.rare.Controls)
	clear(b.rare.Rejected)
	clear(b.rare.Decisions)
	clear(b.rare.Commands)
}
