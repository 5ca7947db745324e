package faultsim

import (
	"bytes"
	"context"

	"github.com/holdfast-atp/holdfast/stream"
)

// message is one message of a log.
type message struct {
	data      []byte
	unixNanos int64
	control   bool // it is what somebody decided
}

// deltaLog is the log of one partition.
type deltaLog struct {
	messages []message
	lost     []message // its tail, while that is lost and may come back
}

// append takes a message in.
func (l *deltaLog) append(m message, unixNanos int64) {
	m.unixNanos = unixNanos
	l.messages = append(l.messages, m)
}

// Ends returns the sequences of the first and the last message.
func (l *deltaLog) Ends(context.Context) (first, last uint64, err error) {
	return 1, uint64(len(l.messages)), nil
}

// Message returns one message.
func (l *deltaLog) Message(_ context.Context, sequence uint64) (data []byte, unixNanos int64, ok bool, err error) {
	if sequence == 0 || sequence > uint64(len(l.messages)) {
		return nil, 0, false, nil
	}
	m := l.messages[sequence-1]
	return m.data, m.unixNanos, true, nil
}

// read fills f with up to n messages after sequence, and reports whether there was any. The payloads are f's own.
func (l *deltaLog) read(f *stream.Fetch, sequence uint64, n int) bool {
	f.Reset()
	for ; n > 0 && sequence < uint64(len(l.messages)); n-- {
		m := l.messages[sequence]
		sequence++
		if m.control {
			f.AddControl(sequence, m.unixNanos, bytes.Clone(m.data))
			continue
		}
		f.Add(sequence, m.unixNanos, bytes.Clone(m.data))
	}
	return len(f.Messages) > 0
}

// spoil overwrites what a fetch borrowed, as its memory may be used again: who kept a piece of it shows.
func spoil(f *stream.Fetch) {
	for i := range f.Messages {
		for j := range f.Messages[i].Data {
			f.Messages[i].Data[j] = 0xa5
		}
	}
}
