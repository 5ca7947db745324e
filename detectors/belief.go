package detectors

import (
	"github.com/zeebo/xxh3"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// rateShape is the weight of the location's pooled rate in a key's own, in demand events: the
	// rates of a location's keys differ by far, with a coefficient of variation of 1/√rateShape.
	// A key that has never sold may well be one that hardly ever does. [A]
	rateShape = 0.8

	// shapeMax bounds how surely a rate is known, however many events it was learned from: over weeks demand drifts, and what is
	// taken instead of something else comes and goes. [A]
	shapeMax = 8

	// moodShape is how much demand changes from day to day: by a coefficient of variation of 1/√moodShape. Without
	// it the silence of a fast key would be judged as the Poisson's, and a slow Tuesday taken for
	// an empty shelf; over many days it evens out. [A]
	moodShape = 4

	// hazardPerDay is how likely stock that is there vanishes within a day. [A] About 2 %
	// of keys a week, of the order of the shrink that DOMAIN.md quotes.
	hazardPerDay = 0.0025

	// hazardLow is by how many times more the last unit is likely to vanish: it takes but one that is stolen.
	hazardLow = 2

	// hazardMax bounds what a history of negative adjustments multiplies the hazard by.
	hazardMax = 8

	// receiptReliability is how surely goods that come in are really there, unverified: 1 to 3 % of receipts are wrong,
	// but few of those bring nothing.
	receiptReliability = 0.98

	// findableIfEmpty is the chance that a pick fails where nothing is there (DOMAIN.md: 0.97).
	findableIfEmpty = 0.97

	// evidenceMax bounds the log-odds that picks, substitutions and adjustments may add up to.
	evidenceMax = 8

	// rearmAt is by how much a key's rate must have grown for its alarm to be worked out anew.
	rearmAt = 1.25

	// adjustOdds is what a correction downwards adds, foundOdds what one upwards takes off,
	// substituteOdds what a fulfilment with another SKU adds. [A] Modest: they are hearsay.
	adjustOdds     = 0.3
	foundOdds      = 1.0
	substituteOdds = 1.2
)

// Belief is what is believed of whether a key's stock is there: a two-state filter whose
// log-odds of "nothing is there" add up from silence, picks and adjustments, and
// fall back when stock is seen. The maths is DOMAIN.md's, "Phantom inventory"; that of silence is in silence.go.
type Belief struct {
	events float64 // demand events, discounted
	hours  float64 // exposure in which they came, discounted

	since    float64 // feed clock when the silence that now runs began; meaningless while paused
	silent   float64 // hours of silence from before the latest pause
	paused   bool    // nothing could sell: no stock on record, or held
	started  bool    // since is set
	provedAt inventory.Millis
	prior    float64 // probability right after the latest proof or receipt
	odds     float64 // log-odds when the latest evidence came, where some did since then
	mark     float64 // the silence at that moment
	evidence float64 // what picks, substitutions and adjustments have added to the log-odds since then
	hazard   float64 // multiple of hazardPerDay beyond 1, discounted by proofs

	armed float64 // demand events an hour when the alarm was last worked out

	emptyPicks int
	lastRef    uint64 // hash of the latest order whose pick failed: one order counts once
}

// Observe takes in what a delta that was just applied says of the key. It reports
// whether silence will reach the alarm sooner than was last worked out.
func (b *Belief) Observe(v *View, d *inventory.Delta) bool {
	b.start(v)
	rose := b.takeIn(v, d)
	b.shorten()
	return rose
}

func (b *Belief) takeIn(v *View, d *inventory.Delta) (rose bool) {
	switch d.Kind {
	case inventory.Sale, inventory.Ship:
		b.sold(v, d)
		return b.faster(v.Feed)
	case inventory.TransferOut:
		b.expose(v, 0, 1) // whoever sends it on has found it, but nobody asked for it
		b.prove(v, 1)
	case inventory.Count:
		if d.Quantity > 0 {
			b.expose(v, 0, 1)
		}
		b.prove(v, 0.1) // what is counted is known, but for misplacing the count itself
	case inventory.Receipt, inventory.TransferIn:
		b.restock(v)
	case inventory.Return:
		if d.Reason == "sellable" {
			b.restock(v)
		}
	case inventory.Adjust:
		if d.Quantity < 0 {
			b.hazard = min(b.hazard+0.5, hazardMax-1)
			b.add(v, adjustOdds)
			return true
		}
		b.add(v, -foundOdds)
	case inventory.PickFailed:
		return b.pickFailed(v, d)
	case inventory.Substitute:
		b.add(v, substituteOdds)
		return true
	}
	return false
}

// Hold tells the belief whether anything can sell: while nothing can, silence says nothing.
func (b *Belief) Hold(v *View) {
	b.start(v)
	paused := v.Held || v.OnHand <= 0
	if paused == b.paused {
		return
	}
	if paused {
		b.silent += max(v.Feed.Clock()-b.since, 0)
	}
	b.since = v.Feed.Clock()
	b.paused = paused
	b.shorten()
}

