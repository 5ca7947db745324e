package detectors

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// inFlight is how far a source's picture may be ahead of the ledger or behind it: what moved so long before or after
	// the time of a snapshot may be in it or not. [A]
	inFlight = 15 * inventory.Minute

	// snapshotSettles is how long after its time a snapshot is judged: what tells of the movements before
	// it may still be under way.
	snapshotSettles = 15 * inventory.Minute

	// snapshotTolerance is one part in so many of the record by which a snapshot may be off. [A] Below that many
	// units a single one counts.
	snapshotTolerance = 200

	// snapshotRetention is how long a mismatch stands of which the source says nothing more. [A]
	snapshotRetention = 7 * inventory.Day

	// snapshotSources bounds how many sources' mismatches are remembered of one key.
	snapshotSources = 8
)

func mismatchRule(l *Limits) string {
	return fmt.Sprintf("raise where a snapshot is off by more than what moved within %s of its time and %g %%, %s after it; "+
		"clear when the source's next one agrees, at a count, or after 7 days without another", lasts(l.MismatchInFlight), 100*l.MismatchTolerance, lasts(l.MismatchSettles))
}

// stockMismatch: what a source says was on hand at some time is not what the ledger has for that time, and no
// movement in flight explains it. One exception a source. Looked at after snapshots, some time after they were taken, and while one
// does not agree after counts and after movements that are late for it.
func stockMismatch() Detector {
	return Detector{inventory.StockMismatch, KindsOf(inventory.Snapshot), lookMismatch, describeMismatch}
}

func lookMismatch(v *View, found []Finding) []Finding {
	if d := v.Delta; d != nil && d.Kind == inventory.Snapshot {
		v.snapshot(d)
	}
	if v.Traces == nil {
		return found
	}
	v.Traces.snapshots = slices.DeleteFunc(v.Traces.snapshots, func(s snapshot) bool {
		scope := Scope{Class: inventory.StockMismatch, Of: s.source}
		open := v.IsOpen(scope)
		ended := s.raised && v.Now >= s.at || v.CountedAt > s.time
		if !ended && (v.Delta == nil && v.Now >= s.at || v.Delta != nil && v.bearsOn(&s)) {
			ended = v.agrees(&s)
		}
		if ended && open {
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		}
		return ended
	})
	for i := range v.Traces.snapshots {
		s := &v.Traces.snapshots[i]
		if s.raised || v.Now < s.at {
			continue
		}
		s.raised, s.at = true, v.Now+snapshotRetention
		found = append(found, Finding{Scope: Scope{Class: inventory.StockMismatch, Of: s.source}, Edge: Raise, Confidence: 1})
	}
	return found
}

// snapshot takes in what a source says, if it does not agree or an earlier one did not.
func (v *View) snapshot(d *inventory.Delta) {
	at := -1
	if v.Traces != nil {
		at = slices.IndexFunc(v.Traces.snapshots, func(s snapshot) bool { return s.source == d.Source })
	}
	s := snapshot{source: d.Source, value: d.Quantity, time: d.Time, at: d.Time + v.limits().MismatchSettles}
	if at < 0 {
		if v.agrees(&s) {
			return
		}
		if t := v.trace(); len(t.snapshots) < snapshotSources {
			s.source = strings.Clone(s.source)
			t.snapshots = append(t.snapshots, s)
		}
		return
	}
	before := &v.Traces.snapshots[at]
	if d.Time < before.time {
		return
	}
	before.value, before.time = d.Quantity, d.Time
	if before.raised {
		before.at = v.Now + snapshotRetention
	} else {
		before.at = d.Time + v.limits().MismatchSettles
	}
}

// bearsOn reports whether the delta may change what a snapshot is held against.
func (v *View) bearsOn(s *snapshot) bool {
	switch v.Delta.Kind {
	case inventory.Snapshot:
		return v.Delta.Source == s.source
	case inventory.Sale, inventory.Ship, inventory.Return, inventory.Receipt, inventory.TransferOut, inventory.TransferIn,
		inventory.Adjust, inventory.Count:
		return v.Delta.Time <= s.time+v.limits().MismatchInFlight
	}
	return false
}

// agrees reports whether a snapshot is what the ledger has for its time, but for what was in flight. What a
// count says of later than the snapshot is better than either.
func (v *View) agrees(s *snapshot) bool {
	if s.value == v.OnHand || v.CountedAt > s.time {
		return true
	}
	l := v.limits()
	low, high := v.Past.OnHand(s.time-l.MismatchInFlight, s.time+l.MismatchInFlight)
	off := part(max(low, high, -low, s.value), l.MismatchTolerance)
	return s.value >= low-off && s.value <= high+off
}

func describeMismatch(v *View, f *Finding) Description {
	d := Description{Rule: mismatchRule(v.limits()), Evidence: map[string]any{
		"source": f.Of, "on_hand": v.OnHand, "atp": v.ATP(), "price": v.Price,
	}}
	if f.Edge == Clear {
		d.Reason = fmt.Sprintf("%s and the ledger no longer disagree on %s at %s: %s on hand.", f.Of, v.SKU, v.Location, units(v.OnHand))
		return d
	}
	at := slices.IndexFunc(v.Traces.snapshots, func(s snapshot) bool { return s.source == f.Of })
	s := v.Traces.snapshots[at]
	flight := v.limits().MismatchInFlight
	low, high := v.Past.OnHand(s.time-flight, s.time+flight)
	gap := low - s.value
	if s.value > high {
		gap = s.value - high
	}
	d.Evidence["snapshot"] = s.value
	d.Evidence["snapshot_event_time"] = s.time.String()
	d.Evidence["ledger_least"] = low
	d.Evidence["ledger_most"] = high
	d.Exposure = worth(gap, v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	d.Reason = fmt.Sprintf("%s says that %s had %s of %s at %s; the ledger has %s, which is %s off.",
		f.Of, v.Location, units(s.value), v.SKU, clock(s.time), between(low, high), units(gap))
	d.Recommendations = []inventory.Recommendation{
		{Action: "count", Quantity: v.OnHand, Why: "only a count tells which of the two is right"},
	}
	if s.value < low && s.value < v.Reserved {
		d.Recommendations = append(d.Recommendations, inventory.Recommendation{
			Action: "hold", Why: "if the source is right, more is promised than there is",
		})
	}
	return d
}

func between(low, high int64) string {
	if low == high {
		return units(low)
	}
	return fmt.Sprintf("%d to %s", low, units(high))
}
