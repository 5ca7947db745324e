package console_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// page asks for path, which lists what list names, and returns the ids and the cursor.
func (a *api) page(path, list string) (ids []string, next string) {
	a.t.Helper()
	status, _, body := a.call("GET", path, "", "")
	var answer map[string]json.RawMessage
	var items []struct{ ID string }
	err := errors.Join(json.Unmarshal([]byte(body), &answer), json.Unmarshal(answer[list], &items), json.Unmarshal(answer["next"], &next))
	if err != nil || status != http.StatusOK || items == nil {
		a.t.Fatalf("%s: %d %s, %v", path, status, body, err)
	}
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	return ids, next
}

func TestPages(t *testing.T) {
	a := serve(t)
	for list, want := range map[string]string{"exceptions": "", "directives": ""} {
		if ids, next := a.page("/v1/"+list, list); len(ids) > 0 || next != want {
			t.Errorf("%s of nothing: %v %q", list, ids, next)
		}
	}
	for i := range 5 {
		sku := fmt.Sprint("sku-", i)
		a.backend.SetException(inventory.Exception{ID: fmt.Sprint("x", i), SKU: sku, Class: inventory.Oversell, Status: inventory.Acting, Exposure: int64(i)})
		a.backend.Publish(inventory.Command{ID: fmt.Sprint("c", i), Channel: "web", SKU: sku, Location: "leeds", Action: inventory.Hold})
	}
	for list, want := range map[string]string{"exceptions": "x4 x3 x2 x1 x0", "directives": "c4 c3 c2 c1 c0"} {
		for limit, pages := range map[int]int{1: 5, 2: 3, 4: 2, 5: 1, 1000: 1} {
			var seen []string
			path := fmt.Sprintf("/v1/%s?limit=%d", list, limit)
			ids, next := a.page(path, list)
			asked := 1
			for seen = ids; next != ""; asked++ {
				ids, next = a.page(path+"&cursor="+next, list)
				seen = append(seen, ids...)
			}
			if strings.Join(seen, " ") != want || asked != pages {
				t.Errorf("%s: %v on %d pages, want %s on %d", path, seen, asked, want, pages)
			}
		}
		for _, bad := range []string{"0", "-1", "1001", "many", "1.0", "99999999999999999999"} {
			a.wantProblem(400, "from 1 to 1000", "GET", "/v1/"+list+"?limit="+bad, "", "")
		}
		for _, bad := range []string{"%21%21", "-1", "6", "x4"} {
			a.wantProblem(400, "begin again without one", "GET", "/v1/"+list+"?cursor="+bad, "", "")
		}
		a.wantProblem(400, "colour", "GET", "/v1/"+list+"?colour=red", "", "")
		a.wantProblem(400, "sku", "GET", "/v1/"+list+"?skus=tea", "", "")
		a.wantProblem(400, "given 2 times", "GET", "/v1/"+list+"?sku=tea&sku=cup", "", "")
	}
}

func TestFiltersOfExceptions(t *testing.T) {
	a := serve(t)
	for _, e := range []inventory.Exception{
		{ID: "1", SKU: "tea", Location: "leeds", Class: inventory.Oversell, Status: inventory.Open, Exposure: 10},
		{ID: "2", SKU: "tea", Location: "*", Class: inventory.Oversell, Status: inventory.Acting, Exposure: 40},
		{ID: "3", SKU: "a,b&c", Location: "leeds", Class: inventory.PhantomInventory, Status: inventory.Resolved, Exposure: 30},
		{ID: "4", SKU: "tea", Location: "york", Class: inventory.FeedStale, Status: inventory.AwaitingApproval, Exposure: 20},
	} {
		a.backend.SetException(e)
	}
	for query, want := range map[string]string{
		"":                                      "2 3 4 1",
		"status=open":                           "1",
		"status=open,awaiting_approval,acting":  "2 4 1",
		"status=dismissed":                      "",
		"class=oversell":                        "2 1",
		"location=leeds":                        "3 1",
		"location=%2A":                          "2",
		"sku=a%2Cb%26c":                         "3",
		"sku=TEA":                               "",
		"class=oversell&status=open&location=":  "1",
		"status=&class=&location=&sku=&cursor=": "2 3 4 1",
		"status=resolved,resolved&location=leeds": "3",
	} {
		ids, _ := a.page("/v1/exceptions?"+query, "exceptions")
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("?%s: %q, want %q", query, got, want)
		}
	}
	for _, class := range append(inventory.Classes(), inventory.GuardBreach) {
		a.page("/v1/exceptions?class="+string(class), "exceptions")
		a.wantProblem(400, string(class), "GET", "/v1/exceptions?class=magic", "", "")
	}
	for _, status := range inventory.Statuses() {
		a.page("/v1/exceptions?status="+string(status), "exceptions")
		a.wantProblem(400, string(status), "GET", "/v1/exceptions?status=open,lost", "", "")
	}
	for _, bad := range []string{"status=open,", "status=,", "status=Open", "class=oversell,feed_stale"} {
		a.wantProblem(400, "allowed", "GET", "/v1/exceptions?"+bad, "", "")
	}

	if status, _, body := a.call("GET", "/v1/exceptions/3", "", ""); status != 200 || !strings.Contains(body, `"recommendations":[]`) || !strings.Contains(body, `"history":[]`) || !strings.Contains(body, `"channels":[]`) {
		t.Errorf("one exception: %d %s", status, body)
	}
	a.wantProblem(404, "nope/", "GET", "/v1/exceptions/nope%2F", "", "")
	a.wantProblem(400, "UTF-8", "GET", "/v1/exceptions/%FF", "", "")
	a.wantProblem(400, "has none", "GET", "/v1/exceptions/3?full=1", "", "")
}

func TestFiltersOfDirectives(t *testing.T) {
	a := serve(t)
	for _, c := range []inventory.Command{
		{ID: "1", Channel: "web", SKU: "tea", Location: "leeds", Action: inventory.Hold},
		{ID: "2", Channel: "amazon", SKU: "tea", Location: "*", Action: inventory.Throttle, Sellable: 2},
		{ID: "3", Channel: "web", SKU: "cup", Location: "york", Action: inventory.Hold},
		{ID: "4", Channel: "web", SKU: "cup", Location: "york", Action: inventory.Unhold},
	} {
		a.backend.Publish(c)
	}
	for query, want := range map[string]string{
		"":                      "1 2",
		"channel=web":           "1",
		"sku=tea":               "1 2",
		"sku=cup":               "",
		"location=*":            "2",
		"action=hold":           "1",
		"action=throttle":       "2",
		"channel=&action=&sku=": "1 2",
	} {
		ids, _ := a.page("/v1/directives?"+query, "directives")
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("?%s: %q, want %q", query, got, want)
		}
	}
	for _, bad := range []string{"sell", "Hold", "hold,throttle"} {
		a.wantProblem(400, "hold, throttle, release", "GET", "/v1/directives?action="+bad, "", "")
	}
}
