package quality

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/bench/quality/baseline"
	"github.com/holdfast-atp/holdfast/bench/quality/score"
	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// PhantomSeed is what one method found of a network's phantom inventory, in an open loop.
type PhantomSeed struct {
	Method    string
	AUPRC     float64 // over all looks at keys that promise something
	Threshold float64

	Alarms, Wrong int     // that began, and of those where stock was there
	WrongPer1000  float64 // of the latter per 1,000 SKU-location-days
	WrongShare    float64 // of the looks at stock that was there, those under an alarm

	Episodes, Found        int
	MedianHours, P90Hours  float64 // until an episode was found; infinite: never
	MedianEvents           float64 // the same in demand events that were to be expected
	LongMedian, LongEvents float64 // the medians of the episodes that lasted two days or more, those never found among them
	UnfoundShare           float64 // of the hours of all episodes, those before an alarm

	ListHits, ListPlaces int // keys on the daily count lists, and of them those with nothing there
}

// longEpisode is from which duration on an episode counts among the long ones.
const longEpisode = 2 * inventory.Day

// open is what a network in an open loop gives: nobody acts on what holdfast says.
type open struct {
	loop      *loop
	watch     *watch
	methods   []PhantomSeed
	found     map[string][]delay // by method
	curves    map[string][]score.Point
	stated    []score.Judged // the confidence with which phantoms were raised
	believed  []score.Judged // the probability at each look at something promised
	totals    sim.Totals
	exception []*raised
	foresight *foresight
}

// playOpen plays a network with an engine that only observes, and scores every method.
func playOpen(ctx context.Context, c *Config, network sim.Config) (*open, error) {
	network.Stores = c.Stores
	l, err := newLoop(c, network, policy.Default().Observing())
	if err != nil {
		return nil, err
	}
	w := newWatch(c, l.sim)
	ahead := newForesight()
	board, oracle := baseline.New(start, network.Seed), newOracle(network)
	heard := func(d *inventory.Delta) {
		board.Observe(d)
		oracle.hear(d)
		ahead.hear(d)
	}
	scores := make([]float64, len(baseline.Names()))
	next := 0
	hourly := func(at inventory.Millis) error {
		if err := ahead.hour(c, l, at); err != nil {
			return err
		}
		looks := next < len(w.hours) && w.hours[next] == at
		key := 0
		var bad error
		l.sim.Shelves(func(sh *sim.Shelf) {
			if sh.Centre {
				return
			}
			oracle.hour(sh, at)
			if looks {
				i := w.at(key, next)
				w.promised[i], w.wanted[i], w.perDay[key] = sh.Promised > 0, float32(sh.Wanted), sh.PerDay
				doubt, _, err := l.engine.Doubt(sh.Key.SKU, sh.Key.Location)
				if err != nil {
					bad = err
				}
				w.scores[0][i] = float32(doubt.Probability)
				board.Scores(sh.Key, at, scores)
				for m, s := range scores {
					w.scores[1+m][i] = float32(s)
				}
				w.scores[len(w.scores)-1][i] = float32(oracle.doubt(sh.Key))
			}
			key++
		})
		if looks {
			next++
		}
		return bad
	}
	if err := l.play(ctx, false, heard, hourly); err != nil {
		return nil, err
	}
	w.label(l.sim, c.end())
	o := &open{loop: l, watch: w, found: map[string][]delay{}, curves: map[string][]score.Point{}, totals: l.measured(), exception: l.order, foresight: ahead}
	o.judge(c)
	l.playOn()
	return o, nil
}

// judge scores what was watched.
func (o *open) judge(c *Config) {
	w := o.watch
	rule := policy.Default().Rule(inventory.PhantomInventory)
	days := float64(len(w.keys)) * float64(c.Days)
	allowed := 0
	for m, name := range w.methods {
		var judged []score.Judged
		for i, promised := range w.promised {
			if promised {
				judged = append(judged, score.Judged{Score: float64(w.scores[m][i]), True: w.phantom[i]})
			}
		}
		if name == Holdfast {
			o.believed = slices.Clone(judged)
		}
		curve := score.Curve(judged)
		var a alarms
		if name == Holdfast {
			a = w.raise(m, float64(float32(rule.Raise)))
			allowed = a.wrong
		} else {
			a = w.match(m, allowed)
		}
		w.find(m, &a)
		s := PhantomSeed{
			Method: name, AUPRC: score.AveragePrecision(curve), Threshold: a.threshold,
			Alarms: a.right + a.wrong, Wrong: a.wrong, WrongPer1000: float64(a.wrong) / days * 1000,
			WrongShare: float64(a.wrongLooks) / float64(max(a.thereLooks, 1)),
			Episodes:   len(a.found), UnfoundShare: a.unfound / max(a.phantom, 1e-9),
		}
		s.delays(a.found)
		s.ListHits, s.ListPlaces = w.lists(m, c)
		o.methods = append(o.methods, s)
		o.found[name] = a.found
		o.curves[name] = score.Thin(curve, 100)
	}
	o.state(c)
}

func (s *PhantomSeed) delays(found []delay) {
	var hours, events, long, longEvents []float64
	for _, d := range found {
		isFound := !math.IsInf(d.hours, 1)
		if isFound {
			s.Found++
			hours = append(hours, d.hours)
			events = append(events, d.expected)
		}
		if d.episode.end-d.episode.begin >= longEpisode {
			long = append(long, d.hours)
			longEvents = append(longEvents, d.expected)
		}
	}
	s.MedianHours, s.P90Hours = score.Quantile(hours, 0.5), score.Quantile(hours, 0.9)
	s.MedianEvents = score.Quantile(events, 0.5)
	s.LongMedian, s.LongEvents = score.Quantile(long, 0.5), score.Quantile(longEvents, 0.5)
}

// lists returns how many keys of the daily count lists have nothing there, of how many: each store counts its worst each morning.
func (w *watch) lists(method int, c *Config) (hits, places int) {
	const morning = 6 * inventory.Hour
	type candidate struct {
		score float32
		empty bool
	}
	for h, at := range w.hours {
		if at%inventory.Day != morning {
			continue
		}
		stores := map[string][]candidate{}
		for k, key := range w.keys {
			if i := w.at(k, h); w.promised[i] {
				stores[key.Location] = append(stores[key.Location], candidate{w.scores[method][i], w.phantom[i]})
			}
		}
		for _, list := range stores {
			slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
			for _, x := range list[:min(c.Counts, len(list))] {
				places++
				if x.empty {
					hits++
				}
			}
		}
	}
	return hits, places
}

// state holds the confidence with which phantoms were raised against what was so.
func (o *open) state(c *Config) {
	for _, x := range o.exception {
		if x.Class == inventory.PhantomInventory && x.OpenedAt >= c.warmUp() && x.Location != inventory.Network {
			key := inventory.Key{SKU: x.SKU, Location: x.Location}
			o.stated = append(o.stated, score.Judged{Score: x.Confidence, True: emptyAt(o.loop.sim, key, x.OpenedAt)})
		}
	}
}

// emptyAt reports whether an episode of phantom inventory ran at a key at a time.
func emptyAt(s *sim.Sim, key inventory.Key, at inventory.Millis) bool {
	for _, e := range s.Episodes() {
		if e.Class == inventory.PhantomInventory && e.SKU == key.SKU && e.Location == key.Location && e.Begin <= at && (e.End == 0 || at < e.End) {
			return true
		}
	}
	return false
}
