package quality

import (
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// alarms is what a threshold on a method's scores comes to. One that comes back within a day is the same.
type alarms struct {
	threshold  float64
	right      int // that began where nothing was there
	wrong      int
	wrongLooks int // at keys whose stock was there, under an alarm
	thereLooks int // at keys whose stock was there
	found      []delay
	phantom    float64 // hours of the episodes
	unfound    float64 // of them, before an alarm
}

// sameAlarm is within which time an alarm that comes back is the same.
const sameAlarm = inventory.Day

// delay is how long an episode lasted until it was found.
type delay struct {
	episode  *episode
	hours    float64
	expected float64 // demand events that were to be expected meanwhile
}

// raise returns what the alarms of a method at a threshold come to. Where nothing is promised there is no alarm.
func (w *watch) raise(method int, threshold float64) alarms {
	a := alarms{threshold: threshold}
	scores := w.scores[method]
	same := int(sameAlarm / (w.hours[1] - w.hours[0]))
	for k := range w.keys {
		until := -1 // the alarm that began last is the same up to this hour
		for h := range w.hours {
			i := w.at(k, h)
			if !w.promised[i] {
				continue
			}
			on, fresh := float64(scores[i]) >= threshold, h > until
			if !w.phantom[i] {
				a.thereLooks++
			}
			if !on {
				continue
			}
			until = h + same
			switch {
			case !w.phantom[i] && fresh:
				a.wrong++
			case fresh:
				a.right++
			}
			if !w.phantom[i] {
				a.wrongLooks++
			}
		}
	}
	return a
}

// find adds to a when each episode was found.
func (w *watch) find(method int, a *alarms) {
	scores := w.scores[method]
	step := w.hours[1] - w.hours[0]
	for _, e := range w.episodes {
		found := math.Inf(1)
		hour := int((e.begin - w.hours[0] + step - 1) / step)
		for h := hour; h < len(w.hours) && w.hours[h] < e.end; h++ {
			if i := w.at(e.key, h); w.promised[i] && float64(scores[i]) >= a.threshold {
				found = inHours(w.hours[h] - e.begin)
				break
			}
		}
		d := delay{e, found, math.Inf(1)}
		lasts := inHours(e.end - e.begin)
		a.phantom += lasts
		a.unfound += min(found, lasts)
		if !math.IsInf(found, 1) {
			d.expected = w.expected(e.key, e.begin, e.begin+inventory.Millis(found*float64(inventory.Hour)))
		}
		a.found = append(a.found, d)
	}
}

func inHours(t inventory.Millis) float64 { return float64(t) / float64(inventory.Hour) }

// searchSteps is in how many steps the share of looks under an alarm rises on the way to a threshold.
const searchSteps = 60

// match returns the alarms of a method at the lowest threshold at which it makes no more wrong ones than allowed, coming from the
// highest.
func (w *watch) match(method, wrong int) alarms {
	var all []float32
	for i, s := range w.scores[method] {
		if w.promised[i] {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	// above returns a threshold that lets about a share of all looks pass.
	above := func(share float64) float64 {
		i := len(all) - 1 - int(share*float64(len(all)-1))
		return float64(all[i])
	}
	best := alarms{threshold: math.Inf(1)}
	low, high := 0.0, 0.0 // shares: one that is allowed, one that is not
	for step := range searchSteps {
		high = math.Exp(float64(step-searchSteps+1) / searchSteps * 10)
		a := w.raise(method, above(high))
		if a.wrong > wrong {
			break
		}
		best, low = a, high
	}
	for range 12 {
		share := (low + high) / 2
		if a := w.raise(method, above(share)); a.wrong > wrong {
			high = share
		} else {
			best, low = a, share
		}
	}
	return best
}
