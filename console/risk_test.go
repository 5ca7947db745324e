package console_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestRisksAreListedByWhatTheyAreWorth: keys by probability times exposure, of one channel by its own probability, and put together by location,
// supplier, channel or SKU.
func TestRisksAreListedByWhatTheyAreWorth(t *testing.T) {
	a := serve(t)
	risk := func(sku, location, supplier string, exposure int64, probability, web, shop float64) inventory.Risk {
		r := inventory.Risk{SKU: sku, Location: location, Supplier: supplier, Probability: probability, Exposure: exposure, Worth: int64(probability * float64(exposure))}
		r.Channels = []inventory.ChannelRisk{{Channel: "web", Probability: web}}
		if shop > 0 {
			r.Channels = append(r.Channels, inventory.ChannelRisk{Channel: "shop", Probability: shop})
		}
		return r
	}
	a.backend.SetRisks(
		risk("tea", "leeds", "acme", 1000, 0.5, 0.4, 0.2),
		risk("cup", "leeds", "acme", 4000, 0.1, 0.1, 0),
		risk("jam", "york", "", 10_000, 0.2, 0.1, 0.15),
	)
	list := func(query string) string {
		status, _, body := a.call("GET", "/v1/risk"+query, "", "")
		var answer struct {
			Window string
			Risks  []inventory.Risk
			Groups []struct {
				Name        string
				Probability float64
				Worth       int64
				Keys        int
				Worst       []inventory.Risk
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		lines := []string{answer.Window}
		for _, r := range answer.Risks {
			lines = append(lines, fmt.Sprint(r.SKU, " ", r.Worth))
		}
		for _, g := range answer.Groups {
			lines = append(lines, fmt.Sprintf("%s %d %.2f of %d, worst %s", g.Name, g.Worth, g.Probability, g.Keys, g.Worst[0].SKU))
		}
		return strings.Join(lines, "; ")
	}
	for query, want := range map[string]string{
		"":                          "4h0m0s; jam 2000; tea 500; cup 400",
		"?limit=1&window=90m":       "1h30m0s; jam 2000",
		"?channel=shop":             "4h0m0s; jam 1500; tea 200",
		"?location=leeds&sku=cup":   "4h0m0s; cup 400",
		"?by=location":              "4h0m0s; york 2000 0.20 of 1, worst jam; leeds 900 0.55 of 2, worst tea",
		"?by=supplier":              "4h0m0s;  2000 0.20 of 1, worst jam; acme 900 0.55 of 2, worst tea",
		"?by=channel":               "4h0m0s; web 1800 0.51 of 3, worst jam; shop 1700 0.32 of 2, worst jam",
		"?by=sku&supplier=acme":     "4h0m0s; tea 500 0.50 of 1, worst tea; cup 400 0.10 of 1, worst cup",
		"?by=channel&location=bath": "4h0m0s",
	} {
		if got := list(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if _, _, body := a.call("GET", "/v1/risk?location=bath", "", ""); strings.TrimSpace(body) != `{"window":"4h0m0s","risks":[]}` {
		t.Errorf("where nothing is at risk: %s", body)
	}
	a.wantProblem(400, "location, supplier, channel, sku", "GET", "/v1/risk?by=price", "", "")
	a.wantProblem(400, "15m0s", "GET", "/v1/risk?window=5m", "", "")
	a.wantProblem(400, "duration", "GET", "/v1/risk?window=soon", "", "")
	a.wantProblem(400, "from 1 to 500", "GET", "/v1/risk?limit=0", "", "")
}
