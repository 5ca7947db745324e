package detectors_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// street is a feed of a location, told of its sales as they come.
type street struct {
	feed detectors.Feed
	now  inventory.Millis
}

// trade lets hours go by, with sales in each as many as perHour says of its start, spread evenly.
func (s *street) trade(hours int, perHour func(at inventory.Millis) int) {
	for range hours {
		n := perHour(s.now)
		for i := range n {
			s.feed.Sale(s.now + inventory.Millis(i)*inventory.Hour/inventory.Millis(n))
		}
		s.now += inventory.Hour
		s.feed.Vouch(s.now)
	}
}

// shopHours is twelve sales an hour from 9 to 21, and twice as many on Saturdays.
func shopHours(at inventory.Millis) int {
	hour := at.Time().Hour()
	switch {
	case hour < 9 || hour >= 21:
		return 0
	case at.Time().Weekday() == 6:
		return 24
	}
	return 12
}

func always(n int) func(inventory.Millis) int { return func(inventory.Millis) int { return n } }

// speeds returns how fast the clock runs in each hour of the week to come.
func (s *street) speeds() (speed [168]float64) {
	ahead := *s
	for i := range speed {
		before := ahead.feed.Clock()
		ahead.trade(1, shopHours)
		speed[i] = ahead.feed.Clock() - before
	}
	return speed
}

func TestTheClockRunsWithTheLocationsRhythm(t *testing.T) {
	s := &street{now: monday}
	s.trade(4*168, shopHours)
	sum := 0.0
	for i, speed := range s.speeds() {
		sum += speed
		// 13 × 7 × 12 sales in 168 hours, but for 12 hours more on Saturdays.
		want := float64(shopHours(monday+inventory.Millis(i)*inventory.Hour)) / (12 * 12 * 8.0 / 168)
		near(t, fmt.Sprintf("the speed in hour %d of the week", i), speed, want, 0.3)
	}
	near(t, "a week", sum, 168, 8)
}

// TestAnHourThatHasNotComeYetIsNoSlowOne: in its first week a location knows its hours from its days; the
// rest of that week does not stand still, and the second does not run away.
func TestAnHourThatHasNotComeYetIsNoSlowOne(t *testing.T) {
	for _, sales := range []int{1, 2, 12} { // an hour
		s := &street{now: monday}
		rhythm := func(at inventory.Millis) int { return min(shopHours(at), sales) }
		s.trade(2*24, rhythm)
		for day := 3; day <= 21; day++ {
			before := s.feed.Clock()
			s.trade(24, rhythm)
			near(t, fmt.Sprintf("day %d at %d sales an hour", day, sales), s.feed.Clock()-before, 24, 5)
		}
	}
}

func TestFewSalesTellNightFromDay(t *testing.T) {
	s := &street{now: monday}
	s.trade(2*24, func(at inventory.Millis) int { return min(shopHours(at), 1) })
	speeds := s.speeds()
	if night, noon := speeds[3], speeds[12]; night > noon/2 {
		t.Errorf("after two days the clock runs at %.2f by night and at %.2f at noon", night, noon)
	}
}

// TestAnOutageIsNoSilence: where more than eight sales are missing and nobody vouches, it is the feed.
func TestAnOutageIsNoSilence(t *testing.T) {
	for _, c := range []struct {
		name        string
		gap         inventory.Millis
		vouch       bool
		least, most float64
	}{
		{"half an hour, where six were expected", inventory.Hour / 2, false, 0.4, 0.5},
		{"an hour, where twelve were", inventory.Hour, false, 0, 0},
		{"ten hours", 10 * inventory.Hour, false, 0, 0},
		// Vouched for, it is demand that is low, all over the location: the clock runs a little slower.
		{"ten hours for which somebody vouches", 10 * inventory.Hour, true, 6.5, 10},
	} {
		s := &street{now: monday}
		s.trade(2*168, always(12))
		last := s.now - 5*inventory.Minute
		before := s.feed.Clock()
		if c.vouch {
			s.feed.Vouch(last + c.gap)
		} else {
			s.feed.Sale(s.now) // so that the gap begins at a sale
			s.feed.Sale(s.now + c.gap)
		}
		if passed := s.feed.Clock() - before; passed < c.least-1e-9 || passed > c.most+0.1 {
			t.Errorf("in %s %.3f h pass, want %g to %g", c.name, passed, c.least, c.most)
		}
	}
}

func TestOutagesDoNotMakeOthers(t *testing.T) {
	s := &street{now: monday}
	s.trade(2*168, always(12))
	for range 200 { // up for an hour, down for four
		for range 12 {
			s.feed.Sale(s.now)
			s.now += 5 * inventory.Minute
		}
		s.now += 4 * inventory.Hour
	}
	s.feed.Sale(s.now)
	before := s.feed.Clock()
	s.feed.Sale(s.now + inventory.Hour/2)
	near(t, "half an hour in which six are missing", s.feed.Clock()-before, 0.5, 0.1)
}

// TestAnOutageCannotBeToldBeforeADayIsKnown: until then a gap of a day is one.
func TestAnOutageCannotBeToldBeforeADayIsKnown(t *testing.T) {
	s := &street{now: monday}
	rush := func(n int) {
		for range n {
			s.feed.Sale(s.now)
			s.now += inventory.Second
		}
	}
	rush(100)
	for range 400 { // hourly from there on
		s.now += inventory.Hour
		s.feed.Sale(s.now)
	}
	if clock := s.feed.Clock(); clock < 200 {
		t.Errorf("a rush at the opening made outages of the hours after it: the clock ran %.1f of 400 hours", clock)
	}
	s = &street{now: monday}
	rush(3)
	before := s.feed.Clock()
	s.feed.Sale(s.now + 25*inventory.Hour)
	near(t, "what passes in a day of which nothing is known", s.feed.Clock()-before, 0, 0)
}

