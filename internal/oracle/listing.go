package oracle

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// listings is the rule of stale_listing: since when a channel shows a quarter more than it may sell, until when it has time to mend that, and
// how long the feeds to each channel of a location took to follow stock that fell, in hours.
type listings struct {
	shown map[subject]overshown
	took  map[feed][]float64
}

type overshown struct{ since, until inventory.Millis }

type feed struct{ location, channel string }

func newListings() listings { return listings{map[subject]overshown{}, map[feed][]float64{}} }

func (l listings) accepted(w *Watch, d *inventory.Delta) { l.after(w, d) }

func (l listings) look(w *Watch) { l.after(w, nil) }

// after looks at all that is listed, after d or, where that is nil, after time has passed.
func (l listings) after(w *Watch, d *inventory.Delta) {
	for key := range w.log {
		consumed := consumption(w.log[key], w.timelines(key))
		stock := w.Availability(key.SKU, key.Location)
		for _, c := range stock.Channels {
			s, to := subject{key: key, channel: c.Channel}, feed{key.Location, c.Channel}
			listed := d != nil && d.Kind == inventory.Listing && d.Channel == c.Channel && d.Key() == key
			was, known := l.shown[s]
			_, open := w.open[s]
			if listed && known {
				l.took[to] = append(l.took[to], min(hours(w.watermark-was.since), 2*hours(l.patience(to))))
				was.since, was.until = w.watermark, 0
			}
			excess := shows(w.log[key], consumed, c.Channel) - max(c.ATP, 0)
			beyond := excess - stock.InTransit // what is on its way may have come
			grave := beyond > 0 && beyond*4 >= max(c.ATP, 0)
			if excess <= 0 || !open && !grave {
				delete(l.shown, s)
				w.edge(s, false)
				continue
			}
			until := w.watermark + l.patience(to)
			if listed && excess > w.asked(key) {
				until = w.watermark + 15*inventory.Minute
			}
			if !known {
				was = overshown{w.watermark, until}
			} else if grave && (was.until == 0 || until < was.until) {
				was.until = until
			}
			l.shown[s] = was
			if w.watermark >= was.until {
				w.edge(s, true)
			}
		}
	}
}

// asked returns how many units were asked for in the last hour.
func (w *Watch) asked(key inventory.Key) (units int64) {
	for _, pane := range w.Window(key.SKU, key.Location, Demand, inventory.Minute) {
		units += pane.Sum
	}
	return units
}

// patience returns how long feeds to a channel may take: what they took in the mean, and three standard deviations. Each
// counts a fiftieth less than the next, and four of 1.3 hours, with 2.5 in the square, are taken to have come before them.
func (l listings) patience(to feed) inventory.Millis {
	n, sum, squares := 4.0, 5.2, 10.0
	for _, took := range l.took[to] {
		n = float64(n*0.98) + 1
		sum = float64(sum*0.98) + took
		squares = float64(squares*0.98) + float64(took*took)
	}
	mean := sum / n
	deviation := math.Sqrt(max(squares/n-float64(mean*mean), 0))
	limit := inventory.Millis((mean + float64(3*deviation)) * float64(inventory.Hour))
	return min(max(limit, 15*inventory.Minute), inventory.Day)
}

func hours(t inventory.Millis) float64 { return float64(t) / float64(inventory.Hour) }

// shows is what a channel shows as sellable: what it said last, less what it sold since.
func shows(log []entry, consumed []consumed, channel string) int64 {
	last := latest(log, inventory.Listing, channel)
	if last == nil {
		return 0
	}
	return max(last.Quantity-max(consumedSince(consumed, channel, last.Time), 0), 0)
}

func (l listings) next(w *Watch) (at inventory.Millis) {
	for _, s := range l.shown {
		at = first(w.watermark, at, s.until)
	}
	return at
}
