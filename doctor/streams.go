package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/stream"
)

// The broker's clock is what event time is held against.
const (
	skewWarning = 5 * time.Second
	skewFailed  = time.Duration(engine.DefaultAheadMax) * time.Millisecond
)

// streams looks at the streams and at the broker's clock.
func (e *examination) streams(ctx context.Context) {
	if e.JS == nil {
		e.add("streams", e.Topology.Prefix, Failed, "start the broker, or name it with --nats", "they could not be asked: %v", e.NoBroker)
		return
	}
	reports, ahead, err := e.Topology.Inspect(ctx, e.JS)
	if err != nil {
		e.add("streams", e.Topology.Prefix, Failed, "start with the number of partitions that it was made with, or name the right broker with --nats", "%v", err)
		return
	}
	e.asked = true
	wrong, missing := 0, 0
	var messages, bytes uint64
	for i, r := range reports {
		messages, bytes = messages+r.Messages, bytes+r.Bytes
		if i < len(e.parts) && r.Last+1 >= r.First && r.First > 0 || r.Err == nil && i < len(e.parts) {
			e.parts[i].first, e.parts[i].last, e.parts[i].logged = max(r.First, 1), r.Last, true
			e.parts[i].bytesEach = r.Bytes / max(r.Messages, 1)
		}
		if i >= len(e.parts) && r.Err == nil {
			if err := e.readOutputs(ctx, r); err != nil {
				e.add("streams", r.Name, Warning, "restore the stream from a backup or a replica: who reads it does not come past there; holdfast itself runs", "%v", err)
			}
		}
		first := r.First
		if e.Topology.OutputMaxAge == 0 {
			first = 1
		}
		if i >= len(e.parts) && r.Last >= first && r.Last-first+1 > r.Messages {
			e.add("streams", r.Name, OK, "", "%d of messages %d to %d are not there: a repair took them back, or the broker lost them; holdfast needs none of them, but whoever reads it does", r.Last-first+1-r.Messages, first, r.Last)
		}
		if r.Err != nil {
			wrong++
			if r.Last == 0 && r.First == 0 {
				missing++
			}
			e.add("streams", r.Name, Failed, "start holdfast with the stream's own settings; a stream that is gone is made anew at the next start, without what was in it", "%v", r.Err)
		}
	}
	if wrong == 0 {
		e.add("streams", e.Topology.Prefix, OK, "", "%d of them as they have to be, %d messages, %d MiB", len(reports), messages, bytes>>20)
	}
	if missing == len(reports) {
		return // nothing was ever there to have a clock
	}
	wayOut := "set the clocks by NTP: event time is held against the broker's"
	switch skew := ahead.Abs(); {
	case skew >= skewFailed:
		e.add("clock", "broker", Failed, wayOut, "it differs from this machine's by %v: deltas of the one or the other are rejected as future", ahead.Round(time.Millisecond))
	case skew >= skewWarning:
		e.add("clock", "broker", Warning, wayOut, "it differs from this machine's by %v", ahead.Round(time.Millisecond))
	default:
		e.add("clock", "broker", OK, "", "as this machine's, within %v", skew.Round(time.Millisecond)+time.Millisecond)
	}
}

