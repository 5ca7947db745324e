package engine

import (
	"strings"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// limits are the detectors' thresholds under the policy in force. They are worked out when it takes effect; for every look only of
// the classes of which an override changes some.
type limits struct {
	usual    detectors.Limits  // where no override changes any
	varies   []inventory.Class // of which one does, somewhere
	channels bool              // one that goes by channel

	here, there detectors.Limits // of the view's key or location, and of a channel there: scratch space
}

func limitsOf(p *policy.Policy) limits {
	l := limits{usual: detectors.Usual()}
	for _, class := range inventory.Classes() {
		setLimits(&l.usual, class, p.Rule(class))
		if p.Varies(class) {
			l.varies = append(l.varies, class)
		}
	}
	l.channels = p.VariesByChannel()
	return l
}

// setLimits sets the limits of a class as a rule says.
func setLimits(l *detectors.Limits, class inventory.Class, r policy.Rule) {
	if class == inventory.PhantomInventory {
		l.Phantom = detectors.Alarm{Raise: r.Raise, Clear: r.Clear}
	}
	if class == inventory.OversellRisk {
		l.Risk.Raise, l.Risk.Clear = r.Raise, r.Clear
	}
	for _, t := range policy.Thresholds(class) {
		x, set := r.Threshold(t)
		if !set {
			continue
		}
		if span := l.Span(t.Path); span != nil {
			*span = inventory.Millis(x)
		} else {
			*l.Number(t.Path) = x
		}
	}
}

// limitsIn returns the limits at a place, in into where they differ from the usual ones.
func (e *Engine) limitsIn(into *detectors.Limits, sku, location, channel string) *detectors.Limits {
	l := &e.limits
	if len(l.varies) == 0 {
		return &l.usual
	}
	at := e.at(sku, location, channel)
	*into = l.usual
	for _, class := range l.varies {
		setLimits(into, class, e.policy.RuleAt(class, at))
	}
	return into
}

// bound gives a view, of which SKU and location are set, the limits of its place.
func (e *Engine) bound(v *detectors.View) {
	v.Limits = e.limitsIn(&e.limits.here, v.SKU, v.Location, "")
	v.Alarm = v.Limits.Phantom
	v.LimitsOn = nil
	if e.limits.channels {
		v.LimitsOn = e.limitsOn
	}
}

func (e *Engine) limitsOn(channel string) *detectors.Limits {
	return e.limitsIn(&e.limits.there, e.view.SKU, e.view.Location, channel)
}

// limitsAt returns the limits at a record or a timeline of that key, good until it is called again.
func (e *Engine) limitsAt(key string) *detectors.Limits {
	if len(e.limits.varies) == 0 {
		return &e.limits.usual
	}
	sku, location := splitRecordKey(key)
	location, _, _ = strings.Cut(location, "\x00")
	return e.limitsIn(&e.limits.there, sku, location, "")
}
