package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// sweepPages is after how many pages of a record those that are too old are deleted: a
// range deletion costs more than a few pages that linger.
const sweepPages = 16

// closePage moves the journal of a record out of it once it fills a page. Pages that
// nothing can ask for any more go with every sixteenth, so that which pages there are depends on the log alone.
func (e *Engine) closePage(rec *item[record]) error {
	page, full, err := rec.value.ClosePage(e.horizon())
	if !full || err != nil {
		return err
	}
	e.pages[rec.key] = append(e.pages[rec.key], page)
	if page.Number%sweepPages == 0 {
		e.writes = append(e.writes, write{
			key:   appendPageKey(nil, rec.key, 0, 0),
			upper: appendPageKey(nil, rec.key, max(e.horizon(), 0), 0),
		})
	}
	e.writes = append(e.writes, write{
		key:   appendPageKey(nil, rec.key, page.End, page.Number),
		value: page.Moves.Append(wire.AppendUint(nil, formatPage)),
	})
	return nil
}

// readPages is the [ledger.History] of the record whose key is in e.paged: what was
// closed since the last flush, and what the store has.
func (e *Engine) readPages(since inventory.Millis, yield func(ledger.Move)) error {
	for _, p := range e.pages[e.paged] {
		if err := p.Moves.Each(since, yield); err != nil {
			return err
		}
	}
	var bad error
	lower := appendPageKey(nil, e.paged, since, 0)
	upper := append(appendPageKey(nil, e.paged, inventory.MillisMax, 0), 0xff)
	err := e.store.Scan(lower, upper, func(key, coded []byte) bool {
		r := wire.NewReader(coded)
		r.Version(formatPage)
		var moves ledger.Moves
		moves.Read(r)
		if bad = r.Done(); bad == nil {
			bad = moves.Each(since, yield)
		}
		if bad != nil {
			bad = fmt.Errorf("read page %q: %w", key, bad)
		}
		return bad == nil
	})
	if err == nil {
		err = bad
	}
	return err
}
