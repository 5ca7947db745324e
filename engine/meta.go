package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// meta is what a partition keeps about itself.
type meta struct {
	watermark inventory.Millis // greatest event time of any accepted delta
	ordinal   uint64           // of the latest output
	sequence  uint64           // of the latest message seen
	items     uint64           // of that message, that are done
	counters  Counters
	standing  Standing // but for the exposure and those untold
	exposure  total
	pause     pause
}

// pause is where time stands still on its way to the event time of a delta: what is due before next has happened, and
// the delta itself is still to be applied.
type pause struct {
	on           bool
	causeOrdinal int // of the next id under the delta
	next         timer.Timer
}

// unfired returns the mark before which all timers have fired.
func (m *meta) unfired() timer.Timer {
	if m.pause.on {
		return m.pause.next
	}
	return timer.From(m.watermark + 1)
}

// write is a change of keys that no table looks after.
type write struct {
	key   []byte
	value []byte // nil: key is deleted
	upper []byte // not nil: everything from key up to it is deleted
}

func (c *write) to(w Writer) error {
	switch {
	case c.upper != nil:
		return w.DeleteRange(c.key, c.upper)
	case c.value == nil:
		return w.Delete(c.key)
	}
	return w.Set(c.key, c.value)
}

func (m *meta) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatMeta)
	dst = wire.AppendInt(dst, m.watermark)
	for _, n := range m.numbers() {
		dst = wire.AppendUint(dst, *n)
	}
	for _, n := range m.amounts() {
		dst = wire.AppendInt(dst, *n)
	}
	dst = m.exposure.append(dst)
	if !m.pause.on {
		return dst
	}
	dst = wire.AppendInt(dst, m.pause.causeOrdinal)
	dst = wire.AppendInt(dst, m.pause.next.Time)
	dst = append(dst, m.pause.next.Kind)
	return wire.AppendString(dst, m.pause.next.Key)
}

func (m *meta) numbers() [8]*uint64 {
	c := &m.counters
	return [...]*uint64{&m.ordinal, &m.sequence, &m.items, &c.Read, &c.Applied, &c.Duplicates, &c.Rejected, &c.WindowLate}
}

func (m *meta) amounts() [4]*int64 {
	return [...]*int64{&m.standing.Exceptions, &m.standing.Held, &m.standing.Throttled, &m.standing.Guarded}
}

func (m *meta) stands(p *pace) Standing {
	s := m.standing
	s.Exposure = m.exposure.shown()
	s.Untold, s.Deferred = int64(p.waiting), int64(p.deferred)
	return s
}

func readMeta(store Store) (meta, error) {
	var m meta
	coded, err := store.Get([]byte{keyMeta})
	if err != nil || coded == nil {
		return m, err
	}
	r := wire.NewReader(coded)
	r.Version(formatMeta)
	m.watermark = inventory.Millis(r.Int())
	for _, n := range m.numbers() {
		*n = r.Uint()
	}
	for _, n := range m.amounts() {
		*n = r.Int()
	}
	m.exposure = readTotal(r)
	if p := &m.pause; r.More() && !r.Failed() {
		p.on, p.causeOrdinal, p.next.Time = true, int(r.Int()), inventory.Millis(r.Int())
		if kind := r.Take(1); kind != nil {
			p.next.Kind = kind[0]
		}
		p.next.Key = r.String()
	}
	if err := r.Done(); err != nil {
		return m, fmt.Errorf("read the partition's meta: %w", err)
	}
	return m, nil
}

func readFlushes(store Store) (uint64, error) {
	coded, err := store.Get([]byte{keyFlushes})
	if err != nil || coded == nil {
		return 0, err
	}
	r := wire.NewReader(coded)
	r.Version(formatFlushes)
	n := r.Uint()
	if err := r.Done(); err != nil {
		return 0, fmt.Errorf("read how often the partition was flushed: %w", err)
	}
	return n, nil
}
