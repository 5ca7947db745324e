package policy

import (
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTheDefaultIsCareful: it acts by itself only on what it has thresholds for, in bounds
// under which nothing lapses or flaps.
func TestTheDefaultIsCareful(t *testing.T) {
	p := Default()
	if p.Version == "" {
		t.Error("the policy has no version, and every command names one")
	}
	for _, class := range inventory.Classes() {
		r := p.Rule(class)
		acts := class == inventory.Oversell || class == inventory.OversellRisk || class == inventory.PhantomInventory
		if acts != (r.Autonomy == Automate) {
			t.Errorf("%s: autonomy %d", class, r.Autonomy)
		}
		if r.Owner == "" || r.SLA <= 0 || r.Expiry <= 0 {
			t.Errorf("%s: %+v leaves somebody without an answer", class, r)
		}
		if after := r.RenewAfter(); after <= 0 || after >= r.Expiry {
			t.Errorf("%s: renewed after %v, expires after %v", class, after, r.Expiry)
		}
		if r.Raise != 0 && r.Clear >= r.Raise {
			t.Errorf("%s: raised at %g and cleared at %g, without hysteresis", class, r.Raise, r.Clear)
		}
	}
	if r := p.Rule(inventory.PhantomInventory); r.Raise <= 0.5 || r.Raise >= 1 || r.Clear <= 0 {
		t.Errorf("phantoms are raised at %g and cleared at %g", r.Raise, r.Clear)
	}
}

func TestAutonomyDecidesHowAnExceptionOpens(t *testing.T) {
	for a, want := range map[Autonomy]inventory.Status{Observe: inventory.Open, Recommend: inventory.AwaitingApproval, Automate: inventory.Acting} {
		if got := a.Status(); got != want {
			t.Errorf("%d opens as %s, want %s", a, got, want)
		}
	}
}

func TestAHoldIsRenewedAQuarterBeforeItLapses(t *testing.T) {
	r := Rule{Expiry: 8 * inventory.Hour}
	if got := r.RenewAfter(); got != 6*inventory.Hour {
		t.Errorf("a command of 8 h is renewed after %d ms, want 6 h", got)
	}
}

// TestTheBuiltInFigures are those that the docs name.
func TestTheBuiltInFigures(t *testing.T) {
	p := Default()
	phantom := p.Rule(inventory.PhantomInventory)
	if phantom.Raise != 0.8 || phantom.Clear != 0.4 || phantom.Expiry != 7*inventory.Day || phantom.SLA != inventory.Day {
		t.Errorf("phantom inventory: %+v", phantom)
	}
	if risk := p.Rule(inventory.OversellRisk); risk.Raise != 0.01 || risk.Clear != 0.0025 || risk.Expiry != inventory.Day {
		t.Errorf("oversell risk: %+v", risk)
	}
	if oversell := p.Rule(inventory.Oversell); oversell.Expiry != 7*inventory.Day || oversell.SLA != inventory.Hour {
		t.Errorf("oversell: %+v", oversell)
	}
	if r := p.Rule("no such class"); r.Autonomy != Observe || r.Raise != 1 || r.Clear != 0 {
		t.Errorf("a class that nobody knows: %+v, want it to be observed and never raised", r)
	}
}

func TestWhoObservesOnlyDoesNothing(t *testing.T) {
	p, o := Default(), Default().Observing()
	for _, class := range inventory.Classes() {
		r, was := o.Rule(class), p.Rule(class)
		if r.Autonomy != Observe || r.Raise != was.Raise || r.Clear != was.Clear {
			t.Errorf("%s: %+v, observed as %+v", class, was, r)
		}
	}
	if o.ExceptionsPerSecond != p.ExceptionsPerSecond || o.ExceptionsAtOnce != p.ExceptionsAtOnce {
		t.Errorf("%d exceptions a second and %d at once, observed as %d and %d", p.ExceptionsPerSecond, p.ExceptionsAtOnce, o.ExceptionsPerSecond, o.ExceptionsAtOnce)
	}
	if o.Version == p.Version {
		t.Error("two policies have one version")
	}
}
