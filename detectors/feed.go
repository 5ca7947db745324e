package detectors

import (
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	hoursOfWeek = 168
	week        = hoursOfWeek * inventory.Hour

	// hourPrior is how many sales must have been expected in an hour of the week before what came
	// counts as much as what that hour of the day brings, and dayPrior how many in an hour of the
	// day before it counts as much as a flat curve. [A] A few: a partition sees but its
	// share of a location's sales, and must know night from day soon.
	hourPrior = 2.4
	dayPrior  = 2.0

	// outageEvents is how many of the location's own sales may be missing before its
	// feed, not its demand, is taken for silent: e^−8 = 0.03 %.
	outageEvents = 8

	// leadMax is how many sales others must report in a row before the clock runs by theirs. [A]
	leadMax = 100

	// rateHalfLife is over how much exposure, in hours, half of a rate is forgotten: four weeks.
	rateHalfLife = 28 * 24

	// rateEventsMin and rateHoursMin are how many events over how much exposure a location's own
	// rate needs before outages are told by it; until then a gap of more than a day is one.
	rateEventsMin = 20
	rateHoursMin  = 24
)

// Feed is what is known of a location's sales feed: the clock by which silence is
// measured there. It runs with the location's own rhythm by hour of week (its mean speed is
// one hour an hour) and stands still while the feed itself is down, so that a silent feed never looks like silent
// demand.
//
// The zero Feed has seen nothing.
type Feed struct {
	Source string // whose sales the clock runs by: who reports most of those here
	lead   int    // how many more of them it reported than others, of late

	clock float64          // hours of exposure
	at    inventory.Millis // event time that clock stands for: the feed's own watermark
	sold  inventory.Millis // latest moment with a sale

	season  [hoursOfWeek]uint32           // sales by hour of week
	watched [hoursOfWeek]inventory.Millis // how long each of these hours was watched, the feed being alive
	day     [24]tally                     // both by hour of day
	total   tally
	open    tally // what of it came in the hour in which the clock stands
	changed bool  // what is written of the hours of the week, see [Feed.WeekChanged]

	events, hours float64 // moments with a sale here, and the exposure in which they came, discounted
	keyEvents     float64 // pooled over the location's keys, discounted:
	keyHours      float64 // the prior rate of a key
	picks, fails  float64 // good and empty picks, discounted
}

// From tells the feed who reports a sale, and reports whether it is the one by whose sales the
// clock runs: the majority's (Boyer and Moore's vote). Where the tills are cut off, orders from the web must not
// make the counter's silence look like demand's.
func (f *Feed) From(source string) bool {
	switch {
	case source == f.Source:
		f.lead = min(f.lead+1, leadMax)
	case f.lead > 0:
		f.lead--
	default:
		f.Source, f.lead = strings.Clone(source), 1
	}
	return source == f.Source
}

// Sale tells the feed of a sale at time, by its own source.
func (f *Feed) Sale(time inventory.Millis) {
	alive := f.alive(time, false)
	if time > f.sold { // a receipt of many lines is one sign of life
		f.sold = time
		if alive {
			f.events++
		}
	}
	f.count(time)
}

// Learn tells the feed for how many hours of exposure the key that sold had waited:
// the pooled rate from which every key of the location starts.
func (f *Feed) Learn(hours float64) {
	keep := discount(hours)
	f.keyEvents = float64(f.keyEvents*keep) + 1
	f.keyHours = float64(f.keyHours*keep) + hours
}

// Behind reports whether it is news to the feed that its source has nothing more from before time.
func (f *Feed) Behind(time inventory.Millis) bool { return time > f.at }

// Vouch tells the feed so.
func (f *Feed) Vouch(time inventory.Millis) { f.alive(time, true) }

// Picked tells the feed of a pick, and how surely it came up empty though the stock was there: 0 for a good one.
func (f *Feed) Picked(empty float64) {
	const keep = 0.999 // a thousand picks of memory
	f.picks = float64(f.picks*keep) + 1
	f.fails = float64(f.fails*keep) + empty
}

