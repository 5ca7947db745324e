package detectors

import (
	"math"
	"math/rand"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// naive says of a feed and a belief what the formulas say, hour by hour and with the library's functions.
type naive struct{ *Feed }

func (n naive) weight(t, span inventory.Millis) float64 {
	hour := hourOfWeek(t)
	rate := float64(n.total.sales) / float64(n.total.watched+span)
	byDay := (float64(n.day[hour%24].sales) + dayPrior) / (rate*float64(n.day[hour%24].watched+span) + dayPrior)
	return byDay * (float64(n.season[hour]) + hourPrior) / (rate*byDay*float64(n.watched[hour]+span) + hourPrior)
}

// after walks from hour to hour.
func (n naive) after(hours float64, most inventory.Millis) float64 {
	passed := inventory.Millis(0)
	for passed < most {
		span := nextHour(n.at+passed) - (n.at + passed)
		step := n.weight(n.at+passed, span) * float64(span) / float64(inventory.Hour)
		if step >= hours {
			return min(float64(most), float64(passed)+float64(span)*hours/step)
		}
		hours -= step
		passed += span
	}
	return float64(most)
}

// logOdds adds up hour by hour what vanished in each, which the silence from then on speaks for.
func (n naive) logOdds(b *Belief, v *View, silent float64) float64 {
	shape := rateShape + b.events
	rate := shape / (rateShape*(n.keyHours+336)/(n.keyEvents+2) + b.hours)
	shape = min(shape, shapeMax)
	s := 1 / (1/shape + 1/(moodShape*(1+silent/24)))
	ratio := func(u float64) float64 { return math.Pow(1+rate*u/s, s) }
	start := math.Log(b.prior / (1 - b.prior))
	if b.mark != 0 || b.odds != 0 {
		start = b.odds
	}
	hazard := hazardPerDay / 24 * (1 + b.hazard + hazardLow*math.Exp(-float64(v.OnHand)/2))
	const steps = 4000
	lost := 0.0
	for i := range steps { // the middle of each
		lost += (silent - b.mark) / steps * ratio(b.mark) / ratio(b.mark+(silent-b.mark)*(float64(i)+0.5)/steps)
	}
	return math.Log(ratio(silent)/ratio(b.mark)) + math.Log(math.Exp(start)+hazard*lost)
}

// lived draws a feed that has seen some weeks, with shop hours, outages and vouching, or nothing.
func lived(t *rapid.T) *Feed {
	f := &Feed{}
	random := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
	now := inventory.Millis(1_795_392_000_000) + inventory.Millis(random.Int63n(int64(week)))
	opens := random.Intn(24)
	for range rapid.IntRange(0, 60).Draw(t, "stretches") {
		perHour := []int{0, 1, 3, 40}[random.Intn(4)]
		for range 1 + random.Intn(30) {
			if int(now/inventory.Hour)%24 >= opens {
				for range perHour {
					f.Sale(now)
					now += inventory.Hour / inventory.Millis(perHour+1)
				}
			}
			now = nextHour(now) + inventory.Millis(random.Int63n(20_000)-10_000)
			if random.Intn(10) > 0 {
				f.Vouch(now)
			}
		}
		f.Learn(100 * random.Float64())
	}
	return f
}

const longest = 60 * inventory.Day

func TestTheFeedsClockEqualsANaiveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := lived(t)
		n := naive{f}
		for hour := range inventory.Millis(hoursOfWeek) {
			at, span := f.at+hour*inventory.Hour, inventory.Millis(rapid.Int64Range(1, int64(inventory.Hour)).Draw(t, "span"))
			if got, want := f.weight(at, span), n.weight(at, span); !(math.Abs(got-want) <= 1e-13*want) {
				t.Fatalf("hour %d from now weighs %v, want %v", hour, got, want)
			}
		}
		var asked ahead // all of it of one
		for range 20 {
			hours := math.Exp2(rapid.Float64Range(-10, 12).Draw(t, "log hours"))
			most := inventory.Millis(rapid.Int64Range(int64(inventory.Hour), int64(longest)).Draw(t, "most"))
			want := n.after(hours, most)
			for _, got := range []inventory.Millis{f.After(hours, most), asked.reach(f, hours, most)} {
				if off := float64(got) - want; off < -1 || off > 2 { // whole milliseconds, rounded up
					t.Fatalf("%v hours have passed in %v ms of at most %d, want %v", hours, got, most, want)
				}
			}
		}
	})
}

func TestTheAlarmEqualsANaiveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := lived(t)
		b := Belief{}
		v := &View{Now: f.at, Belief: &b, Feed: f, Quantities: inventory.Quantities{OnHand: rapid.Int64Range(1, 300).Draw(t, "on hand")}}
		b.Hold(v)
		for range rapid.IntRange(0, 30).Draw(t, "deltas") {
			v.Now = f.at + inventory.Millis(rapid.Int64Range(0, int64(9*inventory.Hour)).Draw(t, "on"))
			f.Vouch(v.Now)
			kind := rapid.SampledFrom([]inventory.Kind{inventory.Sale, inventory.Sale, inventory.Sale, inventory.Adjust, inventory.Receipt, inventory.Substitute}).Draw(t, "kind")
			rose := b.Observe(v, &inventory.Delta{Kind: kind, Quantity: -1})
			if kind == inventory.Sale {
				shape, hours := b.rate(f)
				mean := shape / hours
				if limit := rearmAt * b.armed; math.Abs(mean-limit) > 1e-12*limit && rose != (mean > limit) {
					t.Fatalf("a sale brings the rate to %v, %v when last armed: said to have risen: %v", mean, b.armed, rose)
				}
			}
			if rose {
				b.AlarmIn(v, 0.8, longest)
			}
		}
		raise := rapid.Float64Range(0.05, 0.99).Draw(t, "raise")
		n, silent := naive{f}, b.silence(v)
		if got, want := b.logOdds(v), n.logOdds(&b, v, silent); math.Abs(got-want) > 2e-3 {
			t.Fatalf("the log-odds are %v, want %v", got, want)
		}
		q := b.quiet(v)
		need := q.until(math.Log(raise/(1-raise)), silent, 1e6)
		if at := q.at(silent + need); need > 0 && need < 1e6 && math.Abs(at-math.Log(raise/(1-raise))) > 1e-4 {
			t.Fatalf("%v more hours bring the log-odds to %v, want %v", need, at, math.Log(raise/(1-raise)))
		}
		got, ok := b.AlarmIn(v, raise, longest)
		want := n.after(need, longest)
		if off := math.Abs(float64(got) - want); off > 2+1e-7*want || ok != (got < longest) {
			t.Fatalf("the alarm is due in %d ms (%v), want %v", got, ok, want)
		}
	})
}
