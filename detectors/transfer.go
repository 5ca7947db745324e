package detectors

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/inventory"
)

func transferRule(l *Limits) string {
	return fmt.Sprintf("raise where units are missing %g %% of the transfer's lead (1 h to 24 h) after it was due; clear when all came, or after 14 days", 100*l.TransferLate)
}

// transferDelay: another location sent goods here, and they did not come, or not all, when they were due. One
// exception a reference, at the location that waits. Looked at by the timer of the reference, and when goods come. A
// transfer for which nobody said when it is due is never late.
func transferDelay() Detector {
	return Detector{inventory.TransferDelay, KindsOf(inventory.TransferIn), lookTransfer, describeTransfer}
}

func lookTransfer(v *View, found []Finding) []Finding {
	if v.Arrival == nil || !v.Arrival.transfer {
		return found
	}
	f, _ := v.Arrival.delayed(v.limits(), v.Now)
	return v.Arrival.edges(v, v.about(inventory.TransferDelay), f, delayRetention, found)
}

func describeTransfer(v *View, f *Finding) Description {
	a := v.Arrival
	if a == nil {
		if a = v.Past.Arrival(f.Class, f.Of); a == nil {
			return Description{Rule: transferRule(v.limits()), Evidence: map[string]any{"ref": f.Of, "price": v.Price},
				Reason: fmt.Sprintf("Nothing more was heard of %s of %s at %s.", f.Of, v.SKU, v.Location)}
		}
	}
	missing := max(a.Expected-a.Received, 0)
	d := Description{
		Rule: transferRule(v.limits()),
		Evidence: map[string]any{
			"ref":      f.Of,
			"from":     a.From,
			"sent":     a.Expected,
			"received": a.Received,
			"missing":  missing,
			"due":      a.Due.String(),
			"price":    v.Price,
			"atp":      v.ATP(),
		},
		Exposure: worth(missing, v.Price),
	}
	d.Severity = severity(d.Exposure, f.Confidence)
	if f.Edge == Clear {
		if missing == 0 {
			d.Reason = fmt.Sprintf("All %s of %s that %s sent to %s under %s came.", units(a.Expected), v.SKU, a.From, v.Location, f.Of)
		} else {
			d.Reason = fmt.Sprintf("Nothing more was heard of the %s of %s that %s sent to %s under %s.", units(missing), v.SKU, a.From, v.Location, f.Of)
		}
		return d
	}
	d.Reason = fmt.Sprintf("%s of %s that %s sent to %s under %s were due %s and have not come (%d of %d did).",
		units(missing), v.SKU, a.From, v.Location, f.Of, clock(a.Due), a.Received, a.Expected)
	d.Recommendations = []inventory.Recommendation{
		{Action: "escalate", Quantity: missing, Why: "the carrier or the sender has to say where the goods are"},
	}
	if v.ATP() <= 0 {
		d.Recommendations = append(d.Recommendations, inventory.Recommendation{
			Action: "replenish", Quantity: missing, Why: "there is nothing else to promise here",
		})
	}
	return d
}
