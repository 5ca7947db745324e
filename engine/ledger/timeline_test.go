package ledger

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// orders draws what happens to one order of one channel.
func orders(t *rapid.T) []inventory.Delta {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) inventory.Delta {
		d := inventory.Delta{
			Kind:     rapid.SampledFrom([]inventory.Kind{inventory.Reserve, inventory.Reserve, inventory.Ship, inventory.Release}).Draw(t, "kind"),
			Quantity: rapid.Int64Range(1, 5).Draw(t, "units"),
			Time:     at(rapid.Int64Range(1, 20).Draw(t, "minute")),
			Channel:  "web",
		}
		if d.Kind == inventory.Reserve && rapid.Bool().Draw(t, "lapses") {
			d.Due = at(rapid.Int64Range(1, 30).Draw(t, "due"))
		}
		return d
	}), 1, 12).Draw(t, "events")
}

func at(minute int64) inventory.Millis { return gen.Start + inventory.Millis(minute)*inventory.Minute }

// outcome is where a timeline stands, and what it gave back to the ring-fence at which time.
type outcome struct {
	open, due int64
	givenBack map[inventory.Millis]int64
}

func play(events []inventory.Delta, watermark inventory.Millis) outcome {
	tl := Timeline{Class: Reservation}
	o := outcome{givenBack: map[inventory.Millis]int64{}}
	var effects []Effect
	now := inventory.Millis(0)
	for i := range events {
		now = max(now, events[i].Time)
		opened, more := tl.Advance(now, effects[:0])
		o.take(opened, more)
		opened, more = tl.Apply(&events[i], now, 0, more[:0])
		o.take(opened, more)
		effects = more
	}
	opened, more := tl.Advance(watermark, nil)
	o.take(opened, more)
	if o.open != tl.Open() {
		panic("the changes of open do not add up")
	}
	o.due = int64(tl.Due())
	return o
}

func (o *outcome) take(opened int64, effects []Effect) {
	o.open += opened
	for _, e := range effects {
		if o.givenBack[e.Time] += e.Consumed; o.givenBack[e.Time] == 0 {
			delete(o.givenBack, e.Time)
		}
	}
}

// TestTheOrderOfArrivalDoesNotShow: the events of an order come to the same in any order.
func TestTheOrderOfArrivalDoesNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := orders(t)
		want := play(gen.InOrder(events), at(40))
		got := play(rapid.Permutation(events).Draw(t, "arrival"), at(40))
		if got.open != want.open || got.due != want.due || !sameGiven(got.givenBack, want.givenBack) {
			t.Fatalf("came to %+v, in order to %+v", got, want)
		}
	})
}

func sameGiven(a, b map[inventory.Millis]int64) bool {
	if len(a) != len(b) {
		return false
	}
	for time, units := range a {
		if b[time] != units {
			return false
		}
	}
	return true
}

// TestWhatIsFinalStaysRight: with a horizon that follows, events are forgotten one by one, and late ones
// from behind it still find things as they were.
func TestWhatIsFinalStaysRight(t *testing.T) {
	const lateness = 6 * inventory.Minute
	rapid.Check(t, func(t *rapid.T) {
		events := gen.Shuffled(orders(t), lateness).Draw(t, "arrival")
		all, few := Timeline{Class: Reservation}, Timeline{Class: Reservation}
		now := inventory.Millis(0)
		for i := range events {
			now = max(now, events[i].Time)
			all.Advance(now, nil)
			few.Advance(now, nil)
			all.Apply(&events[i], now, 0, nil)
			few.Apply(&events[i], now, now-lateness, nil)
			if all.Open() != few.Open() || all.Due() != few.Due() {
				t.Fatalf("event %d: %d due %v with all events, %d due %v with the final ones folded",
					i, all.Open(), all.Due(), few.Open(), few.Due())
			}
			for _, e := range few.events {
				if e.time < now-lateness {
					t.Fatalf("event %d: one of %v is kept at %v", i, e.time, now)
				}
			}
		}
	})
}

// TestATimelineIsForgottenOnceNothingCanChangeIt, and asks to be looked at then.
func TestATimelineIsForgottenOnceNothingCanChangeIt(t *testing.T) {
	const lateness = 10 * inventory.Minute
	reserve := inventory.Delta{Kind: inventory.Reserve, Quantity: 4, Time: at(1), Channel: "web", Due: at(60)}
	for _, c := range []struct {
		name   string
		events []inventory.Delta
		class  Class
		next   inventory.Millis
	}{
		{"an open order lapses", []inventory.Delta{reserve}, Reservation, at(60)},
		{"an order that is shipped", []inventory.Delta{reserve, {Kind: inventory.Ship, Quantity: 4, Time: at(2)}}, Reservation, at(2) + lateness + 1},
		{"an order that lapsed: one from before it may still be late", []inventory.Delta{reserve, {Kind: inventory.Release, Quantity: 1, Time: at(61)}}, Reservation, at(61) + lateness + 1},
		{"an open order without an end", []inventory.Delta{{Kind: inventory.Reserve, Quantity: 4, Time: at(1), Channel: "web"}}, Reservation, 0},
		{"an ASN does not lapse", []inventory.Delta{{Kind: inventory.ASN, Quantity: 4, Time: at(1), Due: at(60)}}, Inbound, 0},
	} {
		tl := Timeline{Class: c.class}
		for i := range c.events {
			tl.Apply(&c.events[i], c.events[i].Time, 0, nil)
		}
		if got := tl.NextTimer(lateness); got != c.next {
			t.Errorf("%s: next at %v, want %v", c.name, got, c.next)
		}
		if tl.Open() == 0 && (tl.Spent(c.next-1-lateness) || !tl.Spent(c.next-lateness)) {
			t.Errorf("%s: it is to be forgotten at %v and not before", c.name, c.next)
		}
	}
	lapsed := Timeline{Class: Reservation}
	lapsed.Apply(&reserve, at(1), 0, nil)
	lapsed.Advance(at(60), nil)
	if want := at(60) + lateness + 1; lapsed.Open() != 0 || lapsed.NextTimer(lateness) != want || lapsed.Spent(at(60)) {
		t.Errorf("after its lapse %d are open and it is next at %v, want none and %v", lapsed.Open(), lapsed.NextTimer(lateness), want)
	}
}

// TestATimelineIsBounded: a reference that everything is put under keeps so many events and no more,
// and what is open is right in order of time.
func TestATimelineIsBounded(t *testing.T) {
	tl := Timeline{Class: Inbound}
	for i := range 3 * TimelineEvents {
		d := inventory.Delta{Kind: inventory.ASN, Quantity: 2, Time: gen.Start + inventory.Millis(i)}
		if i%2 == 1 {
			d.Kind, d.Quantity = inventory.Receipt, 1
		}
		tl.Apply(&d, d.Time, 0, nil)
		if len(tl.events) > TimelineEvents {
			t.Fatalf("%d events are kept, %d at most", len(tl.events), TimelineEvents)
		}
	}
	if want := int64(3 * TimelineEvents / 2); tl.Open() != want {
		t.Errorf("%d are open, want %d", tl.Open(), want)
	}
}
