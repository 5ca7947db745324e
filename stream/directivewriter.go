package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
)

const (
	// directivesGroupMin is how many are written as one atomic batch, at least; of fewer, directivesWriters are in flight side by side.
	// With directivesGroupMax of them it stays below groupBytesMax, or is not far above.
	directivesGroupMin = 8
	directivesGroupMax = 256
	directivesWriters  = 16
)

// entry is a command on its way into the bucket.
type entry struct {
	subject  string
	revision uint64
	data     []byte
	now      directive // what the bucket is believed to hold, then what it holds
	err      error
}

// done reports whether the bucket holds e, or what came after it.
func (e *entry) done() bool { return e.now.revision >= e.revision && e.now.sequence > 0 }

// write puts the last command of each key into the bucket and acknowledges them all.
func (d *Directives) write(ctx context.Context, commands []jetstream.Msg) error {
	if err := d.putAll(ctx, slices.Collect(maps.Values(d.latest(commands)))); err != nil {
		return err
	}
	for _, msg := range commands {
		if err := msg.Ack(); err != nil {
			return fmt.Errorf("acknowledge a command: %w", err)
		}
	}
	return nil
}

// putAll sees to it that the bucket holds each of entries, or what came after it.
func (d *Directives) putAll(ctx context.Context, entries []*entry) error {
	d.putGroups(ctx, slices.Clone(entries))
	side(entries, func(e *entry) { e.err = d.put(ctx, e) })
	if len(d.known)+len(entries) > directivesKnownMax {
		clear(d.known)
	}
	for _, e := range entries {
		if e.err != nil {
			return e.err
		}
		d.known[e.subject] = e.now
	}
	return nil
}

// latest returns the command of the highest revision for each key.
func (d *Directives) latest(commands []jetstream.Msg) map[string]*entry {
	entries := make(map[string]*entry, len(commands))
	for _, msg := range commands {
		c, err := codec.DecodeCommand(msg.Data())
		if err == nil && (c.Channel == "" || c.SKU == "" || c.Location == "") {
			err = errors.New("it binds no channel, SKU and location")
		}
		if err != nil {
			d.log.Warn("directives: a message in the stream of commands is none", "subject", msg.Subject(), "error", err)
			continue
		}
		subject := d.topology.directiveSubject(c.Channel, c.SKU, c.Location)
		if e := entries[subject]; e == nil || c.Revision > e.revision {
			entries[subject] = &entry{subject: subject, revision: c.Revision, data: msg.Data(), now: d.known[subject]}
		}
	}
	return entries
}

// putGroups writes entries as atomic batches, which take one sync each. What it does not write, or may have written, is left to put.
func (d *Directives) putGroups(ctx context.Context, entries []*entry) {
	if !d.batches {
		return
	}
	entries = slices.DeleteFunc(entries, (*entry).done)
	for group := range slices.Chunk(entries, directivesGroupMax) {
		if len(group) < directivesGroupMin || d.putGroup(ctx, group) == nil {
			continue
		}
		// It is all or nothing, so one key that the bucket holds something else under is enough. Nobody remembers what is there after a
		// start, and with several projectors none knows what another wrote.
		side(group, func(e *entry) {
			if now, err := d.stored(ctx, e.subject); err == nil {
				e.now = now
			}
		})
		if group = slices.DeleteFunc(group, (*entry).done); len(group) >= directivesGroupMin {
			_ = d.putGroup(ctx, group) // put finds out and complains
		}
	}
}

// putGroup writes all of a group or nothing.
func (d *Directives) putGroup(ctx context.Context, group []*entry) error {
	messages := make([]*nats.Msg, len(group))
	for i, e := range group {
		messages[i] = &nats.Msg{Subject: e.subject, Data: e.data, Header: nats.Header{
			jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(e.now.sequence, 10)},
		}}
	}
	ack, err := d.groups.send(ctx, messages)
	if err != nil {
		return err
	}
	for i, e := range group {
		e.now = directive{e.revision, ack.Sequence - uint64(len(group)-1-i)}
	}
	return nil
}

// side calls do for entries side by side.
func side(entries []*entry, do func(*entry)) {
	work := make(chan *entry)
	var workers sync.WaitGroup
	for range min(directivesWriters, len(entries)) {
		workers.Go(func() {
			for e := range work {
				do(e)
			}
		})
	}
	for _, e := range entries {
		work <- e
	}
	close(work)
	workers.Wait()
}

// put writes e where it is above what the bucket holds, however often that takes. It
// fails only when ctx ends.
func (d *Directives) put(ctx context.Context, e *entry) error {
	backoff := publishBackoffMin
	for {
		if e.done() {
			return nil
		}
		err := d.compareAndSet(ctx, e)
		if err == nil {
			return nil
		}
		// Another projector was there, or what we knew is no longer so, or nobody
		// knows what happened: the bucket does.
		stored, lookErr := d.stored(ctx, e.subject)
		if lookErr == nil && stored != e.now {
			e.now = stored
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if d.complaints.now() {
			d.log.Warn("a directive is not written; trying again", "key", e.subject, "error", errors.Join(err, lookErr))
		}
		_ = sleep(ctx, backoff)
		backoff = min(2*backoff, publishBackoffMax)
	}
}

func (d *Directives) compareAndSet(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	ack, err := d.js.PublishMsg(ctx, &nats.Msg{Subject: e.subject, Data: e.data},
		jetstream.WithExpectLastSequencePerSubject(e.now.sequence), jetstream.WithRetryAttempts(0))
	if err == nil {
		e.now = directive{e.revision, ack.Sequence}
	}
	return err
}
