package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// What a location's feed knows of the hours of the week stands under a key of its own: ten times the rest, it
// changes once an hour, and would otherwise be written with every sale.

// place returns what is kept of a location, its week included; new where nothing was.
func (e *Engine) place(location string) (*item[place], error) {
	pl, fresh, err := e.places.make([]byte(location))
	if err != nil || pl.value.weekly {
		return pl, err
	}
	pl.value.weekly = true
	if fresh {
		return pl, nil
	}
	coded, err := e.store.Get(append([]byte{keyWeek}, location...))
	if err != nil || coded == nil {
		return pl, err
	}
	r := wire.NewReader(coded)
	r.Version(formatWeek)
	pl.value.feed.ReadWeek(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("read the week of %q: %w", location, err)
	}
	return pl, nil
}

// flushWeeks writes the weeks that changed. Each is of a place that changed too.
func (e *Engine) flushWeeks(w Writer) error {
	var key, coded []byte
	for _, pl := range e.places.dirty {
		if !pl.value.feed.WeekChanged() {
			continue
		}
		key = append(append(key[:0], keyWeek), pl.key...)
		coded = pl.value.feed.AppendWeek(wire.AppendUint(coded[:0], formatWeek))
		if err := w.Set(key, coded); err != nil {
			return err
		}
	}
	return nil
}
