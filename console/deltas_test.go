package console_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
	"github.com/holdfast-atp/holdfast/inventory"
)

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
		if answer.Accepted+answer.Duplicates != c.accepted || answer.Duplicates != c.duplicate || len(answer.Rejected) != c.bad {
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

// TestEachItemIsNamedByItsPlace: what is rejected is found again in what was sent.
func TestEachItemIsNamedByItsPlace(t *testing.T) {
	late := strings.Replace(delta("4"), `"quantity":1`, `"quantity":9007199254740992`, 1)
	for contentType, body := range map[string]string{
		"application/json":     "[" + strings.Join([]string{delta("1"), `{"deltas":[]}`, delta("1"), late, delta("5")}, ",") + "]",
		"application/x-ndjson": strings.Join([]string{delta("1"), `["a"]`, delta("1"), late, delta("5")}, "\n"),
		"application/msgpack":  packed("1") + "\xc0" + packed("1") + "\xa3abc" + packed("5"),
	} {
		a := serve(t)
		status, header, answer := a.call("POST", "/v1/deltas", contentType, body)
		var got struct {
			Accepted, Duplicates int
			Rejected             []struct{ Index int }
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusAccepted {
			t.Fatalf("%s: %d %s", contentType, status, answer)
		}
		if want := "{2 1 [{1} {3}]}"; fmt.Sprint(got) != want {
			t.Errorf("%s: %s, want %s", contentType, answer, want)
		}
		if got := header.Get("Content-Type"); got != "application/json" {
			t.Errorf("the answer's type is %q", got)
		}
		var ids []string
		for _, d := range a.backend.Ingested() {
			ids = append(ids, d.ID)
		}
		if strings.Join(ids, " ") != "1 5" {
			t.Errorf("%s: %v were stored, in that order", contentType, ids)
		}
	}
}

func TestDeltasSentAgainAreDuplicates(t *testing.T) {
	a := serve(t)
	a.call("POST", "/v1/deltas", "application/json", delta("1"))
	_, _, answer := a.call("POST", "/v1/deltas", "application/x-ndjson", delta("1")+delta("2"))
	if want := `{"accepted":1,"duplicates":1,"rejected":[]}`; strings.TrimSpace(answer) != want {
		t.Errorf("%s, want %s", answer, want)
	}
	_, _, metrics := a.call("GET", "/metrics", "", "")
	for _, want := range []string{`holdfast_http_deltas_total{result="accepted"} 2`, `holdfast_http_deltas_total{result="duplicate"} 1`, `holdfast_http_deltas_total{result="rejected"} 0`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics do not say %s", want)
		}
	}
}

func TestContentTypes(t *testing.T) {
	a := serve(t)
	for contentType, body := range map[string]string{
		"application/json":                       delta("1"),
		"Application/JSON; charset=\"utf-8\"":    delta("1"),
		"application/json;charset=utf-8;v=1":     delta("1"),
		"application/x-ndjson; charset=utf-8":    delta("1"),
		"application/x-msgpack":                  packed("1"),
		"application/msgpack; profile=positions": packed("1"),
	} {
		if status, _, answer := a.call("POST", "/v1/deltas", contentType, body); status != http.StatusAccepted {
			t.Errorf("%s: %d %s", contentType, status, answer)
		}
	}
	for _, contentType := range []string{
		"text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16",
		"application/json; charset=", "application/json; =", "json", "*/*", "application/jsonx",
	} {
		a.wantProblem(415, contentType, "POST", "/v1/deltas", contentType, delta("1"))
	}
	_, header, _ := a.call("POST", "/v1/deltas", "text/plain", delta("1"))
	if got := header.Get("Accept-Post"); !strings.Contains(got, "application/x-ndjson") {
		t.Errorf("Accept-Post is %q", got)
	}
}

// TestBodiesOfEverySize: 8 MiB is the bound, whether the length is told or not, as it
// is sent and as it is inflated.
func TestBodiesOfEverySize(t *testing.T) {
	const most = 8 << 20
	long := delta("1") + strings.Repeat(" ", 12<<20)
	zipped := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.String()
	}
	zip := zipped(long[:most])
	for name, c := range map[string]struct {
		body     string
		chunked  bool
		encoding string
		want     int
	}{
		"as much as there may be":           {long[:most], false, "", 202},
		"as much as there may be, in parts": {long[:most], true, "", 202},
		"one byte more":                     {long[:most+1], false, "", 413},
		"one byte more, in parts":           {long[:most+1], true, "", 413},
		"10 MiB":                            {long[:10<<20], false, "", 413},
		"10 MiB in parts":                   {long[:10<<20], true, "", 413},
		"nothing in parts":                  {"", true, "", 400},
		"gzip":                              {zip, false, "gzip", 202},
		"gzip, more when inflated":          {zipped(long), true, "GZIP", 413},
		"gzip that is none":                 {long[:1000], false, "gzip", 400},
		"gzip that is cut off":              {zip[:len(zip)/2], false, "gzip", 400},
		"named as it is":                    {long[:1000], false, "identity", 202},
		"brotli":                            {long[:1000], false, "br", 415},
		"gzip twice":                        {zipped(zipped(long[:1000])), false, "gzip, gzip", 415},
	} {
		t.Run(name, func(t *testing.T) {
			a := serve(t)
			var body io.Reader = strings.NewReader(c.body)
			if c.chunked {
				body = io.MultiReader(body) // whose length nobody knows
			}
			r, err := http.NewRequestWithContext(t.Context(), "POST", a.url+"/v1/deltas", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			if c.encoding != "" {
				r.Header.Set("Content-Encoding", c.encoding)
			}
			response, err := a.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			answer, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != c.want {
				t.Errorf("%s, %v, want %d: %s", response.Status, err, c.want, answer)
			}
			if got, want := len(a.backend.Ingested()) > 0, c.want == 202; got != want {
				t.Errorf("stored: %v", got)
			}
		})
	}
}

// TestManyItemsCostLittle: the smallest items there are, as many as a body has room for.
func TestManyItemsCostLittle(t *testing.T) {
	a := serve(t)
	for contentType, body := range map[string]string{
		"application/msgpack": strings.Repeat("\x01", 2<<20),
		"application/json":    "[" + strings.Repeat("1,", 1<<20) + "1]",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a.wantProblem(413, "100000 items", "POST", "/v1/deltas", contentType, body)
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 256 { // one of them took gibibytes once
			t.Errorf("%s: %d MiB were allocated for a body of %d", contentType, got, len(body)>>20)
		}
	}
}

// TestWrongShapes: what people send by mistake, and what they are told.
func TestWrongShapes(t *testing.T) {
	a := serve(t)
	for _, c := range []struct{ contentType, body, says string }{
		{"application/json", `{"deltas":[` + delta("1") + `]}`, "kind: needed"},
		{"application/json", `[[` + delta("1") + `]]`, "a delta is an object"},
		{"application/json", `[null]`, "null given"},
		{"application/json", `[` + strings.Replace(delta("1"), `"quantity":1`, `"quantity":"1"`, 1) + `]`, "without quotes"},
		{"application/json", `[` + strings.Replace(delta("1"), `"quantity":1`, `"quantity":1.5`, 1) + `]`, "integer"},
		{"application/json", `[` + strings.Replace(delta("1"), "2026-11-24T09:30:00Z", "yesterday", 1) + `]`, "RFC 3339"},
		{"application/json", `[{"id":` + strings.Repeat(`{"a":`, 30) + "1" + strings.Repeat("}", 31) + `]`, "id"},
		{"application/json", `[` + strings.Replace(delta("1"), "tea", `\u0000`, 1) + `]`, "control character"},
		{"application/json", `[` + strings.Replace(delta("1"), "tea", "te\xffa", 1) + `]`, "UTF-8"},
		{"application/x-ndjson", `[` + delta("1") + `]`, "JSON array"},
		{"application/x-ndjson", "id,source,sku", "JSON object"},
		{"application/msgpack", "\x81\xa2id", "malformed"},
	} {
		status, _, answer := a.call("POST", "/v1/deltas", c.contentType, c.body)
		var got struct{ Rejected []struct{ Error string } }
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != 202 || len(got.Rejected) != 1 || !strings.Contains(got.Rejected[0].Error, c.says) {
			t.Errorf("%s %s: %d %s, want one item rejected that says %q", c.contentType, c.body, status, answer, c.says)
		}
	}
	for _, body := range []string{"7", `"text"`, "null", "id,source", "[1,]", "[] []", "[" + delta("1") + "\x00]", "\ufeff[]", strings.Repeat(`[{"a":`, 50_000)} {
		a.wantProblem(400, "JSON", "POST", "/v1/deltas", "application/json", body)
	}
	for _, contentType := range []string{"application/x-ndjson", "application/msgpack"} {
		if status, _, answer := a.call("POST", "/v1/deltas", contentType, " \n"); status != 202 || !strings.Contains(answer, `"accepted":0`) {
			t.Errorf("%s of no item: %d %s", contentType, status, answer)
		}
	}
	if n := len(a.backend.Ingested()); n > 0 {
		t.Errorf("%d deltas were stored", n)
	}
}

func FuzzPostDeltas(f *testing.F) {
	f.Add("application/json", []byte("["+delta("1")+",{}]"))
	f.Add("application/x-ndjson", []byte(delta("1")+"\n\x00"))
	f.Add("application/msgpack", []byte(packed("1")))
	f.Add("application/json;charset", []byte("[[[[["))
	a := serveBackend(f, &consoletest.Backend{}, careful{f: f})
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", a.url+"/v1/deltas", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		response, err := a.client.Do(r)
		if err != nil {
			return // a header that no client sends
		}
		defer response.Body.Close()
		var answer struct {
			Accepted, Duplicates int
			Rejected             []struct{ Index int }
			Detail               string
		}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			t.Fatalf("%q %q: %s, %v", contentType, body, response.Status, err)
		}
		switch response.StatusCode {
		case 202:
			items := answer.Accepted + answer.Duplicates + len(answer.Rejected)
			for i, bad := range answer.Rejected {
				if bad.Index >= items || i > 0 && bad.Index <= answer.Rejected[i-1].Index {
					t.Fatalf("%q %q: %+v", contentType, body, answer)
				}
			}
		case 400, 415:
			if answer.Detail == "" {
				t.Fatalf("%q %q: %s without a reason", contentType, body, response.Status)
			}
		default:
			t.Fatalf("%q %q: %s", contentType, body, response.Status)
		}
	})
}

// careful is a backend that takes in valid deltas alone, each once, and keeps none.
type careful struct {
	console.Backend
	f *testing.F
}

func (c careful) Ingest(_ context.Context, deltas []inventory.Delta) (int, error) {
	type name struct{ source, id string }
	seen := map[name]bool{}
	for i := range deltas {
		d := &deltas[i]
		if err := d.Validate(); err != nil || seen[name{d.Source, d.ID}] {
			c.f.Errorf("%+v was to be stored, %v", d, err)
		}
		seen[name{d.Source, d.ID}] = true
	}
	return 0, nil
}
