package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// throttling returns the commands that a risk gave: "1h03m throttle web 4", each with a revision above that of the one before, and none after
// the one before had lapsed.
func throttling(t *testing.T, p *partition) string {
	t.Helper()
	last := map[string]*inventory.Command{}
	var lines []string
	for _, o := range p.said {
		c := o.Command
		if c == nil || c.Class != inventory.OversellRisk {
			continue
		}
		if before := last[c.Channel]; before != nil && (c.Revision != before.Revision+1 || before.Action != inventory.Unhold && c.EventTime >= before.ExpiresAt) {
			t.Errorf("after revision %d of %s, which lapses at %v, comes %d at %v", before.Revision, c.Channel, before.ExpiresAt, c.Revision, c.EventTime)
		}
		last[c.Channel] = c
		minutes := int64(c.EventTime-hourOf(0)) / int64(inventory.Minute)
		lines = append(lines, fmt.Sprintf("%dh%02dm %s %s %d", minutes/60, minutes%60, c.Action, c.Channel, c.Sellable))
	}
	return strings.Join(lines, "\n")
}

// rush is a shop that sells every ten seconds what the web lists, until goods come.
const rush = `
	0 count 40
	0 listing 40 channel=web
	1..1.1/0.002778 sale 1 channel=web
	1.5 receipt 400 ref=po
	1.5..3/0.05 tick`

// TestAThrottleFollowsWhatIsLeft: down at once with what is left, up once there has been cause for a while, and released likewise.
func TestAThrottleFollowsWhatIsLeft(t *testing.T) {
	sameText(t, "commands", throttling(t, tell(t, rush, 0)), `1h03m throttle web 4
1h03m throttle web 3
1h04m throttle web 1
1h04m hold web 0
1h15m throttle web 1
1h35m release web 404`)
}

// TestThrottlesAsPolicyWants: its step bounds how many there are, its lag how much is kept back, by channel too, and none comes where it only observes.
func TestThrottlesAsPolicyWants(t *testing.T) {
	under := func(text string) string {
		p, err := policy.Parse("name: p\n" + text)
		if err != nil {
			t.Fatal(err)
		}
		return throttling(t, tellUnder(t, engine.Config{Policy: p}, rush, 0))
	}
	const auto = "classes: {oversell_risk: {autonomy: auto, raise: 0.01, clear: 0.0025"
	sameText(t, "in great steps", under(auto+", thresholds: {step: 0.9}}}"), `1h03m throttle web 4
1h04m throttle web 1
1h04m hold web 0
1h15m throttle web 1
1h35m release web 404`)
	sameText(t, "of a quick channel", under(auto+"}}\noverrides: [{class: oversell_risk, channel: web, set: {thresholds: {lag: 5s}}}]"), "")
	sameText(t, "observed", under("classes: {oversell_risk: {raise: 0.01}}"), "")
}

// TestAThrottleIsRenewed: before it lapses, as long as its risk stands.
func TestAThrottleIsRenewed(t *testing.T) {
	p, err := policy.Parse("name: p\nclasses: {oversell_risk: {autonomy: auto, raise: 0.01, clear: 0.0025, expiry: 12h, thresholds: {lag: 10m}}}")
	if err != nil {
		t.Fatal(err)
	}
	sameText(t, "commands", throttling(t, tellUnder(t, engine.Config{Policy: p}, `
		0 count 12
		0 listing 12 channel=web
		1..30/0.05 sale 1 channel=store
		1.01..30/0.05 receipt 1 ref=po
		30..34/0.25 tick`, 35)), `1h48m throttle web 3
1h48m throttle store 3
1h51m throttle web 2
1h51m throttle store 2
4h00m throttle web 1
4h00m throttle store 1
13h00m throttle web 1
13h00m throttle store 1
15h33m hold web 0
15h33m hold store 0
24h33m hold web 0
24h33m hold store 0
33h38m release web 12
33h38m release store 12`)
}
