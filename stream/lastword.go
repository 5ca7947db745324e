package stream

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// clockDifferenceMax is how far the clocks of two nodes of a server may be apart.
const clockDifferenceMax = time.Minute

// lastWord finds the last thing that a partition said in one stream, as the leader of
// that stream has it.
type lastWord struct {
	log       OutputLog
	filter    string // matches the partition's outputs; "" where no subject names it
	all       string // matches the outputs of all partitions
	partition int

	// since and sequence bound the search where it has to read one message after the
	// other. sequence is that of the last message known: of the partition's where there
	// is a filter, else of all. While it is 0, the search begins at since.
	since    time.Time
	sequence uint64

	cause string // of the output that was found last; "" where none was, or it has none
}

// find returns the greatest ordinal of the partition after sequence, 0 where there is
// none, and moves sequence on.
func (w *lastWord) find(ctx context.Context) (ordinal uint64, err error) {
	filter := w.filter
	if filter == "" {
		filter = w.all
	}
	last, found, err := w.log.Last(ctx, filter)
	if err != nil {
		return 0, err
	}
	if !found {
		w.sequence = 0 // nothing there, or retention took it
		return 0, nil
	}
	if last.Sequence < w.sequence {
		w.sequence = 0 // the stream was made anew
	}
	partition, ordinal, ok := parseOutputName(last.Output)
	switch {
	case ok && partition == w.partition:
		w.cause = last.Cause
	case last.Sequence == w.sequence, last.Time.Before(w.since):
		ordinal = 0
	default: // another partition's, or somebody else's
		ordinal = 0
		err := w.log.Scan(ctx, filter, w.sequence, w.since, last.Sequence, func(m StoredOutput) {
			if p, n, ok := parseOutputName(m.Output); ok && p == w.partition {
				if n > ordinal {
					ordinal, w.cause = n, m.Cause
				}
			}
		})
		if err != nil {
			return 0, err
		}
	}
	w.sequence = last.Sequence
	return ordinal, nil
}

// outputName is the value of HeaderOutput.
func outputName(partition int, ordinal uint64) string {
	return strconv.Itoa(partition) + "-" + strconv.FormatUint(ordinal, 10)
}

func parseOutputName(name string) (partition int, ordinal uint64, ok bool) {
	first, second, _ := strings.Cut(name, "-")
	p, err := strconv.ParseUint(first, 10, 31)
	if err != nil {
		return 0, 0, false
	}
	ordinal, err = strconv.ParseUint(second, 10, 64)
	return int(p), ordinal, err == nil && ordinal > 0
}
