package detectors

import (
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// followWeight is how many measurements what is held of a channel's feeds before any was measured counts as, at first: a mean of
	// followMean hours, and of their squares followSquare. With them a channel has four hours. [A]
	followWeight = 4
	followMean   = 1.3
	followSquare = 2.5

	// followSure is how many standard deviations beyond the mean a feed may take.
	followSure = 3

	followMost = inventory.Day
)

// following is how long the feeds to a channel take to follow stock that fell.
type following struct{ Rhythm }

// patience returns how long a channel may show what is no longer there before its feed is late: the mean of what its
// feeds take, and three standard deviations. An even rhythm of period T has 1.37 T.
func (f following) patience() inventory.Millis {
	f.begin()
	mean, deviation := f.moments()
	hours := mean + float64(followSure*deviation)
	return min(max(inventory.Millis(hours*float64(inventory.Hour)), listingGrace), followMost)
}

// begin takes what is held before anything was measured.
func (f *following) begin() {
	if f.count == 0 {
		f.Rhythm = Rhythm{followWeight, followWeight * followMean, followWeight * followSquare}
	}
}

// learn takes in that a feed took so long: twice what was to be expected at most, for one that hung says little of the others.
func (f *following) learn(took inventory.Millis) {
	most := f.patience()
	f.begin()
	f.add(inHours(min(took, 2*most)))
}

// follows tells the location that a feed to a channel took so long to follow.
func (p *Place) follows(channel string, took inventory.Millis) {
	if c := p.channelOf(channel); c != nil {
		c.follow.learn(took)
	}
}

// patience returns how long a channel may show what is no longer there before its feed is late.
func (p *Place) patience(channel string) inventory.Millis {
	for i := range p.channels {
		if p.channels[i].name == channel {
			return p.channels[i].follow.patience()
		}
	}
	return following{}.patience()
}

// channelOf returns what is remembered of a channel; nil where there are too many.
func (p *Place) channelOf(name string) *channelRate {
	for i := range p.channels {
		if p.channels[i].name == name {
			return &p.channels[i]
		}
	}
	if len(p.channels) >= placeChannels {
		return nil
	}
	p.channels = append(p.channels, channelRate{name: strings.Clone(name)})
	return &p.channels[len(p.channels)-1]
}
