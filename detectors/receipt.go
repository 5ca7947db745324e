package detectors

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/inventory"
)

func receiptRule(l *Limits) string {
	return fmt.Sprintf("raise where nothing came %g %% of its lead (1 h to 24 h) after it was due, or where %s after the latest receipt "+
		"(and once it is due) other than the announced units came; clear when they agree, at a count, or after 7 days", 100*l.ReceiptLate, lasts(l.ReceiptSettle))
}

// receiptDiscrepancy: what an ASN announced, what came and what was counted differ, or nothing came when it
// was due. One exception a reference. Looked at after announcements and receipts, by the timer of the
// reference, and at counts: who counts the shelf knows what came.
func receiptDiscrepancy() Detector {
	kinds := KindsOf(inventory.ASN, inventory.Receipt)
	return Detector{inventory.ReceiptDiscrepancy, kinds, lookReceipt, describeReceipt}
}

func lookReceipt(v *View, found []Finding) []Finding {
	if v.Arrival != nil && !v.Arrival.transfer {
		f, _ := v.Arrival.judge(v.limits(), v.Now)
		return v.Arrival.edges(v, v.about(inventory.ReceiptDiscrepancy), f, discrepancyRetention, found)
	}
	if v.Delta == nil || v.Delta.Kind != inventory.Count {
		return found
	}
	for i := range v.Open {
		scope := v.Open[i]
		if scope.Class != inventory.ReceiptDiscrepancy {
			continue
		}
		a := v.Past.Arrival(scope.Class, scope.Of)
		if a == nil || a.raised != goodsLate && v.Delta.Time >= a.came {
			found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
			if a != nil {
				a.settled, a.until = true, 0
			}
		}
	}
	return found
}

func describeReceipt(v *View, f *Finding) Description {
	d := Description{Rule: receiptRule(v.limits()), Evidence: map[string]any{"ref": f.Of, "price": v.Price}}
	a := v.Past.Arrival(f.Class, f.Of)
	if a == nil {
		d.Reason = fmt.Sprintf("%s counted %s after receipt %s.", v.Location, v.SKU, f.Of)
		return d
	}
	gap := a.Received - a.Expected
	if gap < 0 {
		gap = -gap
	}
	d.Evidence["fault"] = a.raised.String()
	d.Evidence["announced"] = a.Expected
	d.Evidence["received"] = a.Received
	d.Evidence["supplier"] = a.From
	if a.Due != 0 {
		d.Evidence["due"] = a.Due.String()
	}
	d.Exposure = worth(gap, v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	if f.Edge == Clear {
		d.Reason = receiptSettled(v, f.Of, a)
		return d
	}
	switch a.raised {
	case goodsLate:
		d.Reason = fmt.Sprintf("%s of %s that %s announced to %s under %s were due %s, and nothing came.",
			units(a.Expected), v.SKU, a.From, v.Location, f.Of, clock(a.Due))
		d.Recommendations = []inventory.Recommendation{
			{Action: "escalate", Quantity: a.Expected, Why: "the supplier has to say where the goods are"},
			{Action: "replenish", Quantity: a.Expected, Why: "what was planned with them has to come from elsewhere"},
		}
	default:
		more := "more"
		if a.raised == goodsShort {
			more = "less"
		}
		d.Reason = fmt.Sprintf("%s received %s of %s under %s, %s %s than the %d that %s announced.",
			v.Location, units(a.Received), v.SKU, f.Of, units(gap), more, a.Expected, a.From)
		d.Recommendations = []inventory.Recommendation{
			{Action: "count", Quantity: v.OnHand, Why: "a count tells whether the goods or the papers are wrong"},
			{Action: "escalate", Quantity: gap, Why: "the supplier is to be asked, and paid for what came"},
		}
	}
	return d
}

func receiptSettled(v *View, ref string, a *Arrival) string {
	switch {
	case a.settled && v.Delta != nil && v.Delta.Kind == inventory.Count:
		return fmt.Sprintf("%s counted %s after receipt %s, of which %d of %d units came: the record is right.",
			v.Location, v.SKU, ref, a.Received, a.Expected)
	case a.settled:
		return fmt.Sprintf("Nothing more was heard of %s of %s at %s, of which %d of %d units came.",
			ref, v.SKU, v.Location, a.Received, a.Expected)
	}
	return fmt.Sprintf("%s received %d of %d units of %s under %s.", v.Location, a.Received, a.Expected, v.SKU, ref)
}
