package engine_test

import (
	"math"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// fiveWeeks of a location that sells at every hour of the week alike: its clock runs as the
// clock on the wall. Coffee sells every hour, tea every five; both have sold last at 835 and 839.
const fiveWeeks = `
	0 count 5000 sku=coffee
	0 count 500
	0..840/1 sale 1 sku=coffee
	0..840/5 sale 1`

// picks goes on from fiveWeeks: a pick in twenty fails here. Four of tea are left, the fifth was just sold.
const picks = `
	0..840/2 ship 1 sku=coffee ref=c
	0.5..840/40 pick_failed 1 sku=coffee ref=c
	839 count 5
	840 sale 1`

// TestSilenceOpensAHoldWhenTheClosedFormSaysSo: the moment is that of DOMAIN's formula, and not that of
// the next delta to come.
func TestSilenceOpensAHoldWhenTheClosedFormSaysSo(t *testing.T) {
	for _, c := range []struct{ name, life string }{
		{"the source vouches once a day", "840..1200/24 tick"},
		{"the source vouches every hour", "840..1200/1 tick"},
		{"another source vouches for the location", "840..1200/24 tick at=leeds source=wms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tell(t, fiveWeeks+"\n"+c.life, 830)
			x := firstOpened(t, p, "tea")
			const lastSale = 835
			silent, rate, events, prior := evidence(x, "hours_silent"), evidence(x, "rate_per_day")/24, evidence(x, "demand_events"), evidence(x, "prior")
			// Nothing at all is sold here while somebody vouches: the location's clock runs a little slower.
			wall := float64(x.OpenedAt-hourOf(lastSale)) / float64(inventory.Hour)
			if silent > 1.001*wall || silent < 0.85*wall {
				t.Errorf("opened %.2f h after the last sale, but silence is said to be %.2f h", wall, silent)
			}
			// Demand comes at a Gamma rate of shape a, and each day does as it likes; what vanishes within the silence was there
			// for the first part of it.
			odds := func(u float64) float64 {
				a := min(events+0.8, 8)
				s := 1 / (1/a + 1/(4*(1+u/24)))
				ratio := func(u float64) float64 { return math.Pow(1+rate*u/s, s) }
				o := prior / (1 - prior) * ratio(u)
				const steps = 2000
				for i := range steps {
					o += 0.0025 / 24 * u / steps * ratio(u) / ratio(u*(float64(i)+0.5)/steps)
				}
				return o
			}
			first, last := 0.0, 1000.0
			for range 60 {
				if u := (first + last) / 2; odds(u) < 0.8/0.2 {
					first = u
				} else {
					last = u
				}
			}
			if silent < 0.998*last || silent > 1.03*last {
				t.Errorf("opened after %.2f h of silence, want %.2f h", silent, last)
			}
			want := odds(silent) / (1 + odds(silent))
			if p := evidence(x, "probability"); p < 0.8 || math.Abs(p-want) > 0.002 {
				t.Errorf("opened at probability %v, want %.4f", p, want)
			}
		})
	}
}

// firstOpened returns the first exception about a SKU, and fails unless a hold followed from it at once.
func firstOpened(t *testing.T, p *partition, sku string) *inventory.Exception {
	t.Helper()
	var x *inventory.Exception
	for _, o := range p.said {
		switch {
		case x == nil && o.Exception != nil && o.Exception.SKU == sku:
			x = o.Exception
		case x != nil && o.Command != nil && o.Command.Exception == x.ID:
			if o.Command.Action != inventory.Hold || o.Command.EventTime != x.OpenedAt {
				t.Fatalf("%s of %v follows from what opened at %v", o.Command.Action, o.Command.EventTime, x.OpenedAt)
			}
			return x
		}
	}
	t.Fatalf("no hold of %s:\n%s", sku, p.transcript(t))
	return nil
}

