package detectors

import (
	"math"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Outlook is what may become of a key within a window to come.
type Outlook struct {
	Chance  float64 // that more is promised than can be found, 0–1
	Empty   float64 // that nothing of what is on record is to be found: phantom inventory's probability
	RunsOut float64 // that more is asked for than there is to promise, were the record right
	Demand  float64 // units that are likely asked for

	// Exposure is what is at risk if it happens, minor units: the units asked for beyond what there is, and where likely nothing is there
	// what is ordered of it; one at least.
	Exposure int64

	Channels []ChannelOutlook // those that list something that they may sell
}

// ChannelOutlook is a channel's part of an [Outlook].
type ChannelOutlook struct {
	Name   string
	Chance float64 // that it takes an order that can't be filled
}

// emptyShare is how much of [Belief]'s probability that nothing is there is so over all keys: it is made to find those of which it is so, and says
// it of twice as many. [A] Set on tuning seeds.
const emptyShare = 0.5

// hourShape is moodShape for some hours of a day to come: they differ more than days do. [A] Set on tuning seeds.
const hourShape = 1

// Outlook works out what may become of the key until a time, supply being units that are due by then.
//
// Demand events are negative binomial, by the rate that [Belief] has learned in the hours of the week that the window has on
// the location's clock; a rush that the last two days, hour or five minutes speak for is expected to go on for as long as it was looked at. Their
// units are spread as those of a risk ([rate.within]). More is promised than can be found in one of two ways:
//
//   - Nothing is there, and a channel that lists the key takes an order. Customers over the counter see the shelf.
//   - The record is right, more is asked for than there is, and a channel takes another order before its feed ([Place]) lets it
//     show that. Where no channel is known to list, nothing stops the next order.
func (v *View) Outlook(until inventory.Millis, supply int64) Outlook {
	o := Outlook{}
	if v.OnHand > 0 && v.ATP() > 0 {
		o.Empty = float64(emptyShare * v.Belief.Probability(v))
	}
	events, shape, each := v.likely(until)
	if events <= 0 {
		return o
	}
	mean := float64(events * each)
	o.Demand = mean
	left := max(v.ATP(), 0)
	o.RunsOut = demand{mean, float64(mean*(2*each-1)) + float64(mean*mean)/shape}.beyond(left + supply)

	total, lists := int64(0), false
	for i := range v.Channels {
		total += v.Channels[i].Asked
		lists = lists || v.Channels[i].Lists
	}
	short := mean - float64(left+supply)
	if !lists {
		o.Chance = o.RunsOut
		o.Exposure = worth(wholeUnits(short), v.Price)
		return o
	}
	// What is asked for while stock lasts says that the rate is above the mean.
	sells := float64(float64(left)/each) + shape
	perHour := float64(events/inHours(until-v.Now)) * sells / (events + shape)
	orders := 0.0
	none, slips := 1.0, 1.0 // chances that no listing channel is asked, and that nobody is served once all is promised
	counter := 1.0          // share of demand that sees the shelf
	for i := range v.Channels {
		c := &v.Channels[i]
		if !c.Lists || c.Shown <= 0 || c.Limit <= 0 || total == 0 {
			continue
		}
		share := float64(c.Asked) / float64(total)
		counter -= share
		unasked := exp(-float64(shape * log1p(float64(events*share)/shape)))
		behind := inHours(v.Place.following(c.Name))
		inTime := exp(-float64(perHour * share * behind))
		none, slips = none*unasked, slips*inTime
		orders += float64(mean * share)
		o.Channels = append(o.Channels, ChannelOutlook{c.Name, either(o.Empty, 1-unasked, float64(o.RunsOut*(1-inTime)))})
	}
	if v.Available() > left { // what is promised or kept back lies on the shelf, and is taken from there
		slips = float64(slips * (1 - max(counter, 0)))
	}
	o.Chance = either(o.Empty, 1-none, float64(o.RunsOut*(1-slips)))
	if o.Empty > 0.5 {
		short = orders
	}
	o.Exposure = worth(wholeUnits(short), v.Price)
	return o
}

// wholeUnits rounds up what is expected: a unit at least.
func wholeUnits(expected float64) int64 {
	return int64(math.Ceil(min(max(expected, 1), inventory.QuantityMax)))
}

// either returns the chance of an order that can't be filled: an order where nothing is there, or one too many where something is.
func either(empty, order, beyond float64) float64 {
	return float64(empty*order) + float64((1-empty)*beyond)
}

// likely returns the demand events to be expected until a time, their shape, and the units of one.
func (v *View) likely(until inventory.Millis) (events, shape, each float64) {
	shape, hours := v.Belief.rate(v.Feed)
	perHour := shape / hours
	window := inHours(until - v.Now)
	days := float64(hourShape * (1 + window/24))
	shape = min(shape, shapeMax)
	shape = float64(shape*days) / (shape + days)
	events = float64(perHour * v.Feed.warp(v.Now, until))
	if r := rateOf(v.Trade); r.events > 0 && r.hours < spanHours[FiveWeeks] {
		lasts := min(r.hours/2, window) // the span twice is what its rate was taken over
		from := v.Now + inventory.Millis(lasts*float64(inventory.Hour))
		rush := float64(r.events*lasts)/r.hours + float64(perHour*v.Feed.warp(from, until))
		events = max(events, rush)
	}
	each = 1
	if count, units := v.Trade.Asked(FiveWeeks); count > 0 {
		each = max(float64(units)/float64(count), 1)
	}
	return events, shape, each
}

// following returns how long a channel's feed takes in the mean to follow stock that fell.
func (p *Place) following(channel string) inventory.Millis {
	f := following{}
	for i := range p.channels {
		if p.channels[i].name == channel {
			f = p.channels[i].follow
		}
	}
	f.begin()
	mean, _ := f.moments()
	return inventory.Millis(math.Round(mean * float64(inventory.Hour)))
}
