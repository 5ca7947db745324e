package oracle

import (
	"maps"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Guard bounds what a partition does by policy alone on each channel. The zero value bounds nothing.
type Guard struct {
	Commands int64   // holds and throttles within a minute of event time
	Share    float64 // of the channel's listings that may be held
	From     int64   // while fewer are held, the share does not matter
}

// stopping is how acting on a channel stands, where a guard has stopped it.
type stopping struct {
	lifted bool // a person let it go on
	muted  bool // by ending the incident
}

// asked is a hold or throttle that was given, or an exception that waits instead.
type asked struct {
	channel string
	minute  inventory.Millis
}

// Stopped returns the channels whose incident stands.
func (o *Oversell) Stopped() []string {
	var all []string
	for channel, s := range o.stops {
		if !s.muted {
			all = append(all, channel)
		}
	}
	slices.Sort(all)
	return all
}

// asks counts what was asked of a channel in a minute.
func (o *Oversell) count(channel string, minute inventory.Millis) (n int64) {
	for _, a := range o.asked {
		if a == (asked{channel, minute}) {
			n++
		}
	}
	return n
}

func (o *Oversell) minute() inventory.Millis { return o.watermark / inventory.Minute }

func (o *Oversell) ask(channel string) { o.asked = append(o.asked, asked{channel, o.minute()}) }

// listed returns at how many keys a channel is known, and how many places hold it.
func (o *Oversell) listed(channel string) (listings, held int64) {
	for _, key := range o.Keys() {
		if slices.Contains(channels(o.log[key]), channel) {
			listings++
		}
	}
	for p, most := range o.shown {
		if most == 0 && p.channel == channel {
			held++
		}
	}
	return listings, held
}

// calm reports whether this minute and the one before asked for half of the bound at most.
func (o *Oversell) calm(channel string) bool {
	half := o.guard.Commands / 2
	return o.guard.Commands == 0 || o.count(channel, o.minute()) <= half && o.count(channel, o.minute()-1) <= half
}

// ease lets a channel go that is well within its bounds.
func (o *Oversell) ease(channel string) {
	listings, held := o.listed(channel)
	g := &o.guard
	slack := g.Share == 0 || held*5 < g.From*4 || float64(held) <= 0.8*g.Share*float64(listings)
	if slack && o.calm(channel) {
		delete(o.stops, channel)
	}
}

// mayAct reports whether policy alone may act on all of the channels. Each that is at a bound is stopped.
func (o *Oversell) mayAct(channels []string) bool {
	may := true
	for _, channel := range channels {
		o.ease(channel)
		listings, held := o.listed(channel)
		g := &o.guard
		full := g.Commands > 0 && o.count(channel, o.minute()) >= g.Commands ||
			g.Share > 0 && held >= g.From && float64(held+1) > g.Share*float64(listings)
		now, stopped := o.stops[channel]
		if full && !stopped {
			now, stopped = stopping{}, true
			o.stops[channel] = now
		}
		if stopped && !now.lifted {
			o.ask(channel)
			may = false
		}
	}
	return may
}

// minutesBy lets each minute end that does so by a time: a channel that was not calm is looked at then. Before that nothing happens.
func (o *Oversell) minutesBy(time inventory.Millis) {
	before := o.watermark
	for range 3 { // of minutes in which nothing is asked the second is calm
		if o.minute() >= time/inventory.Minute {
			break
		}
		var busy []string
		for _, channel := range slices.Sorted(maps.Keys(o.stops)) {
			if !o.calm(channel) {
				busy = append(busy, channel)
			}
		}
		o.watermark = (o.minute() + 1) * inventory.Minute
		for _, channel := range busy {
			o.ease(channel)
		}
	}
	o.watermark = before
}

// decideGuard takes a person's decision about the incident of a channel.
func (o *Oversell) decideGuard(d Decision) {
	now, stands := o.stops[d.Guard]
	if !stands || now.muted {
		return
	}
	if d.Ends || d.Acts {
		o.stops[d.Guard] = stopping{lifted: true, muted: d.Ends}
	}
}