func evidence(x *inventory.Exception, name string) float64 {
	switch v := x.Evidence[name].(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return math.NaN()
}

func TestPhantomInventory(t *testing.T) {
	for _, c := range []struct{ name, table, want string }{
		{"silence raises it, in three days", `
			840..890/1 tick`, ``},
		{"silence raises it, in three days, and no later", `
			840..940/1 tick`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory`},
		{"another key that sells vouches as a tick does", `
			840..940/1 sale 1 sku=coffee`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory`},
		{"a sale in time resets the silence", `
			860 sale 1
			840..915/1 tick`, ``},
		{"and silence begins anew", `
			860 sale 1
			840..970/1 tick`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory`},
		{"a count in time resets it", `
			860 count 400
			840..940/1 tick`, ``},
		{"and silence begins anew after a count", `
			860 count 400
			840..1010/1 tick`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory`},
		{"a sale resolves it, and silence raises it again though nothing else happens", `
			950 sale 1
			840..1080/1 tick`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory
			950 resolve phantom_inventory
			950 release web@leeds to 331 for phantom_inventory
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory`},
		{"no one vouches: a silent feed is not silent demand", `
			1200 tick source=other
			1201 tick source=other`, ``},
		{"someone else vouches, for another location", `
			840..1200/24 tick source=other at=york`, ``},
		{"a feed that was down for days is not silent demand when it is back", `
			1000..1015/1 sale 1 sku=coffee`, ``},
		{"it takes up where it stopped", `
			1000..1100/1 sale 1 sku=coffee`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory`},
		{"a count resolves it and says what may be sold", `
			950 count 7
			840..960/1 tick`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory
			950 resolve phantom_inventory
			950 release web@leeds to 7 for phantom_inventory`},
		{"a count of nothing resolves it too", `
			950 count 0
			840..960/1 tick`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory
			950 resolve phantom_inventory
			950 release web@leeds to 0 for phantom_inventory`},
		{"nothing in stock: silence says nothing", `
			840 count 0
			840..1200/1 tick`, ``},
		{"one order whose pick fails again and again is one failure", picks + `
			840.1 pick_failed 1 ref=o1
			840.2 pick_failed 1 ref=o1
			840.3 pick_failed 1 ref=o1`, ``},
		{"two orders whose picks fail raise it", picks + `
			840.1 pick_failed 1 ref=o1
			840.2 pick_failed 1 ref=o2`, `
			840.2 open phantom_inventory
			840.2 hold web@leeds for phantom_inventory`},
		{"unless a pick in between was good", picks + `
			840.1 pick_failed 1 ref=o1
			840.2 ship 1 ref=o2
			840.3 pick_failed 1 ref=o3`, ``},
		{"units found lower it; between the thresholds it stays as it is", picks + `
			840.1 pick_failed 1 ref=o1
			840.2 pick_failed 1 ref=o2
			841 adjust 1
			842 adjust 1
			843 adjust 1
			844 adjust 1`, `
			840.2 open phantom_inventory
			840.2 hold web@leeds for phantom_inventory
			843 resolve phantom_inventory
			843 release web@leeds to 7 for phantom_inventory`},
		{"corrections downwards alone do not raise it", picks + `
			840.1..840.4/0.1 adjust -1`, ``},
		{"a substitution is hearsay, many are not", picks + `
			841 substitute 1 ref=o1
			841.1 substitute 1 ref=o2
			841.2 substitute 1 ref=o3
			841.3 substitute 1 ref=o4
			841.4 substitute 1 ref=o5`, `
			841.4 open phantom_inventory
			841.4 hold web@leeds for phantom_inventory`},
		{"one hold stands for two exceptions, and the release comes with the last", `
			840..950/1 tick
			950 reserve 600 ref=r
			951 release 600 ref=r
			952 count 7`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory
			950 open oversell
			951 resolve oversell
			952 resolve phantom_inventory
			952 release web@leeds to 7 for phantom_inventory`},
		{"whichever is the last", `
			840..950/1 tick
			950 reserve 600 ref=r
			951 count 400
			952 release 600 ref=r`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory
			950 open oversell
			951 resolve phantom_inventory
			952 resolve oversell
			952 release web@leeds to 400 for oversell`},
		{"a rush at the opening does not make every later hour an outage", `
			0..0.01/0.0003 sale 1 sku=coffee
			840..950/1 sale 1 sku=coffee`, `
			silence open phantom_inventory
			silence hold web@leeds for phantom_inventory`},
	} {
		t.Run(c.name, func(t *testing.T) { wantTold(t, fiveWeeks+c.table, 830, c.want) })
	}
}
