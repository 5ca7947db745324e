package quality

import (
	"context"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// Arms are what came of trade in three networks that want the same.
type Arms struct {
	None, Buffer, Holdfast sim.Totals
	Oracle, Omniscient     Yardstick

	BufferUnits float64 // kept back of each shelf from each channel, so that as many unit-hours are as holdfast held

	Conditions int     // stretches in which a channel showed what the books no longer had, with holdfast
	Commanded  int     // of them, those in which it was told to stop before the next order there
	Phantoms   int     // exceptions of phantom inventory that were raised
	Wrong      int     // of them, those where some was there
	KeyDays    float64 // of stores
}

// playArms plays the networks beside the one without holdfast. The oracle holds from a threshold on.
func playArms(ctx context.Context, c *Config, network sim.Config, none sim.Totals, threshold float64) (*Arms, error) {
	l, err := newLoop(c, network, policy.Default())
	if err != nil {
		return nil, err
	}
	idle := func(inventory.Millis) error { return nil }
	if err := l.play(ctx, true, func(*inventory.Delta) {}, idle); err != nil {
		return nil, err
	}
	a := &Arms{None: none, Holdfast: l.measured(), KeyDays: float64(c.Stores*c.SKUs) * float64(c.Days)}
	a.command(c, l)
	for _, x := range l.order {
		if x.Class == inventory.PhantomInventory && x.OpenedAt >= c.warmUp() {
			a.Phantoms++
			if !emptyAt(l.sim, inventory.Key{SKU: x.SKU, Location: x.Location}, x.OpenedAt) {
				a.Wrong++
			}
		}
	}
	a.BufferUnits = bufferFor(&none, a.Holdfast.Held)
	if a.Oracle, err = playOracle(ctx, c, network, threshold); err != nil {
		return nil, err
	}
	if a.Omniscient, err = playOmniscient(ctx, c, network); err != nil {
		return nil, err
	}
	network.Buffer = a.BufferUnits
	a.Buffer, err = playAlone(ctx, c, network)
	return a, err
}

// playAlone plays a network that nobody listens to.
func playAlone(ctx context.Context, c *Config, network sim.Config) (sim.Totals, error) {
	network.Start, network.Stores, network.SKUs = start, c.Stores, c.SKUs
	s := sim.New(network)
	warm, isWarm := sim.Totals{}, false
	for n := 0; ; n++ {
		_, arrives := s.Next()
		if !isWarm && arrives >= c.warmUp() {
			warm, isWarm = s.Totals(), true
		}
		if arrives >= c.end() {
			return s.Totals().Minus(&warm), nil
		}
		if n%(1<<14) == 0 && ctx.Err() != nil {
			return sim.Totals{}, ctx.Err()
		}
	}
}

// bufferFor returns how many units each channel must not be shown of each shelf so that some unit-hours are held
// back, if the books stand for as long at each number of units as they did without.
func bufferFor(none *sim.Totals, hours float64) float64 {
	held := func(units float64) (hours float64) {
		whole := float64(int(units))
		for n, h := range none.Books {
			hours += h * ((1-(units-whole))*min(whole, float64(n)) + (units-whole)*min(whole+1, float64(n)))
		}
		return hours
	}
	low, high := 0.0, float64(sim.BooksMax)
	for range 50 {
		if middle := (low + high) / 2; held(middle) < hours {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// binding names whom a command binds.
type binding struct {
	inventory.Key
	channel string
}

// command counts the conditions that were commanded: those whose channel had been told to show nothing, there or everywhere, before
// the next order there was taken, or, where none was, before they ended.
func (a *Arms) command(c *Config, l *loop) {
	told := map[binding][]*inventory.Command{}
	for i := range l.commands {
		x := &l.commands[i]
		b := binding{inventory.Key{SKU: x.SKU, Location: x.Location}, x.Channel}
		told[b] = append(told[b], x)
	}
	// stopped reports whether the last word by a time was to show nothing.
	stopped := func(b binding, by inventory.Millis) bool {
		stop := false
		for _, x := range told[b] {
			if x.IssuedAt > by {
				break
			}
			stop = x.Action == inventory.Hold || x.Action == inventory.Throttle && x.Sellable == 0
		}
		return stop
	}
	for _, e := range l.sim.Episodes() {
		if e.Class != inventory.Oversell || e.Channel == "" || e.Begin < c.warmUp() {
			continue
		}
		by := e.Order
		if by == 0 {
			by = e.End
		}
		if by == 0 {
			by = c.end()
		}
		a.Conditions++
		here := binding{inventory.Key{SKU: e.SKU, Location: e.Location}, e.Channel}
		everywhere := binding{inventory.Key{SKU: e.SKU, Location: inventory.Network}, e.Channel}
		if stopped(here, by) || stopped(everywhere, by) {
			a.Commanded++
		}
	}
}
