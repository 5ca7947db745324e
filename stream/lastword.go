package stream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// clockDifferenceMax is how far the clocks of two nodes of a server may be apart.
const clockDifferenceMax = time.Minute

// lastWord finds the last thing that a partition said in one stream, as the leader of
// that stream has it.
type lastWord struct {
	js        jetstream.JetStream
	stream    string
	filter    string // matches the partition's outputs; "" where no subject names it
	all       string // matches the outputs of all partitions
	partition int

	// since and sequence bound the search where it has to read one message after the
	// other. sequence is that of the last message known: of the partition's where there
	// is a filter, else of all. While it is 0, the search begins at since.
	since    time.Time
	sequence uint64
}

// find returns the greatest ordinal of the partition after sequence, 0 where there is
// none, and moves sequence on.
func (w *lastWord) find(ctx context.Context) (ordinal uint64, err error) {
	filter := w.filter
	if filter == "" {
		filter = w.all
	}
	last, err := leaderGet(ctx, w.js, w.stream, map[string]any{"last_by_subj": filter})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		w.sequence = 0 // nothing there, or retention took it
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if last.Sequence < w.sequence {
		w.sequence = 0 // the stream was made anew
	}
	partition, ordinal, ok := parseOutputName(last.header.Get(HeaderOutput))
	switch {
	case ok && partition == w.partition:
	case last.Sequence == w.sequence, last.Time.Before(w.since):
		ordinal = 0
	default: // another partition's, or somebody else's
		if ordinal, err = w.read(ctx, filter, last.Sequence); err != nil {
			return 0, err
		}
	}
	w.sequence = last.Sequence
	return ordinal, nil
}

// read reads what matches filter up to the message at end, which is there, and returns
// the partition's greatest ordinal.
func (w *lastWord) read(ctx context.Context, filter string, end uint64) (greatest uint64, err error) {
	from := jetstream.ConsumerConfig{
		FilterSubject: filter,
		HeadersOnly:   true,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		Description:   fmt.Sprintf("holdfast looks for the last output of partition %d", w.partition),
	}
	switch {
	case w.sequence > 0:
		from.DeliverPolicy, from.OptStartSeq = jetstream.DeliverByStartSequencePolicy, w.sequence+1
	case !w.since.IsZero():
		from.DeliverPolicy, from.OptStartTime = jetstream.DeliverByStartTimePolicy, &w.since
	}
	err = scan(ctx, w.js, w.stream, from, end, func(_ uint64, msg jetstream.Msg) (bool, error) {
		if p, ordinal, ok := parseOutputName(msg.Headers().Get(HeaderOutput)); ok && p == w.partition {
			greatest = max(greatest, ordinal)
		}
		return true, nil
	})
	return greatest, err
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