func TestVouching(t *testing.T) {
	var f detectors.Feed
	vouch := func(time inventory.Millis) (news bool) {
		news = f.Behind(time)
		f.Vouch(time)
		return news
	}
	if !vouch(monday) {
		t.Error("the first word of a feed is no news")
	}
	if vouch(monday) || vouch(monday-inventory.Hour) || f.Clock() != 0 {
		t.Error("what was known already is news, or moves the clock")
	}
	if !vouch(monday+inventory.Hour) || f.Clock() != 1 {
		t.Errorf("the clock is at %v after an hour", f.Clock())
	}
	if !vouch(monday + 100*168*inventory.Hour) {
		t.Error("a hundred weeks are no news")
	}
	near(t, "the clock after a hundred weeks in which nothing was sold", f.Clock(), 100*168, 1e-6)
	f.Sale(monday) // late: somebody vouched for there being none, but it came
	near(t, "the clock after a sale from before", f.Clock(), 100*168, 1e-6)
}

// TestTheClockRunsByTheMajority: the web's orders do not vouch for tills that are cut off.
func TestTheClockRunsByTheMajority(t *testing.T) {
	var f detectors.Feed
	ran := map[string]int{}
	sell := func(n int, sources ...string) {
		for range n {
			for _, source := range sources {
				if f.From(source) {
					ran[source]++
				}
			}
		}
	}
	sell(50, "pos", "pos", "oms")
	if f.Source != "pos" || ran["pos"] < 95 {
		t.Errorf("the clock runs by %s, %v", f.Source, ran)
	}
	clear(ran)
	sell(40, "oms")
	if f.Source != "pos" || ran["oms"] > 0 {
		t.Errorf("after forty orders while the tills are cut off the clock runs by %s, %v", f.Source, ran)
	}
	sell(1000, "pos")
	sell(100, "oms")
	if f.Source != "pos" {
		t.Error("a hundred orders are more than a thousand sales")
	}
	sell(50, "oms")
	if f.Source != "oms" {
		t.Errorf("the clock still runs by %s, which has been gone for long", f.Source)
	}
}

func TestAfterIsTheInverseOfTheClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &street{now: monday}
		s.trade(rapid.IntRange(1, 500).Draw(t, "hours"), shopHours)
		hours := math.Exp(rapid.Float64Range(-2, 7).Draw(t, "log hours"))
		const most = 60 * inventory.Day
		in := s.feed.After(hours, most)
		passed := func(in inventory.Millis) float64 {
			ahead := s.feed
			ahead.Vouch(s.now + in)
			return ahead.Clock() - s.feed.Clock()
		}
		// Within an hour the way of the clock depends on how often it is looked at.
		floor := in - in%inventory.Hour
		if before := passed(floor); before > 1.0001*hours {
			t.Fatalf("in %d h, before the time is up, %.4f pass on the clock, want %.4f at most", floor/inventory.Hour, before, hours)
		}
		if after := passed(floor + inventory.Hour); in < most && after < 0.9999*hours {
			t.Fatalf("in %d h, after the time is up, %.4f pass on the clock, want %.4f at least", floor/inventory.Hour+1, after, hours)
		}
	})
}

func TestThePoolOfRates(t *testing.T) {
	w := newWorld(10)
	near(t, "the rate of a new key where nothing is known", w.figure(t, "rate_per_day"), 1.0/7, 1e-4)
	for range 5000 {
		w.feed.Learn(2)
	}
	near(t, "the rate of a new key where keys sell every two hours", w.figure(t, "rate_per_day"), 24*(485+2)/(970+336.0), 0.1)
}

func TestPicksThatFailAnyway(t *testing.T) {
	w := newWorld(10)
	near(t, "the share where nothing is known", w.figure(t, "location_empty_rate"), 0.05, 0)
	for range 100_000 {
		w.feed.Picked(0)
	}
	near(t, "the share where none does", w.figure(t, "location_empty_rate"), 1/1020.0, 1e-4)
	for range 100_000 {
		w.feed.Picked(1)
	}
	near(t, "the share where all do", w.figure(t, "location_empty_rate"), 0.5, 0) // or an empty pick would say nothing
}

// TestABusyFeedForgets: its counts are bounded, and its rhythm stays.
func TestABusyFeedForgets(t *testing.T) {
	s := &street{now: monday}
	busy := func(at inventory.Millis) int { return 40 * shopHours(at) }
	s.trade(2*168, busy) // some 92,000
	before := s.feed.Clock()
	s.trade(168, busy)
	near(t, "a week", s.feed.Clock()-before, 168, 8)
}

// whole is a feed with its week.
type whole struct{ *detectors.Feed }

func (w whole) Append(dst []byte) []byte { return w.Feed.AppendWeek(w.Feed.Append(dst)) }

func (w whole) Read(r *wire.Reader) {
	w.Feed.Read(r)
	w.Feed.ReadWeek(r)
}

func TestAFeedIsReadAsItWasWritten(t *testing.T) {
	var fresh detectors.Feed
	reread(t, whole{&fresh}, whole{new(detectors.Feed)})
	s := &street{now: monday}
	s.feed.From("pos-1")
	s.trade(200, shopHours)
	s.feed.Learn(3)
	s.feed.Picked(1)
	var back detectors.Feed
	reread(t, whole{&s.feed}, whole{&back})
	s2 := &street{back, s.now}
	reread(t, whole{&s.feed}, whole{&s2.feed})
	if got, want := s2.speeds(), s.speeds(); got != want {
		t.Errorf("the clock that was read runs at %v, want %v", got, want)
	}
}
