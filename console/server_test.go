package console_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// api is a server with a backend of its own.
type api struct {
	t       *testing.T
	url     string
	backend *consoletest.Backend
	client  *http.Client
}

func serve(t *testing.T) *api {
	t.Helper()
	backend := &consoletest.Backend{}
	s, err := console.NewServer(console.Config{Addr: "127.0.0.1:0", Backend: backend, Registry: prometheus.NewRegistry(), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &api{t, strings.TrimSuffix(s.URL(), "/"), backend, &http.Client{Transport: transport}}
}

// call sends a request and returns the answer's status, header and body.
func (a *api) call(method, path, contentType, body string, headers ...string) (int, http.Header, string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := a.client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

// wantProblem wants problem details of a status, that say what is given.
func (a *api) wantProblem(status int, says, method, path, contentType, body string, headers ...string) {
	a.t.Helper()
	got, header, answer := a.call(method, path, contentType, body, headers...)
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal([]byte(answer), &p); err != nil || got != status || p.Status != status ||
		header.Get("Content-Type") != "application/problem+json" || p.Title == "" || p.Type == "" || !strings.Contains(p.Detail, says) {
		a.t.Errorf("%s %.60s %.40q: %d %s, want %d that says %q", method, path, body, got, answer, status, says)
	}
}

func delta(id string) string {
	return `{"id":"` + id + `","source":"s","sku":"tea","location":"leeds","kind":"receipt","ref":"po","quantity":1,"time":"2026-11-24T09:30:00Z"}`
}

func TestDeltasAreTakenInEveryForm(t *testing.T) {
	for _, c := range []struct {
		contentType, body        string
		accepted, duplicate, bad int
	}{
		{"application/json", "[" + delta("1") + "," + delta("2") + "]", 2, 0, 0},
		{"application/json; charset=UTF-8", delta("1"), 1, 0, 0},
		{"application/json", "[]", 0, 0, 0},
		{"application/json", "[" + delta("1") + `,{"id":"2"},7,"x",` + delta("3") + "]", 2, 0, 3},
		{"application/x-ndjson", delta("1") + "\n\n" + delta("2") + "\r\n", 2, 0, 0},
		{"application/x-ndjson", delta("1") + "\n{broken\n" + delta("2"), 2, 0, 1},
		{"application/msgpack", packed("1", "2"), 2, 0, 0},
		{"application/x-msgpack", packed("1") + "\x91\x01" + packed("2"), 2, 0, 1},
		{"application/json", "[" + delta("1") + "," + delta("1") + "]", 2, 1, 0},
		{"application/json", "[" + strings.Replace(delta("1"), "tea", "te\xffa", 1) + "," + delta("2") + "]", 1, 0, 1},
	} {
		a := serve(t)
		status, _, body := a.call("POST", "/v1/deltas", c.contentType, c.body)
		var answer struct {
			Accepted, Duplicates int
			Rejected             []struct {
				Index int
				Error string
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusAccepted {
			t.Errorf("%s %q: %d %s", c.contentType, c.body, status, body)
			continue
		}
		if answer.Accepted+answer.Duplicates < c.accepted || answer.Duplicates != c.duplicate || len(answer.Rejected) != c.bad {
			t.Errorf("%s %q: %s, want %d taken in, %d of them known, and %d rejected", c.contentType, c.body, body, c.accepted, c.duplicate, c.bad)
		}
		for i, r := range answer.Rejected {
			if r.Error == "" || i > 0 && r.Index <= answer.Rejected[i-1].Index {
				t.Errorf("%q: rejected %+v", c.body, answer.Rejected)
			}
		}
		if got := len(a.backend.Ingested()); got != c.accepted-c.duplicate {
			t.Errorf("%s %q: %d deltas were stored", c.contentType, c.body, got)
		}
	}
}

func packed(ids ...string) string {
	var payload []byte
	for _, id := range ids {
		payload = codec.AppendDelta(payload, &inventory.Delta{
			ID: id, Source: "s", SKU: "tea", Location: "leeds", Kind: inventory.Receipt, Ref: "po", Quantity: 1, Time: 1000,
		})
	}
	return string(payload)
}

func TestBodiesThatCannotBeUsed(t *testing.T) {
	a := serve(t)
	a.wantProblem(415, "application/json", "POST", "/v1/deltas", "text/plain", delta("1"))
	a.wantProblem(415, "application/json", "POST", "/v1/deltas", "", delta("1"))
	a.wantProblem(415, "application/json", "POST", "/v1/deltas", "application/json; charset=latin1", delta("1"))
	a.wantProblem(413, "", "POST", "/v1/deltas", "application/json", strings.Repeat(" ", 10<<20))
	a.wantProblem(400, "", "POST", "/v1/deltas", "application/json", "")
	a.wantProblem(400, "", "POST", "/v1/deltas", "application/json", "["+delta("1"))
	a.wantProblem(400, "", "POST", "/v1/deltas", "application/json", strings.Repeat("[", 100_000))
	a.wantProblem(400, "no parameter", "POST", "/v1/deltas?atp=1", "application/json", delta("1"))
	if n := len(a.backend.Ingested()); n > 0 {
		t.Errorf("%d deltas were stored", n)
	}
	a.backend.Fail(errors.New("no broker"))
	a.wantProblem(503, "", "POST", "/v1/deltas", "application/json", delta("1"))
}

func TestATP(t *testing.T) {
	a := serve(t)
	odd := `a b/c.*>%"é`
	a.backend.SetSKU(inventory.SKUAvailability{SKU: odd, ATP: 3, Locations: []inventory.Availability{{SKU: odd, Location: "s/1", ATP: 3}}})
	a.backend.SetOverview(console.Overview{Partitions: []console.PartitionOverview{{Position: inventory.Position{Partition: 0, Sequence: 7}, CaughtUp: true}}})
	for _, path := range []string{"/v1/atp/a%20b%2Fc.*%3E%25%22%C3%A9", "/v1/atp/a%20b%2Fc.*%3E%25%22%C3%A9/s%2F1", "/v1/atp/a%20b%2Fc.*%3E%25%22%C3%A9/s%2F1?position=0:7"} {
		if status, _, body := a.call("GET", path, "", ""); status != 200 || !strings.Contains(body, `"atp":3`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	a.wantProblem(404, "coffee", "GET", "/v1/atp/coffee", "", "")
	a.wantProblem(404, "s/2", "GET", "/v1/atp/a%20b%2Fc.*%3E%25%22%C3%A9/s%2F2", "", "")
	for _, bad := range []string{"7", "0:", "x:7", "-1:7", "0:-7", "0:99999999999999999999"} {
		a.wantProblem(400, "position", "GET", "/v1/atp/tea?position="+bad, "", "")
	}
	a.wantProblem(400, "partition 9", "GET", "/v1/atp/tea?position=9:7", "", "")
	a.wantProblem(404, "", "GET", "/v1/atp/te%00a", "", "")
	a.wantProblem(400, "", "GET", "/v1/atp/te%FFa", "", "")

	// A position that is not there yet is waited for.
	answered := make(chan string, 1)
	go func() {
		response, err := a.client.Get(a.url + "/v1/atp/a%20b%2Fc.*%3E%25%22%C3%A9?position=0:8")
		if err != nil {
			answered <- err.Error()
			return
		}
		answered <- response.Status
		_ = response.Body.Close()
	}()
	a.backend.SetOverview(console.Overview{Partitions: []console.PartitionOverview{{Position: inventory.Position{Partition: 0, Sequence: 8}, CaughtUp: true}}})
	if got := <-answered; got != "200 OK" {
		t.Errorf("waiting for a position: %s", got)
	}
}

func TestListsArePagedAndFiltered(t *testing.T) {
	a := serve(t)
	for i := range 5 {
		sku := fmt.Sprint("sku-", i)
		a.backend.SetException(inventory.Exception{ID: fmt.Sprint("x", i), SKU: sku, Class: inventory.Oversell, Status: inventory.Acting, Exposure: int64(i)})
		a.backend.Publish(inventory.Command{ID: fmt.Sprint("c", i), Channel: "web", SKU: sku, Location: "leeds", Action: inventory.Hold})
	}
	for path, list := range map[string]string{"/v1/exceptions?limit=2": "exceptions", "/v1/directives?limit=2": "directives"} {
		seen, cursor := map[string]bool{}, ""
		for pages := 1; ; pages++ {
			status, _, body := a.call("GET", path+cursor, "", "")
			var answer map[string]json.RawMessage
			var items []struct{ ID string }
			if err := errors.Join(json.Unmarshal([]byte(body), &answer), json.Unmarshal(answer[list], &items)); err != nil || status != 200 {
				t.Fatalf("%s: %d %s", path, status, body)
			}
			for _, item := range items {
				seen[item.ID] = true
			}
			var next string
			if _ = json.Unmarshal(answer["next"], &next); next == "" {
				if pages != 3 || len(seen) != 5 {
					t.Errorf("%s: %d items on %d pages", path, len(seen), pages)
				}
				break
			}
			cursor = "&cursor=" + next
		}
	}
	if status, _, body := a.call("GET", "/v1/exceptions/x3", "", ""); status != 200 || !strings.Contains(body, `"recommendations":[]`) {
		t.Errorf("exception: %d %s", status, body)
	}
	a.wantProblem(404, "nope", "GET", "/v1/exceptions/nope", "", "")
	a.wantProblem(400, "oversell_risk", "GET", "/v1/exceptions?class=magic", "", "")
	a.wantProblem(400, "awaiting_approval", "GET", "/v1/exceptions?status=open,lost", "", "")
	a.wantProblem(400, "throttle", "GET", "/v1/directives?action=sell", "", "")
	for _, list := range []string{"exceptions", "directives"} {
		a.wantProblem(400, "limit", "GET", "/v1/"+list+"?limit=0", "", "")
		a.wantProblem(400, "limit", "GET", "/v1/"+list+"?limit=many", "", "")
		a.wantProblem(400, "", "GET", "/v1/"+list+"?cursor=%21%21", "", "")
		a.wantProblem(400, "colour", "GET", "/v1/"+list+"?colour=red", "", "")
	}
}

func TestTheStreamIsResumed(t *testing.T) {
	a := serve(t)
	for i := range 3 {
		a.backend.Publish(inventory.Command{ID: fmt.Sprint("c", i+1), Channel: "web", Action: inventory.Hold})
	}
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", a.url+"/v1/commands/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", "1")
	response, err := a.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Errorf("content type %q", got)
	}
	lines := bufio.NewScanner(response.Body)
	want := []string{"2", "3", "4"}
	for lines.Scan() && len(want) > 0 {
		id, ok := strings.CutPrefix(lines.Text(), "id: ")
		if !ok {
			continue
		}
		if id != want[0] {
			t.Fatalf("event %s, want %s", id, want[0])
		}
		if want = want[1:]; len(want) == 1 { // the last comes while the stream is open
			a.backend.Publish(inventory.Command{ID: "c4", Channel: "web", Action: inventory.Unhold})
		}
	}
	leave()
	_ = response.Body.Close()
	a.wantProblem(400, "Last-Event-ID", "GET", "/v1/commands/stream", "", "", "Last-Event-ID", "soon")
}

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

func FuzzPostDeltas(f *testing.F) {
	f.Add("application/json", []byte("["+delta("1")+",{}]"))
	f.Add("application/x-ndjson", []byte(delta("1")+"\n\x00"))
	f.Add("application/msgpack", []byte(packed("1")))
	f.Add("application/json;charset", []byte("[[[[["))
	backend := &consoletest.Backend{}
	s, err := console.NewServer(console.Config{Addr: "127.0.0.1:0", Backend: backend, Registry: prometheus.NewRegistry()})
	if err != nil {
		f.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	transport := &http.Transport{}
	f.Cleanup(func() { transport.CloseIdleConnections(); stop(); <-done })
	client := &http.Client{Transport: transport}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r, err := http.NewRequest("POST", s.URL()+"v1/deltas", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		response, err := client.Do(r)
		if err != nil {
			return // a header that no client sends
		}
		defer response.Body.Close()
		var answer map[string]any
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode >= 500 {
			t.Fatalf("%q %q: %d, %v", contentType, body, response.StatusCode, err)
		}
	})
}
