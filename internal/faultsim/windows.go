package faultsim

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/inventory"
)

// tiers and series are the windows that are compared, and what each series is to the engine.
var (
	tiers  = []window.Tier{window.Seconds, window.Minutes, window.Hours, window.Days}
	series = map[oracle.Series]window.Series{
		oracle.Demand: window.Demand, oracle.Sales: window.Sales, oracle.Cancels: window.Cancels,
		oracle.Returns: window.Returns, oracle.Adjustments: window.Adjustments, oracle.PickFailures: window.PickFailures,
	}
)

// compareWindows holds what a key's windows add up to, over the last pane, half of them and all, against the oracle's.
func (r *reference) compareWindows(s engine.Store, key inventory.Key) error {
	windows, err := engine.ReadWindows(s, key.SKU, key.Location)
	if err != nil {
		return err
	}
	for _, tier := range tiers {
		newest := r.model.Watermark() / tier.Size()
		for _, of := range oracle.AllSeries() {
			panes := r.model.Window(key.SKU, key.Location, of, tier.Size())
			for _, n := range []int64{1, tier.Panes() / 2, tier.Panes()} {
				var want oracle.Total
				for i, pane := range panes {
					if i > newest-inventory.Millis(n) {
						want.Count, want.Sum = want.Count+pane.Count, want.Sum+pane.Sum
					}
				}
				if got := windows.Sum(tier, series[of], n, r.model.Watermark()); oracle.Total(got) != want {
					return fmt.Errorf("%v: series %d over %d panes of %v is %+v, the oracle's is %+v", key, of, n, tier.Size(), got, want)
				}
			}
		}
	}
	return nil
}
