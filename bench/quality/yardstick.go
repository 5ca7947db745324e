package quality

import (
	"context"
	"math"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Yardstick is what came of trade where somebody who knows more than holdfast can tells the channels what to show.
type Yardstick struct {
	sim.Totals

	FalseHolds int // that began where stock was there; one that comes back within a day is the same
}

// teller tells all channels how much of a shelf they may show at most.
type teller struct {
	sim      *sim.Sim
	channels []sim.Channel
	told     map[inventory.Key]int64
	revision uint64
	expires  inventory.Millis
}

// anything is told where nothing is held back.
const anything = math.MaxInt64

func newTeller(c *Config, s *sim.Sim, channels []sim.Channel) *teller {
	return &teller{sim: s, channels: channels, told: map[inventory.Key]int64{}, expires: c.end() + inventory.Day}
}

// tell tells the channels, unless they were told so already.
func (t *teller) tell(key inventory.Key, units int64) {
	was, ok := t.told[key]
	if !ok {
		was = anything
	}
	if was == units {
		return
	}
	t.told[key] = units
	t.revision++
	for _, ch := range t.channels {
		t.sim.Obey(&inventory.Command{
			Action: inventory.Throttle, Sellable: units, Channel: ch.Name, SKU: key.SKU, Location: key.Location,
			Revision: t.revision, ExpiresAt: t.expires,
		})
	}
}

// looksApart is the least time between two looks at all shelves: of the order of the quickest channel's lag.
const looksApart = inventory.Minute

// playTold plays a network whose shelves are looked at whenever something is heard. look is called for each of them,
// after heard has had what was heard and hourly has had every full hour before it.
func playTold(ctx context.Context, c *Config, s *sim.Sim, heard func(*inventory.Delta), hourly func(at inventory.Millis), look func(sh *sim.Shelf, at inventory.Millis)) (sim.Totals, error) {
	warm, hour, next := sim.Totals{}, start, start
	for {
		d, arrives := s.Next()
		for ; hour <= arrives && hour < c.end(); hour += inventory.Hour {
			if hour == c.warmUp() {
				warm = s.Totals()
			}
			hourly(hour)
			if ctx.Err() != nil {
				return sim.Totals{}, ctx.Err()
			}
		}
		if arrives >= c.end() {
			return s.Totals().Minus(&warm), nil
		}
		heard(&d)
		if arrives >= next {
			next = arrives + looksApart
			s.Shelves(func(sh *sim.Shelf) { look(sh, arrives) })
		}
	}
}

// playOmniscient plays a network in which somebody sees what is on every shelf and lets channels show that, less what is
// promised already. It leaves what the channels' lag does, and what is taken from a shelf between an order and its pick.
func playOmniscient(ctx context.Context, c *Config, network sim.Config) (Yardstick, error) {
	network.Start, network.Stores, network.SKUs = start, c.Stores, c.SKUs
	s := sim.New(network)
	t := newTeller(c, s, network.Channels)
	totals, err := playTold(ctx, c, s, func(*inventory.Delta) {}, func(inventory.Millis) {}, func(sh *sim.Shelf, _ inventory.Millis) {
		t.tell(sh.Key, max(sh.There-(sh.Recorded-sh.Promised), 0))
	})
	return Yardstick{Totals: totals}, err
}

// playOracle plays a network in which the oracle has every channel show nothing of what is promised while it gives a
// probability of at least a threshold that nothing is there.
func playOracle(ctx context.Context, c *Config, network sim.Config, threshold float64) (Yardstick, error) {
	network.Start, network.Stores, network.SKUs = start, c.Stores, c.SKUs
	s := sim.New(network)
	t, o := newTeller(c, s, network.Channels), newOracle(network)
	var y Yardstick
	ended := map[inventory.Key]inventory.Millis{}
	hourly := func(at inventory.Millis) {
		s.Shelves(func(sh *sim.Shelf) {
			if !sh.Centre {
				o.hour(sh, at)
			}
		})
	}
	look := func(sh *sim.Shelf, at inventory.Millis) {
		if sh.Centre {
			return
		}
		last, was := t.told[sh.Key]
		held := was && last == 0
		hold := sh.Promised > 0 && o.doubt(sh.Key) >= threshold
		if hold == held {
			return
		}
		o.close(sh.Key, hold)
		if !hold {
			ended[sh.Key] = at
			t.tell(sh.Key, anything)
			return
		}
		before, again := ended[sh.Key]
		if sh.There > 0 && at >= c.warmUp() && !(again && at-before <= sameAlarm) {
			y.FalseHolds++
		}
		t.tell(sh.Key, 0)
	}
	var err error
	y.Totals, err = playTold(ctx, c, s, o.hear, hourly, look)
	return y, err
}
