package stream

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/state"
)

// Store is where a partition is kept. It is a [state.DB]; a simulator puts its faults in between.
type Store interface {
	engine.Store
	Position() (state.Position, bool, error)
	Outputs(yield func(ordinal uint64, value []byte) bool) error
	NewBatch() *state.Batch
	Commit(*state.Batch) error
	BeginCommit(*state.Batch) state.Landing
	BeginFlush() error
}

// Speaker says outputs, each once. It is a [Publisher].
type Speaker interface {
	// Publish takes an output over, in order of ordinals. See Publisher.Publish.
	Publish(ctx context.Context, o Output) error

	// Acked is the ordinal up to which all that Publish took is in its stream.
	Acked() uint64

	// Said is what was found to be said last.
	Said() []Said

	// RejectedSeen is what From.Rejected has to be once everything up to Acked is forgotten.
	RejectedSeen() uint64
}

// PartitionConfig is what a [Partition] is run with.
type PartitionConfig struct {
	Topology  Topology
	Partition int
	Engine    engine.Config // Partition and Partitions are filled in
	Commands  codec.Encoding

	Log   LogView                                               // of the partition
	Speak func(ctx context.Context, from From) (Speaker, error) // finds what was said, and is ready to say more
	Now   func() time.Time                                      // nil: time.Now
}

// Partition is the part of a worker that is neither goroutine nor network: what is applied,
// said and committed, and in which order.
//
// Invariant: state, outbox and position in the store are those of one moment, that at which the last batch to land was
// begun, and every output up to there is in its stream, in the outbox, or both.
//
// What is in memory is bounded whatever a message does: outputs are handed over as it goes, and where it has
// changed or said as much as memory is for, the part of it that is done is committed.
//
// It is for one goroutine. An error of any method but Publish's context is fatal: begin again from
// the store.
type Partition struct {
	config  PartitionConfig
	store   Store
	engine  *engine.Engine
	speaker Speaker
	encoder encoder
	batch   *state.Batch

	leaving departure
	visible committed // in the store

	pending      []Output // said since the last batch was begun
	pendingBytes int      // of them
	said         uint64   // ordinal of the last output
	stored       uint64   // ordinal of the last output that is in the outbox; 0: none is
	last         state.Position

	open      int       // deltas applied since the last batch was begun
	openSince time.Time // when the first of them was
	flushedAt time.Time // when the last batch was begun that is flushed

	// engineBytesMax bounds the engine's cache: half as much again as it is shrunk to after each
	// batch, for what changed stays in it until it is committed.
	engineBytesMax int64
	scratch        []byte
	counts         batchTally
	tally          *tallyBook
}

// OpenPartition takes up a partition where it was left: it checks that the log is the one that
// the state was made from, and hands what may not be published yet to the speaker.
func OpenPartition(ctx context.Context, config PartitionConfig, store Store) (*Partition, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	at, known, err := store.Position()
	if err != nil {
		return nil, err
	}
	stored, from := &at, From{at.LogTime.Time(), at.Rejected}
	if !known {
		stored, from = nil, From{}
	}
	// What is in the outbox may have been stored long before the position's message was.
	err = store.Outputs(func(uint64, []byte) bool { from.Time = time.Time{}; return false })
	if err != nil {
		return nil, err
	}
	if err := CheckLog(ctx, config.Log, config.Topology, config.Partition, stored); err != nil {
		return nil, err
	}
	config.Engine.Partition, config.Engine.Partitions = config.Partition, config.Topology.Partitions
	p := &Partition{
		config:         config,
		store:          store,
		encoder:        encoder{topology: config.Topology, partition: config.Partition, commands: config.Commands},
		last:           at,
		engineBytesMax: config.Engine.CacheBytes * 3 / 2,
		counts:         batchTally{rare: newTally()},
		tally:          &tallyBook{all: newTally()},
	}
	if p.engine, err = engine.New(config.Engine, store); err != nil {
		return nil, err
	}
	if p.speaker, err = config.Speak(ctx, from); err != nil {
		return nil, err
	}
	if err := CheckSaid(ctx, config.Log, config.Topology, config.Partition, p.speaker.Said()); err != nil {
		return nil, err
	}
	if err := p.publishOutbox(ctx); err != nil {
		return nil, err
	}
	p.batch = store.NewBatch()
	p.visible = p.now()
	p.flushedAt = config.Now().Add(-flushEvery * time.Duration(config.Partition) / time.Duration(config.Topology.Partitions))
	return p, nil
}

// publishOutbox hands over what was said before and may not be in its stream yet.
func (p *Partition) publishOutbox(ctx context.Context) error {
	var bad error
	err := p.store.Outputs(func(ordinal uint64, value []byte) bool {
		var o Output
		if o, bad = ParseOutput(ordinal, value); bad == nil {
			p.said, p.stored = ordinal, ordinal
			bad = p.speaker.Publish(ctx, o)
		}
		return bad == nil
	})
	return errors.Join(err, bad)
}

// Position is that of the last message applied, committed or not; Sequence 0: none is. After an Apply no message is
// applied in part.
func (p *Partition) Position() state.Position { return p.last }