// Probability returns the probability that none of the recorded stock is there.
func (b *Belief) Probability(v *View) float64 {
	return 1 / (1 + exp(-b.logOdds(v)))
}

// AlarmIn returns in how long, in event time, silence alone would bring the probability
// to raise; false where that is further off than most, or silence says nothing now. It is never
// late, and may be a little early.
func (b *Belief) AlarmIn(v *View, raise float64, most inventory.Millis) (inventory.Millis, bool) {
	if b.paused || !b.started || v.OnHand <= 0 {
		return 0, false
	}
	q := b.quiet(v)
	b.armed = short(q.rate, roughBytes)
	silent := b.silence(v)
	mostHours := float64(most/inventory.Hour) * hoursOfWeek
	need := q.until(log(raise/(1-raise)), silent, mostHours)
	if need >= mostHours {
		return most, false
	}
	in := v.Feed.After(need, most)
	return in, in < most
}

// start begins the silence of a key that is seen for the first time.
func (b *Belief) start(v *View) {
	if !b.started {
		b.started = true
		b.since = v.Feed.Clock()
		b.paused = v.Held || v.OnHand <= 0
		b.provedAt = v.Now
		b.prior = priorAt(v.OnHand)
		b.shorten()
	}
}

// sold takes in a demand event that stock answered: it was there a moment ago.
func (b *Belief) sold(v *View, d *inventory.Delta) {
	events := 1.0
	if b.paused {
		events = 0 // no exposure runs in which it could have come
	}
	b.expose(v, events, 1)
	if d.Kind == inventory.Ship {
		v.Feed.Picked(0)
	}
	b.prove(v, 1)
}

// expose adds events, and the silence that ends with them, to what the rate is learned from, so far as
// stock was there to be sold: a share of the silence.
func (b *Belief) expose(v *View, events, share float64) {
	hours := float64(b.silence(v) * share)
	keep := discount(hours)
	b.events = float64(b.events*keep) + events
	b.hours = float64(b.hours*keep) + hours
}

// Waited returns the exposure, in hours, since the key's last proof: what the location's pool
// of rates learns from a sale.
func (b *Belief) Waited(v *View) float64 {
	b.start(v)
	return b.silence(v)
}

// Waiting reports whether silence says something now.
func (b *Belief) Waiting() bool { return b.started && !b.paused }

// prove resets the belief to what is left to doubt after stock was seen: that it
// was the last of it.
func (b *Belief) prove(v *View, doubt float64) {
	b.prior = priorAt(v.OnHand) * doubt
	b.provedAt = v.Now
	b.odds, b.mark, b.evidence = 0, 0, 0
	b.emptyPicks, b.lastRef = 0, 0
	b.hazard /= 2
	b.silent = 0
	b.since = v.Feed.Clock()
}

// restock takes in goods that came: p ← p · (1 − reliability).
func (b *Belief) restock(v *View) {
	p := b.Probability(v)
	b.expose(v, 0, 1-p)
	b.prove(v, 1)
	b.prior = max(p*(1-receiptReliability), b.prior*(1-receiptReliability))
}

func (b *Belief) pickFailed(v *View, d *inventory.Delta) bool {
	ref := xxh3.HashString(d.Ref)
	if ref == b.lastRef {
		return false
	}
	b.lastRef = ref
	b.emptyPicks++
	p := b.Probability(v)
	b.add(v, log(findableIfEmpty/v.Feed.emptyRate()))
	v.Feed.Picked(1 - p)
	return true
}

// add weighs in evidence: from here on silence adds to what is believed now.
func (b *Belief) add(v *View, odds float64) {
	total := min(max(b.evidence+odds, -evidenceMax), evidenceMax)
	b.odds = b.logOdds(v) + (total - b.evidence)
	b.mark, b.evidence = b.silence(v), total
}

// silence returns the hours of exposure since the last proof.
func (b *Belief) silence(v *View) float64 {
	if b.paused {
		return b.silent
	}
	return b.silent + max(v.Feed.Clock()-b.since, 0)
}

// faster reports whether the mean rate is more than rearmAt times what it was when the alarm was last
// worked out. It is [Belief.rate]'s, with both sides multiplied by what they would be divided by.
func (b *Belief) faster(f *Feed) bool {
	poolEvents, poolHours := f.pool()
	hours := float64(rateShape*poolHours) + float64(b.hours*poolEvents)
	return (rateShape+b.events)*poolEvents > rearmAt*b.armed*hours
}

// priorAt returns the chance that nothing is left though the record says n, right after stock was seen: records are wrong by a
// unit or two more often than not, so it falls steeply with n. [A]
func priorAt(n int64) float64 {
	if n > 50 {
		return 0.001 // and less than its last bit
	}
	return 0.001 + float64(0.3*exp(-float64(max(n, 0))/1.3))
}
