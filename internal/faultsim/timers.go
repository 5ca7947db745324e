package faultsim

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/inventory"
)

// compareTimers wants a timer in s for each reservation that the oracle has open and that lapses by itself: at its due, or
// before, as one that stands is left and sets the next when it fires.
func (r *reference) compareTimers(s engine.Store) error {
	first := map[string]inventory.Millis{}
	err := engine.LiveTimers(s, func(t timer.Timer) {
		if at, known := first[t.Key]; !known || t.Time < at {
			first[t.Key] = t.Time
		}
	})
	if err != nil {
		return err
	}
	for _, l := range r.model.Pending() {
		key := l.Key.SKU + "\x00" + l.Key.Location + "\x00" + string(rune(ledger.Reservation)) + l.Ref
		if at, set := first[key]; !set || at > l.Due {
			return fmt.Errorf("%v: %q lapses at %v, and its first timer is at %v (there is one: %v)", l.Key, l.Ref, l.Due, at, set)
		}
	}
	return nil
}
