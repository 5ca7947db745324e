package consoletest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
)

var _ console.Backend = (*Backend)(nil)

// Backend is a console.Backend in memory. The zero value is empty and not ready.
type Backend struct {
	mu         sync.Mutex
	changed    chan struct{} // closed and replaced whenever something changes; nil until somebody waits
	known      map[string]bool
	ingested   []inventory.Delta
	skus       map[string]inventory.SKUAvailability
	items      map[string]inventory.Item
	exceptions []inventory.Exception
	risks      []inventory.Risk
	commands   []inventory.Command // command i has stream sequence i+1
	overview   console.Overview
	err        error
	streams    int
}

// Fail makes every call return err, until Fail(nil).
func (b *Backend) Fail(err error) { b.change(func() { b.err = err }) }

// SetOverview sets what Overview answers. Its positions are those that
// WaitPosition goes by.
func (b *Backend) SetOverview(o console.Overview) { b.change(func() { b.overview = o }) }

// SetSKU sets the availability of a.SKU.
func (b *Backend) SetSKU(a inventory.SKUAvailability) {
	b.change(func() {
		if b.skus == nil {
			b.skus = map[string]inventory.SKUAvailability{}
		}
		b.skus[a.SKU] = a
	})
}

// SetException adds e, or replaces the exception with its id.
func (b *Backend) SetException(e inventory.Exception) {
	b.change(func() {
		i := slices.IndexFunc(b.exceptions, func(old inventory.Exception) bool { return old.ID == e.ID })
		if i < 0 {
			b.exceptions = append(b.exceptions, e)
			return
		}
		b.exceptions[i] = e
	})
}

// SetRisks sets what is at risk in a next window, however long it is.
func (b *Backend) SetRisks(risks ...inventory.Risk) { b.change(func() { b.risks = risks }) }

// Risks calls yield with what SetRisks set. The policy's window is four hours.
func (b *Backend) Risks(_ context.Context, window inventory.Millis, yield func(*inventory.Risk)) (inventory.Millis, error) {
	b.mu.Lock()
	risks, err := slices.Clone(b.risks), b.err
	b.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if window == 0 {
		window = 4 * inventory.Hour
	}
	for i := range risks {
		yield(&risks[i])
	}
	return window, nil
}

// Publish appends c to the stream of commands.
func (b *Backend) Publish(c inventory.Command) {
	b.change(func() { b.commands = append(b.commands, c) })
}

// Ingested returns the deltas that were stored, in order of arrival.
func (b *Backend) Ingested() []inventory.Delta {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.ingested)
}

// Streams returns how many streams of commands are open.
func (b *Backend) Streams() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.streams
}

// AwaitStreams waits until n streams of commands are open.
func (b *Backend) AwaitStreams(ctx context.Context, n int) error {
	return b.await(ctx, func() bool { return b.streams == n })
}

// change applies f and wakes those who wait.
func (b *Backend) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// await calls done, under the lock, after each change until it returns true or
// ctx ends.
func (b *Backend) await(ctx context.Context, done func() bool) error {
	for {
		b.mu.Lock()
		if done() {
			b.mu.Unlock()
			return nil
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Ingest stores clones of deltas; those with a source and id that it has are duplicates.
func (b *Backend) Ingest(_ context.Context, deltas []inventory.Delta) (duplicates int, err error) {
	b.change(func() {
		if err = b.err; err != nil {
			return
		}
		if b.known == nil {
			b.known = map[string]bool{}
		}
		for _, d := range deltas {
			name := fmt.Sprintf("%q %q", d.Source, d.ID)
			if b.known[name] {
				duplicates++
				continue
			}
			b.known[name] = true
			b.ingested = append(b.ingested, clone(d))
		}
	})
	return duplicates, err
}

func clone(d inventory.Delta) inventory.Delta {
	for _, s := range []*string{&d.ID, &d.Source, &d.SKU, &d.Location, &d.Channel, &d.Ref, &d.Reason, &d.Counterparty} {
		*s = string([]byte(*s))
	}
	d.Attrs = slices.Clone(d.Attrs)
	return d
}

// SKU returns what SetSKU set.
func (b *Backend) SKU(_ context.Context, sku string) (inventory.SKUAvailability, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.skus[sku]
	if !ok && b.err == nil {
		return a, fmt.Errorf("sku %q: %w", sku, console.ErrNotFound)
	}
	a.Locations = slices.Clone(a.Locations)
	return a, b.err
}

// Location returns one location of what SetSKU set.
func (b *Backend) Location(ctx context.Context, sku, location string) (inventory.LocationAvailability, error) {
	a, err := b.SKU(ctx, sku)
	if err != nil {
		return inventory.LocationAvailability{}, err
	}
	for _, l := range a.Locations {
		if l.Location == location {
			return inventory.LocationAvailability{Availability: l, Position: a.Position}, nil
		}
	}
	return inventory.LocationAvailability{}, console.ErrNotFound
}

// WaitPosition waits for an overview in which partition has got to sequence.
func (b *Backend) WaitPosition(ctx context.Context, partition int, sequence uint64) error {
	var err error
	waiting := b.await(ctx, func() bool {
		if err = b.err; err != nil {
			return true
		}
		for _, p := range b.overview.Partitions {
			if p.Partition == partition {
				return p.Sequence >= sequence
			}
		}
		err = console.ErrNotFound
		return true
	})
	return cmp.Or(waiting, err)
}

// Directives returns the last command of each channel, SKU and location, unless it is a release.
func (b *Backend) Directives(_ context.Context, filter console.DirectiveFilter, page console.Page) ([]inventory.Command, string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, "", b.err
	}
	type target struct{ channel, sku, location string }
	seen := map[target]bool{}
	var inForce []inventory.Command
	for _, c := range slices.Backward(b.commands) {
		at := target{c.Channel, c.SKU, c.Location}
		if !seen[at] && c.Action != inventory.Unhold && filter.Match(&c) {
			inForce = append(inForce, c)
		}
		seen[at] = true
	}
	return cut(inForce, page)
}

// Exceptions returns what SetException set, worst exposure first.
func (b *Backend) Exceptions(_ context.Context, filter console.ExceptionFilter, page console.Page) ([]inventory.Exception, string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, "", b.err
	}
	var passed []inventory.Exception
	for i := range b.exceptions {
		if filter.Match(&b.exceptions[i]) {
			passed = append(passed, b.exceptions[i])
		}
	}
	slices.SortStableFunc(passed, func(x, y inventory.Exception) int { return cmp.Compare(y.Exposure, x.Exposure) })
	return cut(passed, page)
}

// cut returns one page of list; a cursor is the index at which the next begins.
func cut[T any](list []T, page console.Page) ([]T, string, error) {
	from := 0
	if page.Cursor != "" {
		n, err := strconv.Atoi(page.Cursor)
		if err != nil || n < 0 || n > len(list) {
			return nil, "", console.ErrBadCursor
		}
		from = n
	}
	to := min(from+page.Limit, len(list))
	next := ""
	if to < len(list) {
		next = strconv.Itoa(to)
	}
	return slices.Clone(list[from:to]), next, nil
}

// Exception returns what SetException set.
func (b *Backend) Exception(_ context.Context, id string) (inventory.Exception, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.exceptions {
		if e.ID == id {
			return e, b.err
		}
	}
	return inventory.Exception{}, cmp.Or(b.err, console.ErrNotFound)
}

// SetMaster keeps what is said of each SKU.
func (b *Backend) SetMaster(_ context.Context, _ string, m *inventory.Master) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	if b.items == nil {
		b.items = map[string]inventory.Item{}
	}
	for i := range m.SKUs {
		b.items[m.SKUs[i].SKU] = m.SKUs[i].Item
	}
	return nil
}