// Tally says what was done since the partition was opened, as of the last commit. Any goroutine may ask.
func (p *Partition) Tally() Tally { return p.tally.read() }

// pendingBytesMax bounds what was said since the last batch was begun, and its share of the outbox.
const pendingBytesMax = 16 << 20

// Full reports whether to begin a batch whatever the time.
func (p *Partition) Full() bool { return p.open >= OpenDeltasMax || p.pendingBytes >= pendingBytesMax }

// Crowded reports whether to commit at once, as that alone gives memory back.
func (p *Partition) Crowded() bool { return p.engine.CacheBytes() > p.engineBytesMax }

// full reports whether memory is: within a message, that is all that matters.
func (p *Partition) full() bool { return p.pendingBytes >= pendingBytesMax || p.Crowded() }

// Leftover reports whether there is nothing to commit but that the outbox is empty now.
func (p *Partition) Leftover() bool {
	return p.open == 0 && !p.leaving.underway && p.stored > 0 && p.speaker.Acked() >= p.stored
}

// Apply takes in a fetch, the next of the log, and says what follows from it. Where the position is within a message,
// that message is the first, and its items that are done are passed over.
func (p *Partition) Apply(ctx context.Context, f *Fetch) error {
	bad := f.Batch.Bad
	for i := range f.Messages {
		m := &f.Messages[i]
		for index := p.engine.Done(m.Sequence); index < m.Count; index++ {
			for len(bad) > 0 && bad[0].Index < m.First+index {
				bad = bad[1:]
			}
			if err := p.apply(ctx, f, m, index, bad); err != nil {
				return err
			}
		}
		if m.Control {
			if err := p.decide(m); err != nil {
				return err
			}
		}
		if err := p.say(ctx, f, m); err != nil {
			return err
		}
		if i < len(f.Messages)-1 && p.full() {
			p.last = m.position()
			if err := p.Commit(); err != nil {
				return err
			}
		}
	}
	p.last = f.Messages[len(f.Messages)-1].position()
	if p.open == 0 {
		p.openSince = p.config.Now()
	}
	p.open += max(len(f.Batch.Deltas), 1) // a message without deltas is to be committed, too
	return nil
}

// decide takes in a message that holds no deltas, but what somebody decided.
func (p *Partition) decide(m *Message) error {
	at := engine.At{Sequence: m.Sequence, LogTime: m.Time}
	message, bad := control.Parse(m.Data)
	if bad != nil {
		p.counts.control("", p.engine.Reject(at, bad))
		return nil
	}
	result, err := p.engine.Control(at, &message)
	if err != nil {
		return err
	}
	p.counts.control(message.Kind(), result)
	return nil
}

// apply takes in one item of a message; bad begins with it, or with a later one. What it says is handed over now and then.
func (p *Partition) apply(ctx context.Context, f *Fetch, m *Message, index int, bad []codec.Bad) error {
	at := engine.At{Sequence: m.Sequence, Index: index, LogTime: m.Time}
	d := &f.Batch.Deltas[m.First+index]
	var result engine.Result
	if len(bad) > 0 && bad[0].Index == m.First+index {
		result = p.engine.Reject(at, bad[0].Err)
	}
	for result.Outcome == engine.Unfinished {
		var err error
		if result, err = p.engine.Step(at, d); err != nil {
			return err
		}
		if result.Outcome == engine.Unfinished {
			if err := p.relieve(ctx, f, m); err != nil {
				return err
			}
		}
	}
	p.counts.result(d, result)
	if len(p.engine.Outputs()) >= unsaidMax || (index+1)%itemsMax == 0 {
		return p.relieve(ctx, f, m)
	}
	return nil
}

// unsaidMax is how many outputs of a message wait for its end, itemsMax how many items go by before memory is looked at.
const (
	unsaidMax = 1024
	itemsMax  = 1024
)

// relieve gives memory back within a message: it says what there is to say, and commits where that is not enough.
func (p *Partition) relieve(ctx context.Context, f *Fetch, m *Message) error {
	if err := p.say(ctx, f, m); err != nil || !p.full() {
		return err
	}
	p.last = m.position()
	p.last.Within = true
	return p.Commit()
}

// say publishes what the engine said about m, before it is durable: a replay makes the
// same outputs with the same ordinals, and the publisher knows which are out.
func (p *Partition) say(ctx context.Context, f *Fetch, m *Message) error {
	outputs := p.engine.Outputs()
	if len(outputs) == 0 {
		return nil
	}
	for i := range outputs {
		o, err := p.encoder.encode(&outputs[i], f, m)
		if err != nil {
			return err
		}
		p.counts.output(&outputs[i])
		p.pending, p.said = append(p.pending, o), o.Ordinal
		p.pendingBytes += o.size()
		if err := p.speaker.Publish(ctx, o); err != nil {
			return err
		}
	}
	p.engine.ClearOutputs()
	return nil
}

// Close waits for a batch that is being committed, and gives memory back. The store and the speaker are their owners' to close.
func (p *Partition) Close() error {
	if p.leaving.landing != nil {
		// Whether it came to anything shows when the partition is opened again.
		_, _ = p.leaving.landing(true)
	}
	return p.batch.Close()
}
