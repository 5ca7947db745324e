package engine

import (
	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// record is all that is kept of one SKU at one location.
type record struct {
	ledger.Ledger
	windows window.Windows
	belief  detectors.Belief
	traces  *detectors.Traces // nil: none
	awake   bool              // more is in them than what only bears on the next correction. Not stored

	patience uint8 // events of demand that are let pass before it is looked at
	hourMost int64 // what its last hour's demand is known not to exceed, see [detectors.View]. Not stored

	open       []opened    // exceptions of this location
	directives []directive // by index of Channels; shorter where the last ones never had one
	asks       asks

	refs refs // which timelines it has

	contributed int64            // the ATP that the network counts for this record
	alarmAt     inventory.Millis // its live alarm timer; 0: none
	renewAt     inventory.Millis // its live renewal timer; 0: none
	wakeAt      inventory.Millis // its live timer for what its traces wait for; 0: none

	around surroundings // not stored
}

func (r *record) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatRecord)
	dst = r.Ledger.Append(dst)
	dst = r.windows.Append(dst)
	dst = r.belief.Append(dst)
	dst = appendOpened(dst, r.open)
	dst = appendDirectives(dst, r.directives)
	dst = r.asks.append(dst)
	dst = r.refs.append(dst)
	dst = wire.AppendInt(dst, r.contributed)
	dst = wire.AppendInt(dst, r.alarmAt)
	dst = wire.AppendInt(dst, r.renewAt)
	dst = append(dst, r.patience)
	dst = r.traces.Append(dst)
	return wire.AppendInt(dst, r.wakeAt)
}

func (r *record) read(in *wire.Reader) {
	in.Version(formatRecord)
	r.Ledger.Read(in)
	r.windows.Read(in)
	r.belief.Read(in)
	r.open = readOpened(in)
	r.directives = readDirectives(in)
	r.asks.read(in)
	r.refs.read(in)
	r.contributed = in.Int()
	r.alarmAt = inventory.Millis(in.Int())
	r.renewAt = inventory.Millis(in.Int())
	if patience := in.Take(1); patience != nil {
		r.patience = patience[0]
	}
	r.keep(detectors.ReadTraces(in))
	r.wakeAt = inventory.Millis(in.Int())
}

// keep makes traces those of the record.
func (r *record) keep(traces *detectors.Traces) {
	if traces != nil && traces.Empty() {
		traces = nil
	}
	r.traces, r.awake = traces, traces != nil && !traces.Sleeping()
}

// surroundings are the items that a look at a record needs beside it, remembered so that they need
// not be found again. They are right while asOf is the sum of their tables' evictions.
type surroundings struct {
	net  *item[network]
	pl   *item[place]
	asOf uint64
}

// timeline is a ledger.Timeline under its own key, and of goods what is known of their coming.
type timeline struct {
	ledger.Timeline
	arrival detectors.Arrival // of what is not a reservation
}

// nextTimer returns when the timeline wants to be looked at next; 0: not before something happens to it.
func (t *timeline) nextTimer(l *detectors.Limits, lateness, now inventory.Millis) inventory.Millis {
	if wake := t.arrival.Wake(l, now); wake != 0 {
		return wake
	}
	return t.NextTimer(lateness)
}

// over reports whether what comes under the reference now is another story.
func (t *timeline) over(horizon inventory.Millis) bool {
	return t.Spent(horizon) && !t.arrival.Raised()
}

func (t *timeline) append(dst []byte) []byte {
	dst = t.Append(wire.AppendUint(dst, formatTimeline))
	if t.Class != ledger.Reservation {
		dst = t.arrival.Append(dst)
	}
	return dst
}

func (t *timeline) read(in *wire.Reader) {
	in.Version(formatTimeline)
	t.Read(in)
	if t.Class != ledger.Reservation {
		t.arrival.Read(in)
	}
}
