package baseline

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Board keeps what all baselines look at.
type Board struct {
	clock clock
	keys  map[inventory.Key]*shelf
	salt  uint64

	// Over all keys: how often and how unevenly they sell, a day.
	events, exposure float64
	spread, squares  float64 // Σ(variance − mean), Σ mean²
}

// shelf is what is known of a key.
type shelf struct {
	onHand, reserved int64

	events   float64 // sales and picks
	exposure float64 // days of trade up to the last of them in which there was stock on record
	proved   float64 // clock at the last of them
	paused   float64 // clock since which nothing is on record; 0: something is
	nilPicks int
	nilRef   string
	cusum    float64
	cusumAt  float64

	day                    int64
	today, days, sum, sqrs float64
	zeros, zerosOpen       float64 // days without a sale, up to the last sale; and since
	daysOpen               float64
}

// New returns a Board for a network that starts at a time.
func New(start inventory.Millis, seed uint64) *Board {
	return &Board{clock: newClock(start), keys: map[inventory.Key]*shelf{}, salt: seed}
}

// Observe takes in what arrived.
func (b *Board) Observe(d *inventory.Delta) {
	if d.SKU == "" {
		return
	}
	k := b.keys[d.Key()]
	if k == nil {
		k = &shelf{proved: b.clock.at(d.Time), day: int64(d.Time / inventory.Day)}
		b.keys[d.Key()] = k
	}
	now := b.clock.at(d.Time)
	b.turn(k, d.Time)
	switch d.Kind {
	case inventory.Sale:
		b.clock.sold(d.Time)
		k.onHand -= d.Quantity
		b.sold(k, now)
	case inventory.Ship:
		k.onHand -= d.Quantity
		k.reserved -= d.Quantity
		b.sold(k, now)
	case inventory.Reserve:
		k.reserved += d.Quantity
	case inventory.Release:
		k.reserved -= d.Quantity
	case inventory.Return, inventory.Receipt, inventory.TransferIn, inventory.Adjust:
		k.onHand += d.Quantity
	case inventory.TransferOut:
		k.onHand -= d.Quantity
	case inventory.Count:
		k.onHand = d.Quantity
		k.prove(now)
	case inventory.PickFailed:
		if d.Ref != k.nilRef {
			k.nilRef = d.Ref
			k.nilPicks++
		}
	}
	switch {
	case k.onHand <= 0 && k.paused == 0:
		k.paused = now
	case k.onHand > 0 && k.paused != 0:
		k.proved += now - k.paused
		k.cusumAt += now - k.paused
		k.paused = 0
	}
}

// sold takes in that somebody found stock.
func (b *Board) sold(k *shelf, now float64) {
	waited := max(k.silence(now), 0)
	rate := b.rate(k)
	k.cusum = max(k.cusum+cusumDrift*rate*max(now-k.cusumAt, 0)-math.Ln2, 0)
	k.cusumAt = now
	k.events++
	k.exposure += waited
	b.events++
	b.exposure += waited
	k.today++
	k.prove(now)
	k.zeros += k.zerosOpen
	k.days += k.daysOpen
	k.zerosOpen, k.daysOpen = 0, 0
}

func (k *shelf) prove(now float64) {
	k.proved = max(k.proved, now)
	k.nilPicks, k.nilRef = 0, ""
	if k.paused != 0 {
		k.paused = now
	}
}

// silence returns the days of trade since the last sale in which stock was on record.
func (k *shelf) silence(now float64) float64 {
	if k.paused != 0 {
		now = k.paused
	}
	return now - k.proved
}

// turn closes the days that have passed.
func (b *Board) turn(k *shelf, at inventory.Millis) {
	for day := int64(at / inventory.Day); k.day < day; k.day++ {
		if k.paused == 0 {
			k.daysOpen++
			if k.today == 0 {
				k.zerosOpen++
			}
			n := k.days + k.daysOpen
			before := k.sqrs - k.sum - k.sum*k.sum/max(n-1, 1) // Σ(x−mean)² − Σx
			squares := k.sum * k.sum / max(n-1, 1)
			k.sum += k.today
			k.sqrs += k.today * k.today
			b.spread += k.sqrs - k.sum - k.sum*k.sum/n - before
			b.squares += k.sum*k.sum/n - squares
		}
		k.today = 0
	}
}

// rate returns a key's events a day of trade, drawn to the network's while little is known.
func (b *Board) rate(k *shelf) float64 {
	pooled := (b.events + 1) / (b.exposure + 1)
	return (k.events + 1) / (k.exposure + 1/pooled)
}

// shape returns the shape of the negative binomial by which the network's daily sales are spread: by moments.
func (b *Board) shape() float64 {
	if b.spread <= 0 || b.squares <= 0 {
		return 4
	}
	return min(max(b.squares/b.spread, 0.2), 50)
}
