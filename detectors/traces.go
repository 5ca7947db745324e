package detectors

import (
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Traces are what the detectors that seldom have anything to say remember of a key. Most keys have none.
type Traces struct {
	snapshots []snapshot // that do not agree with the ledger, one a source
	stale     []stale    // channels that show more than they may sell
	risks     []risk     // channels that may be oversold before they can show less

	corrections *corrections
	promo       *promo

	adjustAt, returnsAt, spikeAt inventory.Millis // when what stands is looked at again; 0: nothing stands
	backlogAt                    inventory.Millis // when what came back has waited too long; 0: it does not, or was told
}

// Next returns when the key, which was looked at now, is to be looked at next if nothing happens to it before; 0: never.
func (t *Traces) Next(now inventory.Millis) (at inventory.Millis) {
	for i := range t.snapshots {
		at = sooner(at, later(t.snapshots[i].at, now))
	}
	for i := range t.stale {
		at = sooner(at, later(t.stale[i].at, now))
	}
	for i := range t.risks {
		at = sooner(at, later(t.risks[i].at, now))
	}
	if t.promo != nil {
		at = sooner(at, later(t.promo.at, now))
	}
	for _, m := range t.moments() {
		at = sooner(at, later(*m, now))
	}
	return at
}

func (t *Traces) moments() [4]*inventory.Millis {
	return [...]*inventory.Millis{&t.adjustAt, &t.returnsAt, &t.spikeAt, &t.backlogAt}
}

// Empty reports whether there is nothing to remember.
func (t *Traces) Empty() bool { return t.parts() == 0 }

// Sleeping reports whether nothing but corrections is remembered, which only bear on what corrects the key again.
func (t *Traces) Sleeping() bool { return t.parts()&^tracesCorrections == 0 }

func (t *Traces) parts() uint64 {
	waits := t.adjustAt|t.returnsAt|t.spikeAt|t.backlogAt != 0
	return flagIf(len(t.snapshots) > 0, tracesSnapshots) | flagIf(len(t.stale) > 0, tracesStale) |
		flagIf(t.corrections != nil, tracesCorrections) | flagIf(t.promo != nil, tracesPromo) | flagIf(waits, tracesMoments) |
		flagIf(len(t.risks) > 0, tracesRisks)
}

// later returns a moment if it is still to come, else 0.
func later(at, now inventory.Millis) inventory.Millis {
	if at > now {
		return at
	}
	return 0
}

// sooner returns the earlier of two moments, where 0 is none.
func sooner(a, b inventory.Millis) inventory.Millis {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// trace returns the key's traces, made where there are none.
func (v *View) trace() *Traces {
	v.Traced = true
	if v.Traces == nil {
		v.Traces = &Traces{}
	}
	return v.Traces
}

// The parts of written traces; what is not there is not written.
const (
	tracesSnapshots = 1 << iota
	tracesStale
	tracesCorrections
	tracesPromo
	tracesMoments
	tracesRisks
)

// Append appends the traces' bytes: one where there are none. A nil t has none.
func (t *Traces) Append(dst []byte) []byte {
	if t == nil {
		return wire.AppendUint(dst, 0)
	}
	parts := t.parts()
	dst = wire.AppendUint(dst, parts)
	if len(t.snapshots) > 0 {
		dst = wire.AppendUint(dst, uint64(len(t.snapshots)))
		for i := range t.snapshots {
			dst = t.snapshots[i].append(dst)
		}
	}
	if len(t.stale) > 0 {
		dst = wire.AppendUint(dst, uint64(len(t.stale)))
		for i := range t.stale {
			dst = t.stale[i].append(dst)
		}
	}
	if len(t.risks) > 0 {
		dst = wire.AppendUint(dst, uint64(len(t.risks)))
		for i := range t.risks {
			dst = t.risks[i].append(dst)
		}
	}
	if t.corrections != nil {
		dst = t.corrections.append(dst)
	}
	if t.promo != nil {
		dst = t.promo.append(dst)
	}
	if parts&tracesMoments != 0 {
		for _, m := range t.moments() {
			dst = wire.AppendInt(dst, *m)
		}
	}
	return dst
}

// ReadTraces reads what Append wrote; nil: there are none. Errors stay in r.
func ReadTraces(r *wire.Reader) *Traces {
	parts := r.Uint()
	if parts == 0 {
		return nil
	}
	t := &Traces{}
	if parts&tracesSnapshots != 0 {
		t.snapshots = make([]snapshot, r.Count())
		for i := range t.snapshots {
			t.snapshots[i].read(r)
		}
	}
	if parts&tracesStale != 0 {
		t.stale = make([]stale, r.Count())
		for i := range t.stale {
			t.stale[i].read(r)
		}
	}
	if parts&tracesRisks != 0 {
		t.risks = make([]risk, r.Count())
		for i := range t.risks {
			t.risks[i].read(r)
		}
	}
	if parts&tracesCorrections != 0 {
		t.corrections = &corrections{}
		t.corrections.read(r)
	}
	if parts&tracesPromo != 0 {
		t.promo = &promo{}
		t.promo.read(r)
	}
	if parts&tracesMoments != 0 {
		for _, m := range t.moments() {
			*m = inventory.Millis(r.Int())
		}
	}
	if t.Empty() {
		return nil
	}
	return t
}

// snapshot is one that does not agree with the ledger.
type snapshot struct {
	source string
	value  int64
	time   inventory.Millis // as of which it is
	raised bool
	at     inventory.Millis // when it is judged, or where raised when that ends by itself
}

func (s *snapshot) append(dst []byte) []byte {
	dst = wire.AppendString(dst, s.source)
	dst = wire.AppendInt(dst, s.value)
	dst = wire.AppendInt(dst, s.time)
	dst = wire.AppendUint(dst, flagIf(s.raised, 1))
	return wire.AppendInt(dst, s.at-s.time)
}

func (s *snapshot) read(r *wire.Reader) {
	s.source = r.String()
	s.value = r.Int()
	s.time = inventory.Millis(r.Int())
	s.raised = r.Uint() == 1
	s.at = s.time + inventory.Millis(r.Int())
}

// stale is a channel that shows more than it may sell.
type stale struct {
	channel string
	since   inventory.Millis
	at      inventory.Millis // when that has lasted too long; 0: it was raised
}

func (s *stale) append(dst []byte) []byte {
	dst = wire.AppendString(dst, s.channel)
	dst = wire.AppendInt(dst, s.since)
	return wire.AppendInt(dst, s.at)
}

func (s *stale) read(r *wire.Reader) {
	s.channel = r.String()
	s.since = inventory.Millis(r.Int())
	s.at = inventory.Millis(r.Int())
}