// alive moves the clock on to time and reports whether the feed was alive until then. Where no
// one vouches for the gap, and more sales are missing in it than chance allows, it was an outage and
// does not count, nor does the sale that ends it: the rate would rise with each outage, and make one of
// the next gap too.
func (f *Feed) alive(time inventory.Millis, vouched bool) bool {
	if f.at == 0 {
		f.stand(time)
		return false
	}
	if time <= f.at {
		return true
	}
	hours := f.warp(f.at, time)
	outage := false
	if !vouched {
		if f.events < rateEventsMin || f.hours < rateHoursMin {
			outage = time-f.at > inventory.Day
		} else {
			outage = hours*f.events > outageEvents*f.hours
		}
	}
	from := f.at
	f.stand(time)
	if outage {
		return false
	}
	f.watch(from, time)
	f.clock += hours
	keep := discount(hours)
	f.events = float64(f.events * keep)
	f.hours = float64(f.hours*keep) + hours
	return true
}

// Clock returns the location's exposure so far, in hours.
func (f *Feed) Clock() float64 { return f.clock }

// After returns how long, in event time, the clock takes to go on by hours from where it
// stands if the feed stays alive; most at the most.
func (f *Feed) After(hours float64, most inventory.Millis) inventory.Millis {
	var a ahead
	return a.reach(f, hours, most)
}

// pool returns the demand events of keys here, and the hours of exposure in which they came: until something is
// known, one event a week, worth two events of evidence.
func (f *Feed) pool() (events, hours float64) {
	return f.keyEvents + 2, f.keyHours + 2*7*24
}

// emptyRate returns how often a pick comes up empty here though the stock is there:
// a Beta(1, 19) prior of 5 %.
func (f *Feed) emptyRate() float64 {
	return min((f.fails+1)/(f.picks+20), 0.5)
}

// warp returns the hours of exposure between two event times.
func (f *Feed) warp(from, to inventory.Millis) float64 {
	hours := 0.0
	if weeks := (to - from) / week; weeks > 0 { // of which each is like the last one
		middle := to - week/2
		hours = float64(float64(weeks) * (f.warp(to-week, middle) + f.warp(middle, to)))
		to -= weeks * week
	}
	for from < to {
		end := min(nextHour(from), to)
		hours += float64(f.weight(from, end-from) * (float64(end-from) / float64(inventory.Hour)))
		from = end
	}
	return hours
}

// weight returns the speed of the clock from t on, over a span within its hour: the location's rate of
// sales in that hour of the week against its mean rate. Each hour is judged by how long it was
// watched, so that one that has not come yet is no slow one: what it brought against what that
// hour of the day does, and this against a flat curve, each drawn to 1 while little is known.
// The span itself counts as watched: a rate that is taken where a sale was just seen is too high.
func (f *Feed) weight(t, span inventory.Millis) float64 {
	return f.speed(hourOfWeek(t), float64(f.total.watched+span), float64(span))
}

// speed returns the weight of an hour of the week over a span of it, given all the time that was watched, span included.
// With sales s, dayPrior and hourPrior p, and the time watched w, of the location, the hour of the day and the hour of the
// week, it is day · (s_hour + p_hour) / (rate · day · w_hour + p_hour), where rate = s/w and day = (s_day + p_day) / (rate · w_day + p_day):
// brought to one fraction, for divisions are dear.
func (f *Feed) speed(hour int, watched, span float64) float64 {
	day := &f.day[hour%24]
	sales := float64(f.total.sales)
	byDay := float64(day.sales) + dayPrior
	ofDay := float64(sales*(float64(day.watched)+span)) + float64(dayPrior*watched)
	expected := float64(sales * byDay * (float64(f.watched[hour]) + span))
	return byDay * watched * (float64(f.season[hour]) + hourPrior) / (expected + float64(hourPrior*ofDay))
}

func nextHour(t inventory.Millis) inventory.Millis { return t - t%inventory.Hour + inventory.Hour }

func hourOfWeek(t inventory.Millis) int {
	return int(t / inventory.Hour % hoursOfWeek)
}

func discount(hours float64) float64 { return exp2(hours * (-1.0 / rateHalfLife)) }
