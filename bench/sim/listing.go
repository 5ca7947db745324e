package sim

import (
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// window is what a channel shows of a shelf.
type window struct {
	shown   int64            // what customers see
	told    int64            // what it was told last, less what it has sold since
	syncing bool             // the next time that what changed is sent, this will be
	settled inventory.Millis // when the latest of what was told shows: nothing overtakes it

	frozenTill inventory.Millis

	listing int       // how often it was said what it shows
	heard   int64     // of that, by whoever listens, less what it has sold since
	unheard bool      // what was said last has not got through
	cap     directive // of holdfast, here
}

// directive is what a command lets a channel show at most; once it is past, or where there was none: anything.
type directive struct {
	most     int64
	till     inventory.Millis
	revision uint64
}

func (d *directive) limit(units int64, at inventory.Millis) int64 {
	if at < d.till {
		return min(units, d.most)
	}
	return units
}

// allowed is what of some units a channel may show under the commands in force.
func (sh *shelf) allowed(channel int, units int64, at inventory.Millis) int64 {
	units = sh.windows[channel].cap.limit(units, at)
	return sh.sku.told[channel].limit(units, at)
}

// tellChannels sees to it that each channel is told what has changed, when it is its turn.
func (s *Sim) tellChannels(sh *shelf, at inventory.Millis) {
	for c := range sh.windows {
		w := &sh.windows[c]
		if w.syncing || w.told == sh.sellable(c) {
			continue
		}
		w.syncing = true
		sync := s.channels[c].Sync
		s.at(at-at%sync+sync, func(at inventory.Millis) { s.tell(sh, c, at) })
	}
}

// tell tells a channel what it may show.
func (s *Sim) tell(sh *shelf, channel int, at inventory.Millis) {
	w := &sh.windows[channel]
	if at < w.frozenTill {
		s.at(w.frozenTill, func(at inventory.Millis) { s.tell(sh, channel, at) })
		return
	}
	w.syncing = false
	units := sh.sellable(channel)
	if w.told == units {
		return
	}
	w.told = units
	s.after(sh, channel, at, func(at inventory.Millis) { s.show(sh, channel, units, at) })
}

// after makes something happen at a channel once it has got round to it.
func (s *Sim) after(sh *shelf, channel int, at inventory.Millis, happens func(at inventory.Millis)) {
	w := &sh.windows[channel]
	w.settled = max(w.settled, s.shows(channel, at))
	s.at(w.settled, happens)
}

// shows draws when a channel shows what it is told at a time: its lag has a coefficient of variation of 1/√3.
func (s *Sim) shows(channel int, at inventory.Millis) inventory.Millis {
	return at + inventory.Millis(math.Round(float64(s.channels[channel].Lag)*gamma(s.lag, 3)/3))
}

// show lets a channel show so much, or what commands leave of it. What it has sold since it was told is shown
// again: a feed says how many there are, whatever was ordered meanwhile.
func (s *Sim) show(sh *shelf, channel int, units int64, at inventory.Millis) {
	w := &sh.windows[channel]
	w.told = units
	w.shown = sh.allowed(channel, units, at)
	d := sh.delta(inventory.Listing, w.shown)
	d.Channel = s.channels[channel].Name
	s.listed(sh, channel, at, s.send(s.channels[channel].source, at, d))
	s.settle(sh, at)
}

// Obey does as a command says, once the channel has got round to it: one that is held takes no
// orders there until it is released or the hold lapses, one that is throttled shows no more than it may. Tills go on: what a customer
// carries to the counter is there, whatever anybody believes.
func (s *Sim) Obey(c *inventory.Command) {
	channel := slices.IndexFunc(s.channels, func(ch *channel) bool { return ch.Name == c.Channel })
	if channel < 0 {
		return
	}
	order := directive{revision: c.Revision, till: c.ExpiresAt}
	switch c.Action {
	case inventory.Throttle:
		order.most = c.Sellable
	case inventory.Unhold:
		order.till = 0
	}
	if c.Location == inventory.Network {
		if k := s.byName[c.SKU]; k != nil {
			s.at(s.shows(channel, s.now), func(at inventory.Millis) { s.obeyEverywhere(k, channel, order, at) })
		}
	} else if sh := s.byKey[inventory.Key{SKU: c.SKU, Location: c.Location}]; sh != nil {
		s.at(s.shows(channel, s.now), func(at inventory.Millis) {
			if held := &sh.windows[channel].cap; order.revision > held.revision {
				*held = order
				s.reshow(sh, channel, at)
				s.lapse(order, func(at inventory.Millis) { s.reshow(sh, channel, at) })
			}
		})
	}
}

func (s *Sim) obeyEverywhere(k *sku, channel int, order directive, at inventory.Millis) {
	held := &k.told[channel]
	if order.revision <= held.revision {
		return
	}
	reshow := func(at inventory.Millis) {
		for place := range s.places {
			s.reshow(s.shelf(place, k.number), channel, at)
		}
	}
	*held = order
	reshow(at)
	s.lapse(order, reshow)
}

// lapse looks again when a directive ends, unless it ended already.
func (s *Sim) lapse(order directive, reshow func(at inventory.Millis)) {
	if order.till > s.now && order.till < s.now+365*inventory.Day {
		s.at(order.till, reshow)
	}
}

// reshow lets a channel show what it was told as far as the commands in force leave it; where none does, what
// is sellable now.
func (s *Sim) reshow(sh *shelf, channel int, at inventory.Millis) {
	w := &sh.windows[channel]
	units := sh.sellable(channel)
	if shows := sh.allowed(channel, units, at); shows == w.shown {
		s.watch(sh, at)
		return
	}
	s.show(sh, channel, units, at)
}
