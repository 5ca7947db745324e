package quality

import (
	"math"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
)

// unitsMost is how many units the oracle tells apart: its last place stands for as many or more.
const unitsMost = 95

// oracle knows the network's true rates and chances, but not what was drawn: for each key it carries the distribution of
// how many units are there, hour by hour (DeHoratius, Mersereau & Schrage 2008). It is the yardstick of
// what can be known from what the systems say.
type oracle struct {
	trade sim.Trade
	rates sim.Rates
	keys  map[inventory.Key]*supposed
	mood  float64 // shape of a day's multiple of demand

	overCounter float64 // share of what is wanted at a middling store that is wanted there, not online

	buffer [unitsMost + 1]float64
}

// supposed is what the oracle knows of a key.
type supposed struct {
	pmf [unitsMost + 1]float64 // of the units there

	wanted  float64 // demand events to be expected since the start, when last looked at
	today   float64 // of them, today
	events  float64 // that came today
	day     inventory.Millis
	missing float64 // probability that all is misplaced: it comes back
	nilRef  string
	closed  bool // no channel shows it: silence there tells nothing
}

// newOracle returns the oracle of a network that says how many stores it has.
func newOracle(network sim.Config) *oracle {
	online := 0.0
	for _, ch := range network.Channels {
		online += ch.Share / float64(network.Stores)
	}
	return &oracle{
		trade: *network.Trade, rates: *network.Rates, keys: map[inventory.Key]*supposed{}, mood: float64(network.Trade.Mood),
		overCounter: 1 / (1 + online),
	}
}

// close notes whether the channels have been told to show nothing of a key.
func (o *oracle) close(key inventory.Key, closed bool) {
	if k := o.keys[key]; k != nil {
		k.closed = closed
	}
}

// hear takes in a delta.
func (o *oracle) hear(d *inventory.Delta) {
	if d.SKU == "" {
		return
	}
	k := o.keys[d.Key()]
	if k == nil {
		k = &supposed{}
		k.pmf[0] = 1
		o.keys[d.Key()] = k
	}
	switch d.Kind {
	case inventory.Sale, inventory.Ship:
		k.events++
		if !k.condition(func(n int) float64 { return atLeast(n, d.Quantity) }) {
			k.certain(int(min(d.Quantity, unitsMost)))
		}
		k.shift(-d.Quantity)
	case inventory.PickFailed:
		if d.Ref == k.nilRef { // the same order: nothing new
			return
		}
		k.nilRef = d.Ref
		k.condition(func(n int) float64 {
			if n == 0 {
				return 1
			}
			return o.trade.FalseNil
		})
	case inventory.Count:
		k.certain(int(min(d.Quantity, unitsMost)))
	case inventory.Adjust:
		if d.Reason == "opening balance" {
			o.open(k, d.Quantity)
		}
	case inventory.Return:
		if d.Reason == "sellable" {
			k.shift(d.Quantity)
		}
	case inventory.Receipt, inventory.TransferIn:
		o.receive(k, d.Quantity)
	}
}

// open spreads what is there around what the record says.
func (o *oracle) open(k *supposed, recorded int64) {
	k.pmf = [unitsMost + 1]float64{}
	k.pmf[min(recorded, unitsMost)] += 1 - o.trade.Wrong
	scale := 1 + 0.1*float64(recorded)
	for e := int64(1); e <= 4*int64(scale)+2; e++ {
		p := o.trade.Wrong / 2 * math.Exp(-float64(e-1)/scale) * (1 - math.Exp(-1/scale))
		k.pmf[min(max(recorded-e, 0), unitsMost)] += p
		k.pmf[min(recorded+e, unitsMost)] += p
	}
	for n := range k.pmf {
		k.pmf[n] *= 1 - o.trade.Phantom
	}
	k.pmf[0] += o.trade.Phantom
	k.normalise()
}

