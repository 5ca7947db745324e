package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Explain looks a decision up: by the id of a command, of an exception (then it is the decision to open it), or of the decision itself.
// Nothing is decided anew: the audit trail says what was decided on which figures, and the log what tipped it. ErrNotFound
// where the id is nobody's, or retention took all that was said about it.
func (p *Processor) Explain(ctx context.Context, id string) (inventory.Explanation, error) {
	var all inventory.Explanation
	cause, ok := parseID(id)
	if !ok || cause.Partition >= len(p.slots) {
		return all, fmt.Errorf("id %q: %w", id, ErrNotFound)
	}
	p.hush(ctx, cause.Partition)
	e := explainer{js: p.js, topology: p.config.Topology, id: id, cause: cause}
	var err error
	if all.Tipped, err = e.tipped(ctx); err != nil {
		return all, err
	}
	if all.Decision, err = e.decision(ctx, all.Tipped.StoredAt); err != nil {
		return all, err
	}
	if id[0] != 'x' && id[0] != 'a' {
		if all.Command, err = e.command(ctx, all.Tipped.StoredAt); err != nil {
			return all, err
		}
	}
	if all.Decision == nil && all.Command == nil {
		return all, fmt.Errorf("id %q: %w", id, ErrNotFound)
	}
	about := ""
	if all.Decision != nil {
		about = all.Decision.Exception
	} else {
		about = all.Command.Exception
	}
	x, err := p.Exception(about)
	switch {
	case err == nil:
		all.Exception = &x
	case !errors.Is(err, ErrNotFound):
		return all, err
	}
	return all, nil
}

// hushMax bounds how long an explanation waits for what was said to be in its streams.
const hushMax = 2 * time.Second

// hush waits until all that a partition said by now is in its streams: decisions gather for a while before they are stored.
// Where that can't be, what is there has to do.
func (p *Processor) hush(ctx context.Context, partition int) {
	s := &p.slots[partition]
	if s.publisher == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hushMax)
	defer cancel()
	s.progress.fresh(ctx)
	_ = s.publisher.Wait(ctx, s.progress.lastSaid())
}

// parseID reads an id of the engine's: of a command, "x…" of an exception, "a…" of a decision.
func parseID(id string) (inventory.Cause, bool) {
	var c inventory.Cause
	parts := strings.Split(strings.TrimLeft(id, "ax"), "-")
	if len(parts) != 4 {
		return c, false
	}
	partition, err := strconv.ParseUint(parts[0], 10, 16)
	if err != nil {
		return c, false
	}
	if c.Sequence, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return c, false
	}
	index, err := strconv.ParseUint(parts[2], 10, 31)
	c.Partition, c.Index = int(partition), int(index)
	return c, err == nil
}

// explainer looks for what was said under one cause.
type explainer struct {
	js       jetstream.JetStream
	topology Topology
	id       string
	cause    inventory.Cause
}

// tipped returns what stands in the log at the cause.
func (e *explainer) tipped(ctx context.Context) (inventory.Tipped, error) {
	t := inventory.Tipped{Cause: e.cause}
	msg, err := leaderGet(ctx, e.js, e.topology.DeltaStream(e.cause.Partition), map[string]any{"seq": e.cause.Sequence})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Gone = "the log does not hold it any more: it is older than what is kept (--retention)"
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.StoredAt = inventory.MillisOf(msg.Time)
	if msg.Subject == e.topology.ControlSubject(e.cause.Partition) {
		t.Message = msg.Data
		if !json.Valid(msg.Data) {
			t.Message, t.Gone = nil, "what stands there is no message that a person sent"
		}
		return t, nil
	}
	var b codec.Batch
	b.DecodeMessage(msg.Data)
	if e.cause.Index >= len(b.Deltas) || slices.ContainsFunc(b.Bad, func(bad codec.Bad) bool { return bad.Index == e.cause.Index }) {
		t.Gone = "what stands there is no delta: the log is another one"
		return t, nil
	}
	t.Delta = codec.AppendDeltaJSON(nil, &b.Deltas[e.cause.Index])
	return t, nil
}

// decision returns the one that id is of, or is a part of; nil where the audit trail does not hold it any more.
func (e *explainer) decision(ctx context.Context, since inventory.Millis) (found *inventory.Decision, err error) {
	err = e.each(ctx, Audit, since, func(data []byte) (bool, error) {
		d, err := codec.DecodeDecision(data)
		if err != nil {
			return true, nil // somebody else's
		}
		if d.Cause == e.cause && (d.ID == e.id || d.Exception == e.id && d.Decision == "open" || slices.Contains(d.Commands, e.id)) {
			found = &d
		}
		return found == nil && d.Cause.Sequence <= e.cause.Sequence, nil
	})
	return found, err
}

// command returns the command of that id; nil where the stream does not hold it any more.
func (e *explainer) command(ctx context.Context, since inventory.Millis) (found *inventory.Command, err error) {
	err = e.each(ctx, Command, since, func(data []byte) (bool, error) {
		c, err := codec.DecodeCommand(data)
		if err != nil {
			return true, nil
		}
		if c.ID == e.id {
			found = &c
		}
		return found == nil && c.Cause.Sequence <= e.cause.Sequence, nil
	})
	return found, err
}

// each calls visit for the partition's outputs of a kind that were said since then, until it returns false. They
// are in the order of their causes.
func (e *explainer) each(ctx context.Context, kind Kind, since inventory.Millis, visit func(data []byte) (bool, error)) error {
	stream, filter := e.topology.OutputStream(kind), e.topology.partitionFilter(kind, e.cause.Partition)
	last, err := leaderGet(ctx, e.js, stream, map[string]any{"last_by_subj": filter})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	from := jetstream.ConsumerConfig{
		FilterSubject: filter,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		Description:   fmt.Sprintf("holdfast explains what partition %d decided", e.cause.Partition),
	}
	if since != 0 {
		start := since.Time().Add(-clockDifferenceMax)
		if last.Time.Before(start) {
			return nil
		}
		from.DeliverPolicy, from.OptStartTime = jetstream.DeliverByStartTimePolicy, &start
	}
	return scan(ctx, e.js, stream, from, last.Sequence, func(_ uint64, msg jetstream.Msg) (bool, error) { return visit(msg.Data()) })
}
