package oracle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

type class uint8

const (
	reservation class = iota + 1 // reserve adds; ship and release take
	inbound                      // asn adds; receipt takes
	inTransit                    // transfer_out adds, where it goes; transfer_in takes
)

// reference is what one timeline is of.
type reference struct {
	class      class
	ref        string
	generation int // 0 in a [referenceOf]
}

// referenceOf returns the reference that e adds to or takes from, without its generation.
func referenceOf(e *entry) (reference, bool) {
	switch e.Kind {
	case inventory.Reserve, inventory.Ship, inventory.Release:
		return reference{class: reservation, ref: e.Ref}, true
	case inventory.ASN, inventory.Receipt:
		return reference{class: inbound, ref: e.Ref}, true
	case inventory.TransferIn:
		return reference{class: inTransit, ref: e.Ref}, true
	case inventory.TransferOut:
		return reference{class: inTransit, ref: e.Ref}, e.arriving
	}
	return reference{}, false
}

// timeline is where a reference stands after all of its events.
type timeline struct {
	open      int64
	due       inventory.Millis // when open lapses; 0: it does not
	channel   string           // of the first reserve
	last      inventory.Millis // time of the last event, lapses among them
	givenBack []consumed       // by releases and lapses, to the channel's ring-fence
}

// timelines folds every reference of a key's log as of the watermark.
func (m *Model) timelines(k inventory.Key) map[reference]timeline {
	events := map[reference][]entry{}
	for _, e := range m.log[k] {
		if r, ok := referenceOf(&e); ok {
			r.generation = e.generation
			events[r] = append(events[r], e)
		}
	}
	folded := map[reference]timeline{}
	for r, es := range events {
		now := m.watermark
		if slices.Contains(m.lapsing, lapse{now, k, r}) {
			now-- // its turn comes
		}
		folded[r] = fold(r.class, es, now)
	}
	return folded
}

// fold replays the events of one reference in order of time, and lets it lapse by the watermark.
func fold(c class, events []entry, watermark inventory.Millis) timeline {
	var t timeline
	slices.SortFunc(events, byTime)
	for _, e := range events {
		t.lapse(e.Time)
		t.last = max(t.last, e.Time)
		took := min(t.open, e.Quantity)
		switch e.Kind {
		case inventory.Reserve, inventory.ASN, inventory.TransferOut:
			t.open += e.Quantity
			if c == reservation {
				t.due = e.Due
			}
			if t.channel == "" {
				t.channel = e.Channel
			}
		case inventory.Ship, inventory.Receipt, inventory.TransferIn:
			t.open -= took
		case inventory.Release:
			t.open -= took
			t.givenBack = append(t.givenBack, consumed{t.channel, e.Time, -took})
		}
	}
	t.lapse(watermark)
	return t
}

// lapse ends what is open once event time has reached its due.
func (t *timeline) lapse(now inventory.Millis) {
	if t.due == 0 || now < t.due {
		return
	}
	if t.open > 0 {
		t.last = max(t.last, t.due)
	}
	t.givenBack = append(t.givenBack, consumed{t.channel, t.due, -t.open})
	t.open, t.due = 0, 0
}

// byTime orders the events of one reference; at equal times what adds comes first
// (by due, channel and quantity), then what is shipped or received, then what is released.
func byTime(a, b entry) int {
	rank := func(e *entry) int {
		switch e.Kind {
		case inventory.Reserve, inventory.ASN, inventory.TransferOut:
			return 0
		case inventory.Release:
			return 2
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.Time, b.Time),
		cmp.Compare(rank(&a), rank(&b)),
		cmp.Compare(a.Due, b.Due),
		strings.Compare(a.Channel, b.Channel),
		cmp.Compare(a.Quantity, b.Quantity))
}