// together holds a partition's state against its log and against the streams of outputs.
func (e *examination) together(ctx context.Context, p int) {
	at := &e.parts[p]
	if !e.asked || !at.logged || ctx.Err() != nil {
		return
	}
	if !at.open && !at.absent {
		e.rebuildable(p)
		return
	}
	from := stream.From{}
	if at.position != nil {
		from.Rejected = at.position.Rejected
	}
	said, err := stream.LastSaid(ctx, e.JS, e.Topology, p, from)
	if err != nil {
		e.addPart(p, "outputs", Failed, "see whether the broker is well", "%v", err)
		return
	}
	orphans := stream.CheckSaidBy(ctx, e.JS, e.Topology, p, said)
	err = stream.CheckPosition(ctx, e.JS, e.Topology, p, at.position)
	switch {
	case errors.Is(err, stream.ErrLogDiffers):
		e.addPart(p, "log", Failed, rebuild, "%v", err)
		e.report.Findings[len(e.report.Findings)-1].TakeBack = orphans != nil
		e.report.Findings[len(e.report.Findings)-1].Rebuild = true // there may be nothing to move: then the log is not whole either
		e.rebuildable(p)
		return
	case err != nil:
		e.addPart(p, "log", Failed, "see whether the broker is well", "%v", err)
		return
	case at.last < at.first && at.position == nil:
		e.addPart(p, "log", OK, "", "it is empty, and nothing is applied")
	case at.position == nil:
		e.addPart(p, "log", OK, "", "nothing is applied yet of messages %d to %d", at.first, at.last)
	default:
		e.addPart(p, "log", OK, "", "applied up to %d of messages %d to %d, event time %v", at.position.Sequence, at.first, at.last, at.status.Watermark)
	}
	e.readLog(ctx, p)
	if orphans != nil {
		e.addPart(p, "outputs", Failed, takeBack, "%v", orphans)
		e.report.Findings[len(e.report.Findings)-1].TakeBack = true
		return
	}
	if at.open {
		e.outputs(ctx, p, greatest(said))
	}
}

// readLog reads as much of a partition's log, up to its end, as of its files.
func (e *examination) readLog(ctx context.Context, p int) {
	at := &e.parts[p]
	if at.last < at.first {
		return
	}
	from := newest(at.last, at.bytesEach, e.SampleBytes)
	if err := e.Topology.ReadStream(ctx, e.JS, e.Topology.DeltaStream(p), from, true); err != nil {
		e.addPart(p, "log", Failed, restoreLog, "%v", err)
		at.broken = true
		e.rebuildable(p)
	}
}

// newest returns from which sequence on messages come to so many bytes.
func newest(last, bytesEach uint64, bytes int64) uint64 {
	return last + 1 - min(last, uint64(bytes)/max(bytesEach, 1))
}

// rebuildable takes back that a partition can be built from its log where the log no longer begins at its beginning.
func (e *examination) rebuildable(p int) {
	if e.parts[p].first <= 1 && !e.parts[p].broken {
		return
	}
	for i := range e.report.Findings {
		if f := &e.report.Findings[i]; f.Partition == p && f.Rebuild {
			f.Rebuild = false
			f.WayOut = restore
		}
	}
}

// outputs sees whether the streams have what the partition believes that they have.
func (e *examination) outputs(ctx context.Context, p int, last uint64) {
	at := &e.parts[p]
	var err error
	if last < at.stored && at.position != nil && at.position.Rejected > 0 {
		var said []stream.Said
		said, err = stream.LastSaid(ctx, e.JS, e.Topology, p, stream.From{}) // its last may be a rejection from before there
		last = greatest(said)
	}
	first, missing := e.heard.missing(p, at.stored)
	switch {
	case err != nil:
		e.addPart(p, "outputs", Failed, "see whether the broker is well", "%v", err)
	case last < at.stored && (last > 0 || e.Topology.OutputMaxAge == 0): // retention takes the oldest first, and may take all
		e.addPart(p, "outputs", Warning, "where the log is whole, move its folder aside: the log says them again", "the streams end at output %d, it had said %d and %d wait: the streams lost some, and holds may be missing", last, at.said, at.waiting)
	case missing > 0:
		e.addPart(p, "outputs", Warning, sayAgain, "%d outputs of up to %d that it had said are in none of the four streams, the first is %d%s: the streams lost some, and holds may be missing", missing, at.stored, first, e.heard.emptied())
	default:
		e.addPart(p, "outputs", OK, "", "it has said %d, the streams have up to %d, %d wait to be stored", at.said, last, at.waiting)
	}
}

func greatest(said []stream.Said) (ordinal uint64) {
	for _, s := range said {
		ordinal = max(ordinal, s.Ordinal)
	}
	return ordinal
}
