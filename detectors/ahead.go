package detectors

import (
	"math"
	"sort"

	"github.com/holdfast-atp/holdfast/inventory"
)

// ahead is the week to come on a feed's clock, as far as it was asked for: worked out once for
// all that is asked while the feed stays as it is. The zero ahead is ready.
type ahead struct {
	first float64                  // hours of exposure to the end of the hour that runs
	sums  [hoursOfWeek + 1]float64 // and in so many whole hours from there on
	known int                      // of sums
}

// reach returns in how long, in event time, the clock will have gone on by hours of exposure if
// the feed stays alive; most at the most.
func (a *ahead) reach(f *Feed, hours float64, most inventory.Millis) inventory.Millis {
	rest := nextHour(f.at) - f.at
	if a.first == 0 {
		a.first = f.warp(f.at, f.at+rest)
	}
	if hours <= a.first {
		return min(most, partOf(rest, hours/a.first))
	}
	left := hours - a.first
	a.learn(f, left, int((most-rest)/inventory.Hour)+1)
	in := rest
	if sum := a.sums[a.known]; left > sum {
		if a.known < hoursOfWeek {
			return most
		}
		// Every further week is like this one.
		weeks := math.Floor(left / sum)
		if weeks > float64(most/week) {
			return most
		}
		left -= float64(weeks * sum)
		in += inventory.Millis(weeks) * week
	}
	n := sort.SearchFloat64s(a.sums[1:a.known], left) // whole hours that end before
	return min(most, in+inventory.Millis(n)*inventory.Hour+partOf(inventory.Hour, (left-a.sums[n])/(a.sums[n+1]-a.sums[n])))
}

// learn works out the sums up to the first that is not less than left, but for most hours at most.
func (a *ahead) learn(f *Feed, left float64, most int) {
	const span = float64(inventory.Hour)
	watched := float64(f.total.watched) + span
	n, most := a.known, min(most, hoursOfWeek)
	hour := (hourOfWeek(nextHour(f.at)) + n) % hoursOfWeek
	for sum := a.sums[n]; n < most && sum < left; {
		sum += f.speed(hour, watched, span)
		n++
		a.sums[n] = sum
		if hour++; hour == hoursOfWeek {
			hour = 0
		}
	}
	a.known = n
}

// partOf returns a share of a span, rounded up to a millisecond.
func partOf(span inventory.Millis, share float64) inventory.Millis {
	return inventory.Millis(math.Ceil(float64(float64(span) * share)))
}
