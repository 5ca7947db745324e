package doctor

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/stream"
)

// apartMax is how far apart in time outputs may be stored that a partition said one after the other: those that are not urgent wait
// for more, and each stream has a publisher of its own. What is within it of where a stream begins is not missed.
const apartMax = 5 * time.Minute

// sayAgain is what can be done about outputs that are gone. A partition that is built anew says all again, and its streams take
// what is after the last that they have.
const sayAgain = "restore the stream from a backup; or, where the log is whole, purge the streams of outputs and move the folders of all partitions aside: the log says all again"

// heard is what was read of the streams of outputs. A partition numbers what it says over all four of them, so a number that is in
// none, among those that all four should still have, was lost, even where a whole stream is gone and the others go on.
type heard struct {
	parts map[int][]output
	empty []string  // streams
	known time.Time // what was stored after it is still there and was read; zero: all was
	part  bool      // a stream could not be read, so nothing is said about what is missing
}

type output struct {
	ordinal uint64
	stored  time.Time
}

// readOutputs reads as much of a stream of outputs, up to its end, as of a partition's files.
func (e *examination) readOutputs(ctx context.Context, r stream.StreamReport) error {
	h := &e.heard
	if h.parts == nil {
		h.parts = map[int][]output{}
	}
	if r.Messages == 0 {
		h.empty = append(h.empty, r.Name)
	}
	if age := e.Topology.OutputMaxAge; age > 0 {
		h.since(time.Now().Add(-age))
	}
	from := newest(r.Last, r.Bytes/max(r.Messages, 1), e.SampleBytes)
	begun := from <= max(r.First, 1) && (r.First <= 1 || e.Topology.OutputMaxBytes == 0) // nothing was before that is not read, but what was purged or too old
	err := e.Topology.ReadOutputs(ctx, e.JS, r.Name, from, func(partition int, ordinal uint64, stored time.Time) {
		if !begun {
			begun = true
			h.since(stored)
		}
		h.parts[partition] = append(h.parts[partition], output{ordinal, stored})
	})
	h.part = h.part || err != nil
	return err
}

func (h *heard) since(begin time.Time) {
	if begin = begin.Add(apartMax); begin.After(h.known) {
		h.known = begin
	}
}

// missing returns how many of a partition's outputs up to last should be in the streams and are not, and the first of them.
func (h *heard) missing(p int, last uint64) (first, missing uint64) {
	if h.part {
		return 0, 0
	}
	said := h.parts[p]
	slices.SortFunc(said, func(a, b output) int { return cmp.Compare(a.ordinal, b.ordinal) })
	next := uint64(1)
	if !h.known.IsZero() {
		next = last + 1
		for _, s := range said { // from the first on that was stored late enough, and with it all after it
			switch {
			case !s.stored.After(h.known):
				next = last + 1
			case next == last+1:
				next = s.ordinal
			}
		}
	}
	miss := func(from, to uint64) { // to is not missing
		if from < to && missing == 0 {
			first = from
		}
		missing += to - min(from, to)
	}
	for _, s := range said {
		if s.ordinal > last {
			break
		}
		if s.ordinal >= next {
			miss(next, s.ordinal)
			next = s.ordinal + 1
		}
	}
	miss(next, last+1)
	return first, missing
}

// emptied names the streams that have nothing.
func (h *heard) emptied() string {
	if len(h.empty) == 0 {
		return ""
	}
	return ", and there is nothing in " + strings.Join(h.empty, " and ")
}
