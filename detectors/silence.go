package detectors

// quiet is what silence says of a key as it stands.
//
// Demand events come at a Gamma(shape, hours) rate on the exposure of the location's [Feed], with which each day does
// as it likes; a silence of u hours, in which rate·u were to be expected, then has the likelihood ratio
// (1 + rate·u/s)^s, where 1/s = 1/shape + 1/(moodShape·(1 + u/24)): the negative binomial's, not the
// Poisson's, for a lumpy key is given time.
//
// What vanishes within the silence was there for the first part of it, which therefore speaks for
// nothing: the odds o grow by o' = h + o·(the ratio's own growth), h being the hazard. From odds o at a hours of silence on,
//
//	odds(u) = r^s · (o + h·(x·s/rate)·(1 − r^(1−s))/(s−1)),  x = 1 + rate·a/s, r = (1 + rate·u/s)/x
type quiet struct {
	shape  float64 // of the rate alone
	rate   float64 // mean, demand events an hour
	hazard float64 // an hour
	mark   float64 // a
	odds   float64 // o, as a logarithm
}

// quiet returns what silence says of the key now.
func (b *Belief) quiet(v *View) quiet {
	shape, hours := b.rate(v.Feed)
	q := quiet{shape: min(shape, shapeMax), rate: shape / hours, mark: b.mark, odds: b.odds}
	if b.mark == 0 && b.odds == 0 {
		q.odds = logit(b.prior)
	}
	q.hazard = float64(hazardPerDay/24) * (1 + b.hazard + float64(hazardLow*exp(-float64(max(v.OnHand, 0))/2)))
	return q
}

// logit returns the log-odds of a probability, within ± 20.
func logit(p float64) float64 {
	p = min(max(p, 1e-9), 1-1e-9)
	return log(p / (1 - p))
}

// logOdds returns the log-odds that nothing is there.
func (b *Belief) logOdds(v *View) float64 {
	q := b.quiet(v)
	return q.at(b.silence(v))
}

// at returns the log-odds after so many hours of silence, which are not less than mark.
func (q *quiet) at(silent float64) float64 {
	s := q.spread(silent)
	x := 1 + float64(q.rate*q.mark)/s
	y := log1p(max(float64(q.rate*(silent-q.mark)), 0) / float64(s*x)) // ln r
	lost := float64(float64(x*s)/q.rate) * float64(y*growth(float64((1-s)*y)))
	return float64(s*y) + log(exp(q.odds)+float64(q.hazard*lost))
}

// growth returns (e^z − 1)/z.
func growth(z float64) float64 {
	if z > -1e-9 && z < 1e-9 {
		return 1
	}
	return expm1(z) / z
}

// spread is the shape s by which the demand of so many hours spreads.
func (q *quiet) spread(silent float64) float64 {
	days := float64(moodShape * (1 + silent/24))
	return float64(q.shape*days) / (q.shape + days)
}

// The span in which the alarm lies is narrowed to a millionth, and in so many steps at most, of which halving takes 20.
const (
	narrow    = 1.0 / (1 << 20)
	narrowMax = 40
)

// until returns how many hours of silence after so many bring the log-odds to alarm, or a little less; most where it takes
// longer. It is found by regula falsi with the Illinois rule: where an end stays for a second time, its distance counts half (Dowell and
// Jarratt, BIT 11, 1971).
func (q *quiet) until(alarm, silent, most float64) float64 {
	low, below := 0.0, q.at(silent)-alarm
	if below >= 0 {
		return 0
	}
	high := 1 / q.rate
	above := q.at(silent+high) - alarm
	for ; above < 0; above = q.at(silent+high) - alarm {
		if low, below, high = high, above, 2*high; low >= most {
			return most
		}
	}
	enough := float64((high - low) * narrow)
	stays := 0 // 1: high stayed in the last step, -1: low
	for step := 0; step < narrowMax && high-low > enough; step++ {
		middle := low + float64((high-low)*below)/(below-above)
		// Never at an end, so that the other one comes near, too.
		middle = min(max(middle, low+enough/2), high-enough/2)
		if d := q.at(silent+middle) - alarm; d < 0 {
			low, below = middle, d
			if stays == 1 {
				above /= 2
			}
			stays = 1
		} else {
			high, above = middle, d
			if stays == -1 {
				below /= 2
			}
			stays = -1
		}
	}
	return low
}

// silenceOdds returns what of the log-odds is silence's own.
func (b *Belief) silenceOdds(v *View) float64 {
	q := b.quiet(v)
	silent := b.silence(v)
	s := q.spread(silent)
	return float64(s * log1p(float64(q.rate*silent)/s))
}

// rate returns the Gamma distribution of the key's rate of demand events now: its shape, and its
// inverse scale in hours of exposure. Its mean is the posterior's.
func (b *Belief) rate(f *Feed) (shape, hours float64) {
	events, exposure := f.pool()
	return rateShape + b.events, rateShape*exposure/events + b.hours
}
