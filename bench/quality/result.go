package quality

import (
	"context"

	"github.com/holdfast-atp/holdfast/bench/quality/score"
	"github.com/holdfast-atp/holdfast/bench/sim"
)

// result is what one network came to.
type result struct {
	seed    uint64
	phantom float64

	methods  []PhantomSeed
	found    map[string][]delayIn
	curves   map[string][]float64 // by method: precision at each step of recall
	stated   []score.Judged
	believed []score.Bin
	classes  []ClassSeed
	network  []sim.Figure
	arms     *Arms // nil: not played
	deltas   uint64

	foresight *foresight
}

// delayIn is a delay with what the episode was like.
type delayIn struct {
	hours, expected float64
	lasted          float64 // hours
	perDay          float64 // demand events a day of the key
	cause           sim.FaultKind
}

// recallSteps is in how many steps of recall a curve is kept.
const recallSteps = 50

// measure plays one network, with all arms where asked.
func measure(ctx context.Context, c *Config, seed uint64, phantom float64, arms bool) (*result, error) {
	network := sim.Study(seed, phantom)
	o, err := playOpen(ctx, c, network)
	if err != nil {
		return nil, err
	}
	r := &result{
		seed: seed, phantom: phantom, methods: o.methods, stated: o.stated, believed: score.Calibration(o.believed, calibrationBins),
		classes: meet(c, o.loop.sim.Episodes(), o.exception), network: o.loop.sim.Calibration(),
		found: map[string][]delayIn{}, curves: map[string][]float64{}, deltas: o.loop.sent, foresight: o.foresight,
	}
	for method, found := range o.found {
		for _, d := range found {
			r.found[method] = append(r.found[method], delayIn{
				d.hours, d.expected, inHours(d.episode.end - d.episode.begin), o.watch.perDay[d.episode.key], d.episode.Cause,
			})
		}
	}
	for method, curve := range o.curves {
		r.curves[method] = atRecall(curve)
	}
	if arms {
		r.arms, err = playArms(ctx, c, network, o.totals, r.of(Oracle).Threshold)
	}
	return r, err
}

// atRecall returns a curve's precision at each step of recall from the first.
func atRecall(curve []score.Point) []float64 {
	at := make([]float64, recallSteps)
	i := 0
	for step := range at {
		for i < len(curve)-1 && curve[i].Recall < float64(step+1)/recallSteps {
			i++
		}
		if len(curve) > 0 {
			at[step] = curve[i].Precision
		}
	}
	return at
}
