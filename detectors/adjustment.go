package detectors

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// adjustSlack and adjustAlarm are the CUSUM's: in units of the location's mean correction, the drift that is let pass with each, and the
	// sum at which it is raised; it is cleared at adjustCalm. [A]
	adjustSlack = 0.5
	adjustAlarm = 4
	adjustCalm  = 1

	// adjustMost bounds what one correction counts, in the same units.
	adjustMost = 3

	// adjustHalfLife is over how many days half of what corrections add up to is forgotten.
	adjustHalfLife = 14

	// adjustOften is how many corrections of late are many, and adjustOthers how many times as many as keys of the location have.
	adjustOften  = 5
	adjustOthers = 3
)

func adjustRule(l *Limits) string {
	return fmt.Sprintf("raise where corrections to one side add up to %g (CUSUM in units of the location's mean correction, less its own bias and a slack of %g), "+
		"or %g of late are %g times those of other keys; half is forgotten in %d days; clear at %g, or at a count",
		l.AdjustAlarm, adjustSlack, l.AdjustOften, l.AdjustOthers, adjustHalfLife, l.AdjustCalm)
}

// corrections is what adjustments of a key add up to.
type corrections struct {
	up, down float64 // the CUSUMs
	many     float64 // how many, of late
	as       inventory.Millis
}

// adjustmentAnomaly: the record of a key is corrected again and again, or always to the same side. Looked at after adjustments and
// counts, and once a day while one stands.
func adjustmentAnomaly() Detector {
	return Detector{inventory.AdjustmentAnomaly, KindsOf(inventory.Adjust), lookAdjustments, describeAdjustments}
}

func lookAdjustments(v *View, found []Finding) []Finding {
	scope := Scope{Class: inventory.AdjustmentAnomaly}
	if d := v.Delta; d != nil && d.Kind == inventory.Adjust {
		t := v.trace()
		if t.corrections == nil {
			t.corrections = &corrections{as: v.Now}
		}
		t.corrections.add(v, d.Quantity)
	}
	if v.Traces == nil || v.Traces.corrections == nil {
		return found
	}
	c := v.Traces.corrections
	open := v.IsOpen(scope)
	counted := v.Delta != nil && v.Delta.Kind == inventory.Count
	switch {
	case counted:
		*c = corrections{as: v.Now}
	case v.Delta == nil:
		c.fade(v.Now)
	}
	l := v.limits()
	one := max(c.up, c.down)
	if open && one <= l.AdjustCalm && c.many < l.AdjustOften {
		found = append(found, Finding{Scope: scope, Edge: Clear, Confidence: 1})
		open = false
	} else if !open && (one >= l.AdjustAlarm || c.many >= l.AdjustOften && c.many >= l.AdjustOthers*v.Place.adjusted.often()) {
		found = append(found, Finding{Scope: scope, Edge: Raise, Confidence: 1 - exp(-max(one, c.many/2))})
		open = true
	}
	v.Traces.adjustAt = 0
	if open {
		v.Traces.adjustAt = v.Now + inventory.Day
	} else if one == 0 && c.many < 0.1 {
		v.Traces.corrections = nil
	}
	return found
}

func (c *corrections) fade(now inventory.Millis) {
	if now <= c.as {
		return
	}
	keep := exp2(-float64(now-c.as) / float64(adjustHalfLife*inventory.Day))
	c.up = float64(c.up * keep)
	c.down = float64(c.down * keep)
	c.many = float64(c.many * keep)
	c.as = now
	c.shorten()
}

// shorten makes each number what it will be once it was written and read.
func (c *corrections) shorten() {
	c.up, c.down, c.many = short(c.up, roughBytes), short(c.down, roughBytes), short(c.many, roughBytes)
}

func (c *corrections) add(v *View, q int64) {
	c.fade(v.Now)
	scale, bias := v.Place.adjusted.usual()
	z := min(max(float64(q)/scale, -adjustMost), adjustMost) - bias
	c.up = max(c.up+z-adjustSlack, 0)
	c.down = max(c.down-z-adjustSlack, 0)
	c.many++
	c.shorten()
	v.Place.adjusted.add(q, c.many)
}

// adjusted is what corrections are like at a location.
type adjusted struct {
	n, units, sum float64 // how many, Σ |q| and Σ q, the last few hundred
	many          float64 // Σ of how many corrections of late a key has, when it is corrected
}

// often returns how many corrections of late a key has, when it is corrected: until something is known, one and a half.
func (a *adjusted) often() float64 { return (a.many + 15) / (a.n + 10) }

// usual returns the mean size of a correction, and in units of that the mean of all.
func (a *adjusted) usual() (scale, bias float64) {
	scale = (a.units + 4) / (a.n + 2)
	return scale, a.sum / (a.units + float64(5*scale))
}

func (a *adjusted) add(q int64, many float64) {
	const keep = 0.995
	a.n = float64(a.n*keep) + 1
	a.units = float64(a.units*keep) + float64(max(q, -q))
	a.sum = float64(a.sum*keep) + float64(q)
	a.many = float64(a.many*keep) + many
}

func describeAdjustments(v *View, f *Finding) Description {
	d := Description{Rule: adjustRule(v.limits()), Evidence: map[string]any{"on_hand": v.OnHand, "price": v.Price}}
	var c corrections
	if v.Traces != nil && v.Traces.corrections != nil {
		c = *v.Traces.corrections
	}
	scale, bias := v.Place.adjusted.usual()
	d.Evidence["upwards"] = Round4(c.up)
	d.Evidence["downwards"] = Round4(c.down)
	d.Evidence["of_late"] = Round4(c.many)
	d.Evidence["location_mean_units"] = Round4(scale)
	d.Evidence["location_bias"] = Round4(bias)
	if f.Edge == Clear {
		d.Reason = fmt.Sprintf("The record of %s at %s is no longer corrected out of the ordinary.", v.SKU, v.Location)
		return d
	}
	off := float64(max(c.up, c.down) * scale)
	d.Exposure = worth(int64(off), v.Price)
	d.Severity = severity(d.Exposure, f.Confidence)
	way := "upwards"
	if c.down > c.up {
		way = "downwards"
	}
	if max(c.up, c.down) >= v.limits().AdjustAlarm {
		d.Reason = fmt.Sprintf("The record of %s at %s is corrected %s again and again: by %.0f units more than corrections there usually are.", v.SKU, v.Location, way, off)
	} else {
		d.Reason = fmt.Sprintf("The record of %s at %s was corrected %.0f times of late, where %.1f is usual there.", v.SKU, v.Location, c.many, v.Place.adjusted.often())
	}
	d.Recommendations = []inventory.Recommendation{
		{Action: "count", Quantity: v.OnHand, Why: "only a count tells what the corrections are after"},
		{Action: "escalate", Why: "look at who corrects it, and why: theft, mis-scans or a wrong pack size"},
	}
	return d
}

func (c *corrections) append(dst []byte) []byte {
	for _, x := range [...]float64{c.up, c.down, c.many} {
		dst = appendShort(dst, x, roughBytes)
	}
	return wire.AppendInt(dst, c.as)
}

func (c *corrections) read(r *wire.Reader) {
	for _, x := range [...]*float64{&c.up, &c.down, &c.many} {
		*x = readShort(r, roughBytes)
	}
	c.as = inventory.Millis(r.Int())
}
