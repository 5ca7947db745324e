package faultsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/dedupe"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// mutants are mistakes that the code could make, each of which a run has to notice.
var mutants = map[string]*mutant{
	"the position is written outside the batch": {onStore: func(o *owner, s stream.Store) stream.Store {
		return positionFirst{s, o}
	}},
	"a replay says again what was said": {onOutputs: func(l stream.OutputLog) stream.OutputLog {
		return forgetful{l}
	}},
	"nobody looks what was said about": {onOutputs: func(l stream.OutputLog) stream.OutputLog {
		return unquestioning{l}
	}},
	"a publisher does not say what it follows": {onOutputs: func(l stream.OutputLog) stream.OutputLog {
		return careless{l}
	}},
	"known ids are lost at a restart": {onStore: func(_ *owner, s stream.Store) stream.Store {
		return hidden{s, dedupe.Prefixes()}
	}},
	"duplicates are applied": {onDecoded: func(o *owner, f *stream.Fetch) {
		for i := range f.Batch.Deltas {
			f.Batch.Deltas[i].ID += fmt.Sprint(" at ", o.at.Sequence, i)
		}
	}},
	"timers are lost at a restart": {onStore: func(_ *owner, s stream.Store) stream.Store {
		return hidden{s, []byte{timer.Prefix}}
	}},
	"who waits to be told of is forgotten at a restart": {onStore: func(_ *owner, s stream.Store) stream.Store {
		return hidden{s, []byte{'q'}}
	}},
	"a count is applied when it arrives": {onDecoded: func(o *owner, f *stream.Fetch) {
		status, err := engine.ReadStatus(o.db)
		if err != nil {
			return
		}
		for i := range f.Batch.Deltas {
			if d := &f.Batch.Deltas[i]; d.Kind == inventory.Count {
				d.Time = max(d.Time, status.Watermark)
			}
		}
	}},
	"a publisher that was silent for long does not look again": {noClock: true},
	"the outbox is not published": {onStore: func(_ *owner, s stream.Store) stream.Store {
		return noOutbox{s}
	}},
	"an output is taken for stored when it is sent": {onSpeaker: func(s stream.Speaker) stream.Speaker {
		return &hasty{Speaker: s}
	}},
	"the fingerprint is not compared": {onLog: func(l stream.LogView) stream.LogView {
		return blind{l}
	}},
	"a commit is lost": {onStore: func(_ *owner, s stream.Store) stream.Store {
		return &lossy{Store: s}
	}},
	"a message that is applied in part is taken for whole": {onStore: func(_ *owner, s stream.Store) stream.Store {
		return whole{s}
	}},
	"a failed read is taken for nothing there": {onStore: func(_ *owner, s stream.Store) stream.Store {
		return smooth{s}
	}},
}

// positionFirst makes the position durable before the rest of its batch, as if it were a file of its own.
type positionFirst struct {
	stream.Store
	owner *owner
}

func (s positionFirst) Commit(b *state.Batch) error {
	if s.owner.disk.sound() {
		first := s.NewBatch()
		defer first.Close()
		if err := errors.Join(first.SetPosition(s.owner.at), s.Store.Commit(first), s.owner.db.Flush()); err != nil {
			return err
		}
	}
	return s.Store.Commit(b)
}

// hidden finds no key that begins with one of the prefixes.
type hidden struct {
	stream.Store
	prefixes []byte
}

func (s hidden) Get(key []byte) ([]byte, error) {
	if len(key) > 0 && bytes.IndexByte(s.prefixes, key[0]) >= 0 {
		return nil, nil
	}
	return s.Store.Get(key)
}

func (s hidden) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	if len(lower) > 0 && bytes.IndexByte(s.prefixes, lower[0]) >= 0 {
		return nil
	}
	return s.Store.Scan(lower, upper, yield)
}

type noOutbox struct{ stream.Store }

func (noOutbox) Outputs(func(uint64, []byte) bool) error { return nil }

// lossy commits all but every seventh batch.
type lossy struct {
	stream.Store
	n int
}

func (s *lossy) Commit(b *state.Batch) error {
	if s.n++; s.n%7 == 0 {
		return nil
	}
	return s.Store.Commit(b)
}

// whole says of every position that its message is in the state as a whole.
type whole struct{ stream.Store }

func (s whole) Commit(b *state.Batch) error {
	if err := s.Store.Commit(b); err != nil {
		return err
	}
	at, known, err := s.Position()
	if err != nil || !known || !at.Within {
		return err
	}
	at.Within = false
	b.Reset()
	return errors.Join(b.SetPosition(at), s.Store.Commit(b))
}

type smooth struct{ stream.Store }

func (s smooth) Get(key []byte) ([]byte, error) {
	value, err := s.Store.Get(key)
	if errors.Is(err, errDisk) {
		return nil, nil
	}
	return value, err
}

// forgetful has no last message and refuses nothing.
type forgetful struct{ stream.OutputLog }

func (forgetful) Last(context.Context, string) (stream.StoredOutput, bool, error) {
	return stream.StoredOutput{}, false, nil
}

func (l forgetful) Send(ctx context.Context, group []*nats.Msg) (*jetstream.PubAck, error) {
	return careless(l).Send(ctx, group)
}

// unquestioning tells of no output what it is about.
type unquestioning struct{ stream.OutputLog }

func (l unquestioning) Last(ctx context.Context, filter string) (stream.StoredOutput, bool, error) {
	last, found, err := l.OutputLog.Last(ctx, filter)
	last.Cause = ""
	return last, found, err
}

func (l unquestioning) Scan(ctx context.Context, filter string, after uint64, since time.Time, end uint64, visit func(stream.StoredOutput)) error {
	return l.OutputLog.Scan(ctx, filter, after, since, end, func(m stream.StoredOutput) {
		m.Cause = ""
		visit(m)
	})
}

// careless sends without what the stream would refuse a group by.
type careless struct{ stream.OutputLog }

func (l careless) Send(ctx context.Context, group []*nats.Msg) (*jetstream.PubAck, error) {
	group[0].Header.Del(headerAfterSubject)
	group[0].Header.Del(jetstream.MsgIDHeader)
	return l.OutputLog.Send(ctx, group)
}

type hasty struct {
	stream.Speaker
	given uint64
}

func (s *hasty) Publish(ctx context.Context, o stream.Output) error {
	s.given = o.Ordinal
	return s.Speaker.Publish(ctx, o)
}

func (s *hasty) Acked() uint64 { return s.given }

// blind tells every message's time and bytes as the ones that were applied: there is only the end to go by.
type blind struct{ stream.LogView }

func (l blind) Message(context.Context, uint64) ([]byte, int64, bool, error) {
	return nil, 0, false, nil
}
