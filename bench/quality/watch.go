package quality

import (
	"github.com/holdfast-atp/holdfast/bench/quality/baseline"
	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
)

// The methods beside the baselines.
const (
	Holdfast = "holdfast"
	Oracle   = "oracle"
)

// Methods returns the names of all that score keys: holdfast, the baselines, the oracle.
func Methods() []string { return append(append([]string{Holdfast}, baseline.Names()...), Oracle) }

// watch is what every method said of every key of a store at the same hours, and what was so.
type watch struct {
	methods []string
	keys    []inventory.Key
	perDay  []float64          // demand events a day of each key, at the end
	hours   []inventory.Millis // rising

	// By key, then hour.
	scores   [][]float32 // by method
	promised []bool      // something is promised: only then can it be phantom
	phantom  []bool      // nothing of it is there, in an episode of more than an hour
	wanted   []float32   // demand events to be expected up to then

	episodes []*episode
}

// episode is a stretch in which a key promised what was not there.
type episode struct {
	*sim.Episode
	key        int
	begin, end inventory.Millis
}

// episodeLeast is how long one must last to count.
const episodeLeast = inventory.Hour

func newWatch(c *Config, s *sim.Sim) *watch {
	w := &watch{methods: Methods()}
	s.Shelves(func(sh *sim.Shelf) {
		if !sh.Centre {
			w.keys = append(w.keys, sh.Key)
		}
	})
	for at := c.warmUp(); at < c.end(); at += inventory.Millis(c.Every) * inventory.Hour {
		w.hours = append(w.hours, at)
	}
	n := len(w.keys) * len(w.hours)
	w.scores = make([][]float32, len(w.methods))
	for m := range w.scores {
		w.scores[m] = make([]float32, n)
	}
	w.promised, w.phantom, w.wanted = make([]bool, n), make([]bool, n), make([]float32, n)
	w.perDay = make([]float64, len(w.keys))
	return w
}

// at is the place of a key and an hour, both by number.
func (w *watch) at(key, hour int) int { return key*len(w.hours) + hour }

// label marks the episodes that count once the network has been played.
func (w *watch) label(s *sim.Sim, end inventory.Millis) {
	number := map[inventory.Key]int{}
	for k, key := range w.keys {
		number[key] = k
	}
	for _, e := range s.Episodes() {
		k, ok := number[inventory.Key{SKU: e.SKU, Location: e.Location}]
		if e.Class != inventory.PhantomInventory || !ok {
			continue
		}
		x := &episode{Episode: e, key: k, begin: e.Begin, end: e.End}
		if x.end == 0 || x.end > end {
			x.end = end
		}
		if x.end-x.begin <= episodeLeast {
			continue
		}
		for h, at := range w.hours {
			if at >= x.begin && at < x.end {
				w.phantom[w.at(k, h)] = true
			}
		}
		if x.begin >= w.hours[0] {
			w.episodes = append(w.episodes, x)
		}
	}
}

// expected returns the demand events to be expected at a key between two times, by the nearest looks.
func (w *watch) expected(key int, from, to inventory.Millis) float64 {
	step := w.hours[1] - w.hours[0]
	look := func(at inventory.Millis) float64 {
		h := min(max(int((at-w.hours[0])/step), 0), len(w.hours)-1)
		value := float64(w.wanted[w.at(key, h)])
		if h+1 < len(w.hours) {
			value += float64(at-w.hours[h]) / float64(step) * (float64(w.wanted[w.at(key, h+1)]) - value)
		}
		return value
	}
	return look(to) - look(from)
}
