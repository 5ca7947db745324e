package console_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestHealth(t *testing.T) {
	a := serve(t)
	if status, _, body := a.call("GET", "/healthz", "", ""); status != 200 || !strings.Contains(body, `"test"`) {
		t.Errorf("healthz: %d %s", status, body)
	}
	a.wantProblem(503, "", "GET", "/readyz", "", "")
	partitions := []console.PartitionOverview{{CaughtUp: true}, {Position: inventory.Position{Partition: 1}, Lag: 5}}
	a.backend.SetOverview(console.Overview{Partitions: partitions})
	a.wantProblem(503, "", "GET", "/readyz", "", "")
	partitions[1].CaughtUp = true
	a.backend.SetOverview(console.Overview{Partitions: partitions})
	if status, _, body := a.call("GET", "/readyz", "", ""); status != 200 {
		t.Errorf("readyz: %d %s", status, body)
	}
	if status, _, body := a.call("GET", "/metrics", "", ""); status != 200 || !strings.Contains(body, "holdfast_http_requests_total") {
		t.Errorf("metrics: %d %.200s", status, body)
	}
}

func TestTheDoorIsKept(t *testing.T) {
	a := serve(t)
	a.wantProblem(404, "", "GET", "/v1/nothing", "", "")
	a.wantProblem(405, "", "DELETE", "/v1/deltas", "", "")
	a.wantProblem(421, "evil.example", "GET", "/v1/overview", "", "", "Host", "evil.example")
	a.wantProblem(403, "", "POST", "/v1/deltas", "application/json", delta("1"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	_, header, page := a.call("GET", "/", "", "")
	if !strings.Contains(page, "<html") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the console's page: %v %.100s", header, page)
	}
	for _, asset := range strings.Split(page, `"/assets/`)[1:] {
		name, _, _ := strings.Cut(asset, `"`)
		if status, _, _ := a.call("GET", "/assets/"+name, "", ""); status != 200 {
			t.Errorf("the page asks for %s: %d", name, status)
		}
	}
	if status, _, spec := a.call("GET", "/openapi.yaml", "", ""); status != 200 || !bytes.HasPrefix([]byte(spec), []byte("openapi: 3")) {
		t.Errorf("openapi: %d %.50s", status, spec)
	}
}
