package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/inventory"
)

// at is an overview of one partition that has applied sequence.
func at(sequence uint64) console.Overview {
	return console.Overview{Partitions: []console.PartitionOverview{{Position: inventory.Position{Sequence: sequence}, CaughtUp: true}}}
}

// stock has one SKU at one location, 3 to promise.
func stock(sku, location string) inventory.SKUAvailability {
	return inventory.SKUAvailability{
		SKU: sku, ATP: 3, Locations: []inventory.Availability{{SKU: sku, Location: location, ATP: 3}},
		Position: inventory.Position{Sequence: 7, EventTime: 1764000000000},
	}
}

// TestNamesOfEveryKind: whatever a SKU or location may be called, its percent-encoded name finds it.
func TestNamesOfEveryKind(t *testing.T) {
	a := serve(t)
	for _, name := range []string{
		"tea", "a.b", "a b", "a/b", "//", "*", ">", "a+b", "a%b", "%2F", "%", "ü·茶", "a?b#c", `"`, "a;b&c=d", ".", "..", "~", "'", "<script>", strings.Repeat("x", 128),
	} {
		a.backend.SetSKU(stock(name, name))
		for _, path := range []string{"/v1/atp/" + escape(name), "/v1/atp/" + escape(name) + "/" + escape(name)} {
			if status, _, body := a.call("GET", path, "", ""); status != http.StatusOK || !strings.Contains(body, `"atp":3`) || !strings.Contains(body, `"position":7`) {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	}
	for path, status := range map[string]int{
		"/v1/atp/coffee":       404, // no delta has named it
		"/v1/atp/tea/nowhere":  404,
		"/v1/atp/te%00a":       404,
		"/v1/atp/te%FFa":       400,
		"/v1/atp/tea/te%C3":    400,
		"/v1/atp/":             404,
		"/v1/atp//tea":         404,
		"/v1/atp/tea/":         404,
		"/v1/atp/tea/../tea":   404,
		"/v1/atp/./tea":        404,
		"/v1/atp/a/b/c":        404,
		"/v1/atp/tea?location": 400,
	} {
		response, body := a.raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if response.StatusCode != status || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s, want %d", path, response.Status, body, status)
		}
	}
}

// escape encodes a name as a path element; a dot or two would be taken for a way up or nowhere.
func escape(name string) string {
	if strings.Trim(name, ".") == "" {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}

func TestListsInAnswersAreNeverNull(t *testing.T) {
	a := serve(t)
	a.backend.SetSKU(stock("tea", "leeds"))
	for _, path := range []string{"/v1/atp/tea", "/v1/atp/tea/leeds"} {
		if _, _, body := a.call("GET", path, "", ""); !strings.Contains(body, `"channels":[]`) || strings.Contains(body, `"channels":null`) {
			t.Errorf("%s: %s", path, body)
		}
	}
	a.backend.SetSKU(inventory.SKUAvailability{SKU: "cup"})
	if _, _, body := a.call("GET", "/v1/atp/cup", "", ""); !strings.Contains(body, `"locations":[]`) {
		t.Error(body)
	}
}

func TestPositionsThatAreNone(t *testing.T) {
	a := serve(t)
	a.backend.SetSKU(stock("tea", "leeds"))
	a.backend.SetOverview(at(7))
	for _, bad := range []string{"7", "0:", ":7", ":", "x:7", "-1:7", "%2B1:7", "0:-7", "0:7:7", "0x0:7", "0:7.0", "0:99999999999999999999", "2147483648:7"} {
		a.wantProblem(400, "partition:sequence, such as 3:1042", "GET", "/v1/atp/tea?position="+bad, "", "")
	}
	a.wantProblem(400, "partition 9", "GET", "/v1/atp/tea?position=9:7", "", "")
	a.wantProblem(400, "given 2 times", "GET", "/v1/atp/tea?position=0:7&position=0:8", "", "")
	a.wantProblem(400, "percent-encoded", "GET", "/v1/atp/tea?position=0:7;timeout=1s", "", "")
	a.wantProblem(400, "UTF-8", "GET", "/v1/atp/tea?position=%FF", "", "")
	a.wantProblem(400, `allowed are: position, timeout`, "GET", "/v1/atp/tea?Position=0:7", "", "")
	for _, bad := range []string{"5", "0s", "-1s", "31s", "forever"} {
		a.wantProblem(400, "up to 30s", "GET", "/v1/atp/tea?position=0:7&timeout="+bad, "", "")
	}
	a.wantProblem(400, `goes with "position"`, "GET", "/v1/atp/tea?timeout=1s", "", "")
	for _, good := range []string{"?position=0:7", "?position=0:0", "?position=0:7&timeout=30s", "?position=", ""} {
		for _, path := range []string{"/v1/atp/tea", "/v1/atp/tea/leeds"} {
			if status, _, body := a.call("GET", path+good, "", ""); status != http.StatusOK {
				t.Errorf("%s%s: %d %s", path, good, status, body)
			}
		}
	}
}

// TestAPositionIsWaitedFor: the answer comes when the position has been applied, or says that
// it was not in time.
func TestAPositionIsWaitedFor(t *testing.T) {
	bubble(t, nil, func(a *api) {
		a.backend.SetSKU(stock("tea", "leeds"))
		a.backend.SetOverview(at(7))
		answered := make(chan int, 1)
		go func() {
			status, _, _ := a.call("GET", "/v1/atp/tea?position=0:9", "", "")
			answered <- status
		}()
		a.backend.SetOverview(at(8))
		synctest.Wait()
		select {
		case status := <-answered:
			a.t.Fatalf("%d before the position was applied", status)
		default:
		}
		a.backend.SetOverview(at(9))
		if status := <-answered; status != http.StatusOK {
			a.t.Errorf("%d once the position was applied", status)
		}

		for query, want := range map[string]time.Duration{"": 10 * time.Second, "&timeout=250ms": 250 * time.Millisecond, "&timeout=30s": 30 * time.Second} {
			begin := time.Now()
			a.wantProblem(504, "0:10 was not applied within "+want.String(), "GET", "/v1/atp/tea/leeds?position=0:10"+query, "", "")
			if took := time.Since(begin); took != want {
				a.t.Errorf("it took %s, want %s", took, want)
			}
		}
	})
}