// Item returns what SetMaster was told.
func (b *Backend) Item(_ context.Context, sku string) (inventory.Item, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	item, known := b.items[sku]
	if b.err == nil && !known {
		return item, console.ErrNotFound
	}
	return item, b.err
}

// Policy returns one that says nothing.
func (b *Backend) Policy(context.Context) (console.PolicyInForce, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return console.PolicyInForce{Version: "test@0", Text: "name: test\n"}, b.err
}

// Explain returns the command of that id and its exception.
func (b *Backend) Explain(ctx context.Context, id string) (inventory.Explanation, error) {
	b.mu.Lock()
	i := slices.IndexFunc(b.commands, func(c inventory.Command) bool { return c.ID == id })
	err := b.err
	var e inventory.Explanation
	if i >= 0 {
		c := b.commands[i]
		e.Command, e.Tipped.Cause = &c, c.Cause
	}
	b.mu.Unlock()
	if err != nil || i < 0 {
		return e, cmp.Or(err, console.ErrNotFound)
	}
	if x, err := b.Exception(ctx, e.Command.Exception); err == nil {
		e.Exception = &x
	}
	return e, nil
}

// Decide changes what SetException set, as the engine would.
func (b *Backend) Decide(_ context.Context, by string, d control.Decision) (e inventory.Exception, done bool, err error) {
	b.change(func() {
		i := slices.IndexFunc(b.exceptions, func(e inventory.Exception) bool { return e.ID == d.Exception })
		switch {
		case b.err != nil:
			err = b.err
		case i < 0:
			err = console.ErrNotFound
		case control.Unfit(d.Action, b.exceptions[i].Status) != "":
			e = b.exceptions[i]
		default:
			x := &b.exceptions[i]
			x.Owner = cmp.Or(d.Owner, x.Owner)
			switch d.Action {
			case control.Approve:
				x.Status, x.ApprovedBy = inventory.Acting, by
			case control.Reject:
				x.Status = inventory.Dismissed
			case control.Resolve:
				x.Status = inventory.Resolved
			}
			x.History = append(slices.Clone(x.History), inventory.Change{Status: x.Status, By: by, Note: d.Note})
			e, done = *x, true
		}
	})
	return e, done, err
}

// LastCommand returns the sequence of what was published last.
func (b *Backend) LastCommand(context.Context) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uint64(len(b.commands)), b.err
}

// Commands streams what was and will be published.
func (b *Backend) Commands(_ context.Context, after uint64) (opened console.CommandStream, err error) {
	b.change(func() {
		if err = b.err; err == nil {
			b.streams++
			opened = &stream{b, after}
		}
	})
	return opened, err
}

// Overview returns what SetOverview set.
func (b *Backend) Overview(context.Context) (console.Overview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.overview, b.err
}

type stream struct {
	backend *Backend
	seen    uint64
}

func (s *stream) Next(ctx context.Context) (uint64, inventory.Command, error) {
	var c inventory.Command
	var err error
	b := s.backend
	waiting := b.await(ctx, func() bool {
		if err = b.err; err != nil {
			return true
		}
		if s.seen >= uint64(len(b.commands)) {
			return false
		}
		c = b.commands[s.seen]
		s.seen++
		return true
	})
	return s.seen, c, cmp.Or(waiting, err)
}

func (s *stream) Close() {
	s.backend.change(func() { s.backend.streams-- })
}
