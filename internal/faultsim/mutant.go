package faultsim

import (
	"time"

	"github.com/holdfast-atp/holdfast/stream"
)

// mutant is a mistake that is put between the parts of a partition, to see that a run notices it. None is made
// where it is nil or a field of it is.
type mutant struct {
	onStore   func(o *owner, s stream.Store) stream.Store
	onSpeaker func(s stream.Speaker) stream.Speaker
	onLog     func(l stream.LogView) stream.LogView
	onDecoded func(o *owner, f *stream.Fetch)
	onOutputs func(l stream.OutputLog) stream.OutputLog
	noClock   bool // for a publisher time stands still
}

func (m *mutant) store(o *owner, s stream.Store) stream.Store {
	if m == nil || m.onStore == nil {
		return s
	}
	return m.onStore(o, s)
}

func (m *mutant) speaker(s stream.Speaker) stream.Speaker {
	if m == nil || m.onSpeaker == nil {
		return s
	}
	return m.onSpeaker(s)
}

func (m *mutant) log(l stream.LogView) stream.LogView {
	if m == nil || m.onLog == nil {
		return l
	}
	return m.onLog(l)
}

func (m *mutant) now(c *clock) func() time.Time {
	if m != nil && m.noClock {
		return func() time.Time { return time.Time{} }
	}
	return c.steady
}

func (m *mutant) decoded(o *owner, f *stream.Fetch) {
	if m != nil && m.onDecoded != nil {
		m.onDecoded(o, f)
	}
}

func (m *mutant) outputs(l stream.OutputLog) stream.OutputLog {
	if m == nil || m.onOutputs == nil {
		return l
	}
	return m.onOutputs(l)
}