// receive adds what was booked, or what else may have come.
func (o *oracle) receive(k *supposed, units int64) {
	before := k.pmf
	k.shift(units)
	wrong := o.rates.ReceiptError
	for n := range k.pmf {
		k.pmf[n] = (1-wrong)*k.pmf[n] + wrong*0.1*before[n]
	}
	for _, share := range []float64{0.6, 0.8, 1.2, 1.4} {
		came := int(math.Round(share * float64(units)))
		for n, p := range before {
			k.pmf[min(n+came, unitsMost)] += wrong * 0.9 / 4 * p
		}
	}
}

// hour takes in that an hour has passed, with what was wanted in it whether or not anything was sold.
func (o *oracle) hour(sh *sim.Shelf, at inventory.Millis) {
	k := o.keys[sh.Key]
	if k == nil {
		return
	}
	if day := at / inventory.Day; day != k.day {
		k.day, k.today, k.events = day, 0, 0
	}
	expected := sh.Wanted - k.wanted
	k.wanted = sh.Wanted
	if k.closed {
		expected *= o.overCounter
	}
	// No event in the hour: the negative binomial's, given those that came today already.
	if expected > 0 {
		silent := math.Pow((o.mood+k.today)/(o.mood+k.today+expected), o.mood+k.events)
		k.condition(func(n int) float64 {
			if n == 0 {
				return 1
			}
			return silent
		})
	}
	k.today += expected
	o.vanish(k, sh.PerDay/24)
}

// vanish lets an hour's unseen losses and gains happen.
func (o *oracle) vanish(k *supposed, events float64) {
	const day = 1.0 / 24
	one := o.rates.Shrink*events*0.5 + o.rates.Damage*day + o.rates.Misscan*events*0.5
	two := o.rates.Shrink * events * 0.5
	bag := o.rates.Theft * events
	all := (o.rates.Emptied + o.rates.Misplaced) * day
	gain := o.rates.Unbooked*events + o.rates.Misscan*events*0.5
	o.buffer = [unitsMost + 1]float64{}
	for n, p := range k.pmf {
		if p == 0 {
			continue
		}
		if n == 0 { // what was misplaced is found again, in the mean after a week
			back := k.missing * day / 7
			o.buffer[0] += p * (1 - gain - back)
			o.buffer[1] += p * gain
			o.buffer[5] += p * back
			continue
		}
		o.buffer[n] += p * (1 - one - two - bag - all - gain)
		o.buffer[n-1] += p * one
		o.buffer[max(n-2, 0)] += p * two
		o.buffer[0] += p * all
		o.buffer[min(n+1, unitsMost)] += p * gain
		for take := 3; take < 28; take += 5 {
			o.buffer[max(n-take, 0)] += p * bag / 5
		}
	}
	k.missing = 0.5 // of what vanished whole
	k.pmf = o.buffer
}

// doubt returns the probability that nothing is there.
func (o *oracle) doubt(key inventory.Key) float64 {
	if k := o.keys[key]; k != nil {
		return k.pmf[0]
	}
	return 0
}

func atLeast(n int, units int64) float64 {
	if int64(n) >= units || n == unitsMost {
		return 1
	}
	return 0
}

// condition weighs the distribution by a likelihood; false where that leaves nothing.
func (k *supposed) condition(likelihood func(n int) float64) bool {
	was := k.pmf
	for n := range k.pmf {
		k.pmf[n] *= likelihood(n)
	}
	if !k.normalise() {
		k.pmf = was
		return false
	}
	return true
}

func (k *supposed) normalise() bool {
	sum := 0.0
	for _, p := range k.pmf {
		sum += p
	}
	if sum < 1e-12 {
		return false
	}
	for n := range k.pmf {
		k.pmf[n] /= sum
	}
	return true
}

func (k *supposed) certain(units int) {
	k.pmf = [unitsMost + 1]float64{}
	k.pmf[units] = 1
}

// shift moves the distribution by some units. The last place, as many or more, gives and keeps.
func (k *supposed) shift(units int64) {
	moved := [unitsMost + 1]float64{}
	for n, p := range k.pmf {
		to := int64(n) + units
		if n == unitsMost && units < 0 {
			to = unitsMost // how many more is not known
		}
		moved[min(max(to, 0), unitsMost)] += p
	}
	k.pmf = moved
}
