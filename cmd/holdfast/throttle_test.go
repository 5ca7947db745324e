package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestAChannelIsThrottled: one that shows what a rush will have sold before it can show less is throttled, everywhere where that shows, until there is
// enough again.
func TestAChannelIsThrottled(t *testing.T) {
	p, _ := everything(t)
	from := time.Date(2025, 11, 24, 9, 0, 0, 0, time.UTC)
	n := 0
	send := func(kind, fields string, after time.Duration) {
		n++
		body := fmt.Sprintf(`{"id":"%d","source":"test","sku":"tea","location":"leeds","kind":%q,"time":%q,%s}`, n, kind, from.Add(after).Format(time.RFC3339), fields)
		if status := p.post("/v1/deltas", "application/json", []byte(body), nil); status != http.StatusAccepted {
			t.Fatalf("%s: %d", body, status)
		}
	}
	send("count", `"quantity":40`, 0)
	send("listing", `"quantity":40,"channel":"web"`, 0)
	for i := range 24 {
		send("sale", `"quantity":1,"channel":"store"`, time.Duration(i+1)*10*time.Second)
	}
	var one inventory.Availability
	eventually(t, "what web may show is in the answer", func() bool {
		if p.get("/v1/atp/tea/leeds", &one) != http.StatusOK || one.ATP != 16 {
			return false
		}
		for _, c := range one.Channels {
			if c.Channel == "web" && c.Throttled != nil && *c.Throttled > 0 && *c.Throttled < 16 && !c.Held {
				return true
			}
		}
		return false
	})
	var answer struct{ Directives []inventory.Command }
	eventually(t, "the throttle is in force", func() bool {
		return p.get("/v1/directives?action=throttle&channel=web&sku=tea", &answer) == http.StatusOK && len(answer.Directives) == 1
	})
	c := answer.Directives[0]
	if c.Class != inventory.OversellRisk || c.Sellable <= 0 || c.Sellable >= 16 || c.Autonomy != "auto" || c.ExpiresAt <= c.EventTime || !strings.Contains(c.Reason, "asked for") {
		t.Errorf("the throttle is %+v", c)
	}
	var found struct{ Exceptions []inventory.Exception }
	if status := p.get("/v1/exceptions?class=oversell_risk", &found); status != http.StatusOK || len(found.Exceptions) != 2 || found.Exceptions[0].Recommendations[0].Action != "throttle" {
		t.Errorf("exceptions: %d, %+v", status, found)
	}
	send("receipt", `"quantity":4000,"ref":"po"`, 10*time.Minute)
	send("tick", `"quantity":0`, time.Hour)
	eventually(t, "it is released", func() bool {
		return p.get("/v1/directives?action=release&channel=web&sku=tea", &answer) == http.StatusOK && len(answer.Directives) == 1 && answer.Directives[0].Sellable == 4016
	})
	p.stop()
}
