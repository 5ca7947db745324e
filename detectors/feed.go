package detectors

import (
	"math"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	hoursOfWeek = 168

	// seasonPrior is how many sales a location must have shown before its curve by
	// hour of week counts as much as the one by hour of day, and dayPrior how many before that
	// one counts as much as a flat one. [A] A few to each of the hours of a week, of a day: a
	// partition sees but its share of a location's sales, and must know night from day soon.
	seasonPrior = 400.0
	dayPrior    = 48.0

	// seasonMax is when the curve's counts are halved, so that it follows slow change.
	seasonMax = 1 << 16

	// outageEvents is how many of the location's own sales may be missing before its
	// feed, not its demand, is taken for silent: e^−8 = 0.03 %.
	outageEvents = 8

	// rateHalfLife is over how much exposure, in hours, half of a rate is forgotten: four weeks.
	rateHalfLife = 28 * 24

	// rateEventsMin and rateHoursMin are how many events over how much exposure a location's own
	// rate needs before outages are told by it; until then a gap of more than a day is one.
	rateEventsMin = 20
	rateHoursMin  = 1
)

// Feed is what is known of a location's sales feed: the clock by which silence is
// measured there. It runs with the location's own rhythm by hour of week (its mean speed is
// one hour an hour) and stands still while the feed itself is down, so that a silent feed never looks like silent
// demand.
//
// The zero Feed has seen nothing.
type Feed struct {
	Source string // who reported the latest sale here

	clock  float64          // hours of exposure
	at     inventory.Millis // event time that clock stands for: the feed's own watermark
	sold   inventory.Millis // latest moment with a sale
	season [hoursOfWeek]uint32
	day    [24]uint32 // Σ season by hour of day
	total  uint32     // Σ season

	events, hours float64 // moments with a sale here, and the exposure in which they came, discounted
	keyEvents     float64 // pooled over the location's keys, discounted:
	keyHours      float64 // the prior rate of a key
	picks, fails  float64 // good and empty picks, discounted
}

// Sale tells the feed of a sale at time.
func (f *Feed) Sale(time inventory.Millis) {
	alive := f.alive(time, false)
	if time > f.sold { // a receipt of many lines is one sign of life
		f.sold = time
		if alive {
			f.events++
		}
	}
	hour := hourOfWeek(time)
	f.season[hour]++
	f.day[hour%24]++
	f.total++
	if f.total >= seasonMax {
		for i := range f.season {
			f.season[i] /= 2
		}
		f.addUp()
	}
}

// addUp works out the sums of season.
func (f *Feed) addUp() {
	f.total, f.day = 0, [24]uint32{}
	for i, n := range f.season {
		f.total += n
		f.day[i%24] += n
	}
}

// Learn tells the feed for how many hours of exposure the key that sold had waited:
// the pooled rate from which every key of the location starts.
func (f *Feed) Learn(hours float64) {
	keep := discount(hours)
	f.keyEvents = float64(f.keyEvents*keep) + 1
	f.keyHours = float64(f.keyHours*keep) + hours
}

// Vouch tells the feed that its source has nothing more from before time, and
// reports whether that was news.
func (f *Feed) Vouch(time inventory.Millis) bool {
	if time <= f.at {
		return false
	}
	f.alive(time, true)
	return true
}

// Picked tells the feed that a pick was good or came up short.
func (f *Feed) Picked(good bool) {
	const keep = 0.999 // a thousand picks of memory
	f.picks = float64(f.picks*keep) + 1
	f.fails = float64(f.fails * keep)
	if !good {
		f.fails++
	}
}

// alive moves the clock on to time and reports whether the feed was alive until then. Where no
// one vouches for the gap, and more sales are missing in it than chance allows, it was an outage and
// does not count, nor does the sale that ends it: the rate would rise with each outage, and make one of
// the next gap too.
func (f *Feed) alive(time inventory.Millis, vouched bool) bool {
	if f.at == 0 {
		f.at = time
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
			outage = hours*f.events/f.hours > outageEvents
		}
	}
	f.at = time
	if outage {
		return false
	}
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
	const week = hoursOfWeek * inventory.Hour
	t, horizon := f.at, f.at+most
	for hours > hoursOfWeek && t+week < horizon {
		t += week
		hours -= hoursOfWeek
	}
	for t < horizon {
		end := min(t-t%inventory.Hour+inventory.Hour, horizon)
		step := f.warp(t, end)
		if step >= hours {
			return t - f.at + inventory.Millis(math.Ceil(float64(end-t)*hours/step))
		}
		hours -= step
		t = end
	}
	return most
}

// keyRate returns the pooled demand events of a key per hour of exposure.
func (f *Feed) keyRate() float64 {
	// Until something is known: one event a week, worth two events of evidence.
	return (f.keyEvents + 2) / (f.keyHours + 2*7*24)
}

// emptyRate returns how often a pick comes up empty here though the stock is there:
// a Beta(1, 19) prior of 5 %.
func (f *Feed) emptyRate() float64 {
	return min((f.fails+1)/(f.picks+20), 0.5)
}

// warp returns the hours of exposure between two event times.
func (f *Feed) warp(from, to inventory.Millis) float64 {
	const week = hoursOfWeek * inventory.Hour
	hours := 0.0
	if weeks := (to - from) / week; weeks > 0 {
		hours = float64(weeks) * hoursOfWeek
		from += weeks * week
	}
	for from < to {
		end := min(from-from%inventory.Hour+inventory.Hour, to)
		hours += float64(f.weight(from) * (float64(end-from) / float64(inventory.Hour)))
		from = end
	}
	return hours
}

// weight returns the speed of the clock at t: the hour's share of the location's
// sales against an even share, drawn to that of its hour of day, and that to 1, while little is
// known. Its mean over a week is 1.
func (f *Feed) weight(t inventory.Millis) float64 {
	hour, total := hourOfWeek(t), float64(f.total)
	byDay := (float64(f.day[hour%24]) + dayPrior/24) / ((total + dayPrior) / 24)
	return (float64(f.season[hour]) + float64(byDay*(seasonPrior/hoursOfWeek))) / ((total + seasonPrior) / hoursOfWeek)
}

func hourOfWeek(t inventory.Millis) int {
	return int(t / inventory.Hour % hoursOfWeek)
}

func discount(hours float64) float64 { return math.Exp2(-hours / rateHalfLife) }

// Append appends the feed's bytes.
func (f *Feed) Append(dst []byte) []byte {
	dst = wire.AppendString(dst, f.Source)
	dst = wire.AppendInt(dst, f.at)
	dst = wire.AppendInt(dst, f.sold)
	for _, x := range f.floats() {
		dst = wire.AppendFloat(dst, *x)
	}
	for _, n := range f.season {
		dst = wire.AppendUint(dst, uint64(n))
	}
	return dst
}

// Read reads what Append wrote. Errors stay in r.
func (f *Feed) Read(r *wire.Reader) {
	*f = Feed{Source: r.String(), at: inventory.Millis(r.Int()), sold: inventory.Millis(r.Int())}
	for _, x := range f.floats() {
		*x = r.Float()
	}
	for i := range f.season {
		f.season[i] = uint32(r.Uint())
	}
	f.addUp()
}

func (f *Feed) floats() [7]*float64 {
	return [...]*float64{&f.clock, &f.events, &f.hours, &f.keyEvents, &f.keyHours, &f.picks, &f.fails}
}
