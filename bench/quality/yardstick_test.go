package quality

import (
	"testing"

	"github.com/holdfast-atp/holdfast/bench/sim"
)

// someWeeks is long enough for a dozen or more oversold units.
func someWeeks() Config {
	c := Config{Stores: 4, SKUs: 24, Warm: 4, Days: 10}
	return c.withDefaults()
}

// oversold returns what two tuning networks oversell without anybody, with the oracle and with who sees the shelves.
func oversold(t *testing.T, threshold float64) (none sim.Totals, oracle, omniscient Yardstick) {
	t.Helper()
	c := someWeeks()
	for _, seed := range TuningSeeds(2) {
		network := sim.Study(seed, Target)
		n, err := playAlone(t.Context(), &c, network)
		if err != nil {
			t.Fatal(err)
		}
		o, err := playOracle(t.Context(), &c, network, threshold)
		if err != nil {
			t.Fatal(err)
		}
		all, err := playOmniscient(t.Context(), &c, network)
		if err != nil {
			t.Fatal(err)
		}
		for _, add := range []struct{ to, from *sim.Totals }{{&none, &n}, {&oracle.Totals, &o.Totals}, {&omniscient.Totals, &all.Totals}} {
			add.to.OversoldRaced += add.from.OversoldRaced
			add.to.OversoldUnfound += add.from.OversoldUnfound
			add.to.WronglyHeld += add.from.WronglyHeld
			add.to.Sellable += add.from.Sellable
		}
	}
	return none, oracle, omniscient
}

// TestWhoKnowsMoreOversellsLess: nobody, then who knows all rates, then who sees the shelves, and even that one some.
func TestWhoKnowsMoreOversellsLess(t *testing.T) {
	none, oracle, omniscient := oversold(t, 0.5)
	if !(none.Oversold() > oracle.Oversold() && oracle.Oversold() > omniscient.Oversold()) {
		t.Errorf("oversold %d alone, %d with the oracle, %d with who sees the shelves", none.Oversold(), oracle.Oversold(), omniscient.Oversold())
	}
	if omniscient.OversoldRaced > none.OversoldRaced {
		t.Errorf("%d units oversold where listings were behind, %d alone", omniscient.OversoldRaced, none.OversoldRaced)
	}
	if share := omniscient.WronglyHeld / omniscient.Sellable; !(share < 0.01) {
		t.Errorf("who sees the shelves held back %g of what was there", share)
	}
}

// TestAnOracleThatNeverHoldsChangesNothing, and with one that always does hardly anything is oversold: the centre sells.
func TestAnOracleThatNeverHoldsChangesNothing(t *testing.T) {
	c := someWeeks()
	network := sim.Study(TuningSeeds(1)[0], Target)
	alone, err := playAlone(t.Context(), &c, network)
	if err != nil {
		t.Fatal(err)
	}
	never, err := playOracle(t.Context(), &c, network, 1.1)
	if err != nil {
		t.Fatal(err)
	}
	if never.Totals != alone || never.FalseHolds != 0 {
		t.Errorf("with an oracle that never holds %d were oversold and %d ordered, alone %d and %d", never.Oversold(), never.Ordered, alone.Oversold(), alone.Ordered)
	}
	always, err := playOracle(t.Context(), &c, network, 0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := playOracle(t.Context(), &c, network, 0)
	if err != nil {
		t.Fatal(err)
	}
	if always != again {
		t.Error("one seed gave two figures")
	}
	if always.FalseHolds == 0 || always.WronglyHeld <= 0 || always.Oversold() > alone.Oversold()/4 {
		t.Errorf("an oracle that always holds: %d held wrongly, %d oversold, %d alone", always.FalseHolds, always.Oversold(), alone.Oversold())
	}
}
