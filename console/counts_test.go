package console_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestCountsAreListedByWhatTheyAreWorth: probability times exposure, a key once, within the budget; what no count settles is not there.
func TestCountsAreListedByWhatTheyAreWorth(t *testing.T) {
	a := serve(t)
	for i, x := range []struct {
		sku, location string
		status        inventory.Status
		confidence    float64
		exposure      int64
		action        string
	}{
		{"tea", "leeds", inventory.Acting, 0.5, 1000, "count"},
		{"tea", "leeds", inventory.Open, 0.9, 800, "count"},
		{"cup", "leeds", inventory.AwaitingApproval, 1, 700, "count"},
		{"jam", "leeds", inventory.Open, 0.1, 5000, "count"},
		{"bun", "leeds", inventory.Open, 1, 9000, "escalate"},
		{"pie", "york", inventory.Open, 1, 9000, "count"},
		{"ham", "leeds", inventory.Resolved, 1, 9000, "count"},
		{"*", "leeds", inventory.Open, 1, 9000, "count"},
	} {
		a.backend.SetException(inventory.Exception{
			ID: fmt.Sprint("x", i), Class: inventory.PhantomInventory, SKU: x.sku, Location: x.location, Status: x.status, Confidence: x.confidence,
			Exposure: x.exposure, Reason: "so", Recommendations: []inventory.Recommendation{{Action: x.action}},
		})
	}
	list := func(query string) string {
		status, _, body := a.call("GET", "/v1/counts?location=leeds"+query, "", "")
		var answer struct {
			Counts []struct {
				SKU        string
				Worth      int64
				Exceptions []string
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		var lines []string
		for _, c := range answer.Counts {
			lines = append(lines, fmt.Sprint(c.SKU, " ", c.Worth, " ", c.Exceptions))
		}
		return strings.Join(lines, ", ")
	}
	if got, want := list(""), "tea 720 [x1 x0], cup 700 [x2], jam 500 [x3]"; got != want {
		t.Errorf("the list is %s, want %s", got, want)
	}
	if got, want := list("&budget=2"), "tea 720 [x1 x0], cup 700 [x2]"; got != want {
		t.Errorf("a list of two is %s, want %s", got, want)
	}
	if _, _, body := a.call("GET", "/v1/counts?location=bath", "", ""); strings.TrimSpace(body) != `{"counts":[]}` {
		t.Errorf("where nothing is to be counted: %s", body)
	}
	a.wantProblem(400, "location", "GET", "/v1/counts", "", "")
	a.wantProblem(400, "from 1 to 500", "GET", "/v1/counts?location=leeds&budget=0", "", "")
}
