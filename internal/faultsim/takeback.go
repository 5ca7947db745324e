package faultsim

import (
	"context"
	"errors"

	"github.com/holdfast-atp/holdfast/stream"
)

// orphan reports whether message n of a stream is about one that the log of its partition has no more.
func (w *world) orphan(s *outputStream, n, partition int) bool {
	said := []stream.Said{{Stream: s.name, Cause: s.messages[n-1].msg.Header.Get(stream.HeaderCause)}}
	return stream.CheckSaid(context.Background(), w.logs[partition], topology, partition, said) != nil
}

// orphaned reports whether the last thing that a partition said in some stream is.
func (w *world) orphaned(partition int) bool {
	for _, s := range w.outputs {
		if all := s.of(partition); len(all) > 0 && w.orphan(s, all[len(all)-1], partition) {
			return true
		}
	}
	return false
}

// takeBack is what a doctor does once everything is stopped: it deletes what was said about messages that the log has
// no more. It takes longer than anything is on its way, and than ids are known.
func (w *world) takeBack(partition int) error {
	var errs []error
	for _, o := range w.owners[partition] {
		if o != nil {
			errs = append(errs, o.close())
		}
	}
	w.pass(2 * duplicateWindow)
	errs = append(errs, w.checkOutputs()) // what arrived at last
	for kind, s := range w.outputs {
		all := s.of(partition)
		for ; len(all) > 0 && w.orphan(s, all[len(all)-1], partition); all = all[:len(all)-1] {
			s.messages[all[len(all)-1]-1].msg = nil
		}
		last := uint64(0)
		if len(all) > 0 {
			_, last, _ = parseName(s.messages[all[len(all)-1]-1].msg.Header.Get(stream.HeaderOutput))
		}
		w.history[partition].last[kind] = last
	}
	return errors.Join(errs...)
}
