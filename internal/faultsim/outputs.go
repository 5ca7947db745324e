package faultsim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/stream"
)

// stored is a message of an output stream.
type stored struct {
	at  time.Time
	msg *nats.Msg
}

// outputStream is the stream of one kind of output, of all partitions. As JetStream's, it stores a group wholly or not
// at all, refuses one that does not come after the message that it says it follows, and knows the ids of the
// latest messages.
type outputStream struct {
	name     string
	clock    *clock
	messages []stored // that of sequence n at n − 1; without a msg: it was deleted
	ids      map[string]int
	late     []late
	refusing int  // groups that are refused before one is taken
	next     verb // what happens to the next group
}

// late is a group that was given up by its sender and is still on its way.
type late struct {
	group []*nats.Msg
	since time.Duration // the clock's past
}

var (
	errRefused  = errors.New("the stream takes nothing at the moment")
	errNoAnswer = errors.New("nobody knows what became of it")
)

// duplicateWindow is for how long ids are known: what the topology asks of its streams.
const duplicateWindow = 2 * time.Minute

// Name of the stream.
func (s *outputStream) Name() string { return s.name }

// Last returns the last message that matches filter.
func (s *outputStream) Last(_ context.Context, filter string) (stream.StoredOutput, bool, error) {
	n := s.last(filter)
	if n == 0 {
		return stream.StoredOutput{}, false, nil
	}
	return s.shown(n), true, nil
}

// Scan calls visit for what matches filter behind a sequence or a time, up to the one at end.
func (s *outputStream) Scan(_ context.Context, filter string, after uint64, since time.Time, end uint64, visit func(stream.StoredOutput)) error {
	for n := int(after) + 1; n <= int(end); n++ {
		m := s.messages[n-1]
		if m.msg != nil && matches(filter, m.msg.Subject) && (after > 0 || !m.at.Before(since)) {
			visit(s.shown(n))
		}
	}
	return nil
}

func (s *outputStream) shown(n int) stream.StoredOutput {
	m := s.messages[n-1]
	return stream.StoredOutput{Sequence: uint64(n), Time: m.at, Output: m.msg.Header.Get(stream.HeaderOutput), Cause: m.msg.Header.Get(stream.HeaderCause)}
}

// Send takes a group in, or does to it what is to happen next.
func (s *outputStream) Send(_ context.Context, group []*nats.Msg) (*jetstream.PubAck, error) {
	if s.refusing > 0 {
		s.refusing--
		return nil, errRefused
	}
	switch s.next {
	case sayLost:
		return nil, errNoAnswer
	case sayLate:
		s.late = append(s.late, late{group, s.clock.past})
		return nil, errNoAnswer
	case sayUnknown:
		_, _ = s.store(group)
		return nil, errNoAnswer
	}
	return s.store(group)
}

// store takes a group in.
func (s *outputStream) store(group []*nats.Msg) (*jetstream.PubAck, error) {
	first := group[0].Header
	if filter := first.Get(headerAfterSubject); filter != "" {
		follows, err := strconv.Atoi(first.Get(headerAfterSequence))
		if err != nil {
			return nil, err
		}
		if last := s.last(filter); last != follows {
			return nil, fmt.Errorf("wrong last sequence: %d", last)
		}
	}
	if id := first.Get(jetstream.MsgIDHeader); id != "" {
		if at := s.ids[id]; at > 0 && s.clock.now.Sub(s.messages[at-1].at) < duplicateWindow {
			if len(group) > 1 {
				return nil, errors.New("the batch has a message that is stored already")
			}
			return &jetstream.PubAck{Stream: s.name, Sequence: uint64(at), Duplicate: true}, nil
		}
		s.ids[id] = len(s.messages) + 1
	}
	for _, msg := range group {
		s.messages = append(s.messages, stored{s.clock.now, msg})
	}
	return &jetstream.PubAck{Stream: s.name, Sequence: uint64(len(s.messages))}, nil
}

// The headers by which a message says after which one of which subjects it comes.
const (
	headerAfterSequence = "Nats-Expected-Last-Subject-Sequence"
	headerAfterSubject  = "Nats-Expected-Last-Subject-Sequence-Subject"
)

// last returns the sequence of the last message that matches filter; 0: none does.
func (s *outputStream) last(filter string) int {
	for n := len(s.messages); n > 0; n-- {
		if m := s.messages[n-1].msg; m != nil && matches(filter, m.Subject) {
			return n
		}
	}
	return 0
}

// of returns the sequences of a partition's messages, in order.
func (s *outputStream) of(partition int) (all []int) {
	for n := range s.messages {
		if m := s.messages[n].msg; m != nil {
			if p, _, err := parseName(m.Header.Get(stream.HeaderOutput)); err == nil && p == partition {
				all = append(all, n+1)
			}
		}
	}
	return all
}

// arrive stores what is late, as far as the stream still takes it. Who sent it hears nothing.
func (s *outputStream) arrive() {
	for _, l := range s.late {
		_, _ = s.store(l.group)
	}
	s.late = nil
}

func matches(filter, subject string) bool {
	if prefix, all := strings.CutSuffix(filter, ">"); all {
		return strings.HasPrefix(subject, prefix)
	}
	return filter == subject
}
