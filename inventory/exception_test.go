package inventory

import (
	"fmt"
	"testing"
)

// TestTheContractsLists: users filter by these names.
func TestTheContractsLists(t *testing.T) {
	const classes = "[oversell oversell_risk phantom_inventory stock_mismatch stale_listing demand_spike promo_stockout receipt_discrepancy " +
		"return_distortion transfer_delay fulfilment_overload adjustment_anomaly cancellation_anomaly feed_stale]"
	if got := fmt.Sprint(Classes()); got != classes {
		t.Errorf("classes %s, want %s", got, classes)
	}
	if got, want := fmt.Sprint(Statuses()), "[open awaiting_approval acting resolved dismissed]"; got != want {
		t.Errorf("statuses %s, want %s", got, want)
	}
}
