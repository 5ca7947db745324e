package console_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-atp/holdfast/access"
	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
)

// keys are a tokens file and the tokens in it, one of each role.
type keys struct {
	path   string
	tokens map[access.Role]string
}

func newKeys(t testing.TB) *keys {
	t.Helper()
	k := &keys{path: filepath.Join(t.TempDir(), "tokens.yaml"), tokens: map[access.Role]string{}}
	for role := access.Reader; role <= access.Admin; role++ {
		k.tokens[role] = access.NewToken()
	}
	k.write(t)
	return k
}

// write writes the file without those who are left out.
func (k *keys) write(t testing.TB, without ...access.Role) {
	t.Helper()
	var text string
	for role, token := range k.tokens {
		line, err := access.Line("the-"+role.String(), role, token)
		if err != nil {
			t.Fatal(err)
		}
		if len(without) == 0 || without[0] != role {
			text += line + "\n"
		}
	}
	if err := os.WriteFile(k.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (k *keys) open(t testing.TB) *access.Tokens {
	t.Helper()
	tokens, err := access.Open(k.path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// guardedBubble is bubble for a server that asks for tokens.
func guardedBubble(t *testing.T, config console.Config, test func(*api, *keys)) {
	t.Helper()
	k := newKeys(t)
	synctest.Test(t, func(t *testing.T) {
		backend := &consoletest.Backend{}
		config.Backend, config.Tokens = backend, k.open(t)
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		test(serveConfig(t, backend, config, l, l.dial), k)
	})
}

// TestEachCallNeedsItsRole: the table of who may call what, written out a second time.
func TestEachCallNeedsItsRole(t *testing.T) {
	guardedBubble(t, console.Config{Profiles: true}, func(a *api, k *keys) {
		left := console.Patterns() // that no call below goes to
		for _, c := range []struct {
			call  string
			needs access.Role
		}{
			{"GET /", access.Anyone},
			{"GET /assets/console.js", access.Anyone},
			{"GET /openapi.yaml", access.Anyone},
			{"GET /healthz", access.Anyone},
			{"GET /readyz", access.Anyone},
			{"DELETE /v1/session", access.Anyone},
			{"GET /v1/session", access.Reader},
			{"POST /v1/session", access.Reader},
			{"GET /v1/atp/tea", access.Reader},
			{"GET /v1/atp/tea/leeds", access.Reader},
			{"GET /v1/directives", access.Reader},
			{"GET /v1/exceptions", access.Reader},
			{"GET /v1/exceptions/x1", access.Reader},
			{"GET /v1/explain/0-1-0-0", access.Reader},
			{"GET /v1/policy", access.Reader},
			{"GET /v1/master/tea", access.Reader},
			{"GET /v1/counts", access.Reader},
			{"GET /v1/risk", access.Reader},
			{"POST /v1/master", access.Operator},
			{"GET /v1/overview", access.Reader},
			{"HEAD /v1/commands/stream", access.Reader},
			{"GET /metrics", access.Reader},
			{"POST /v1/deltas", access.Operator},
			{"POST /v1/exceptions/x1/assign", access.Operator},
			{"POST /v1/exceptions/x1/approve", access.Approver},
			{"POST /v1/exceptions/x1/reject", access.Approver},
			{"POST /v1/exceptions/x1/resolve", access.Approver},
			{"GET /debug/pprof/", access.Admin},
			{"GET /debug/pprof/heap", access.Admin},
		} {
			method, path, _ := strings.Cut(c.call, " ")
			left = slices.DeleteFunc(left, func(pattern string) bool {
				mux := http.NewServeMux()
				mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
				_, found := mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: path}})
				return found != ""
			})
			for role := access.Anyone; role <= access.Admin; role++ {
				time.Sleep(time.Minute) // in which the address is forgiven
				var headers []string
				if role != access.Anyone {
					headers = bearer(k.tokens[role])
				}
				want := 0
				switch {
				case role.Allows(c.needs):
				case role == access.Anyone:
					want = http.StatusUnauthorized
				default:
					want = http.StatusForbidden
				}
				status, header, body := a.call(method, path, "application/json", "[]", headers...)
				refused := status == http.StatusUnauthorized || status == http.StatusForbidden
				if refused != (want != 0) || refused && status != want {
					a.t.Errorf("%s as %s: %d %.200s, want %d", c.call, role, status, body, want)
				}
				if status == http.StatusUnauthorized && header.Get("WWW-Authenticate") != "Bearer" {
					a.t.Errorf("%s as %s: 401 without a challenge: %v", c.call, role, header)
				}
			}
		}
		if len(left) > 0 {
			a.t.Errorf("nobody tries who may call %v", left)
		}
		a.wantProblem(403, "needs role operator; the-reader has role reader", "POST", "/v1/deltas", "application/json", delta("1"), bearer(k.tokens[access.Reader])...)
		a.wantProblem(401, "needs a token of role reader", "GET", "/v1/exceptions?nonsense=1", "", "") // says nothing of parameters
		if n := len(a.backend.Ingested()); n != 0 {
			a.t.Errorf("%d deltas were stored of callers who may not", n)
		}
	})
}

// TestAWrongTokenIsNobodys, in whatever way it is wrong, and no secret comes out anywhere.
func TestAWrongTokenIsNobodys(t *testing.T) {
	guardedBubble(t, console.Config{}, func(a *api, k *keys) {
		good, other := k.tokens[access.Admin], access.NewToken()
		for _, headers := range [][]string{
			bearer(other), bearer(""), bearer(good + " x"), bearer(good + good), {"Authorization", "Basic " + good}, {"Authorization", good},
			{"Cookie", "holdfast=" + other}, append(bearer(other), "Cookie", "holdfast="+good),
		} {
			time.Sleep(time.Minute)
			a.wantProblem(401, "does not know the token", "GET", "/v1/overview", "", "", headers...)
		}
		for _, headers := range [][]string{
			bearer(good), {"Authorization", "bearer  " + good}, {"Cookie", "holdfast=" + good}, append(bearer(good), "Cookie", "holdfast="+other),
		} {
			if status, _, body := a.call("GET", "/v1/overview", "", "", headers...); status != http.StatusOK {
				a.t.Errorf("%q: %d %s", headers[0], status, body)
			}
		}
		response, body := a.raw("GET /v1/overview HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + good + "\r\nAuthorization: Bearer " + good + "\r\n\r\n")
		if response.StatusCode != http.StatusUnauthorized {
			a.t.Errorf("two headers: %d %s", response.StatusCode, body)
		}
		_, _, metrics := a.call("GET", "/metrics", "", "", bearer(good)...)
		for what, text := range map[string]string{"the log": a.log.String(), "the metrics": metrics} {
			for _, token := range []string{good, other} {
				if strings.Contains(text, token) {
					a.t.Errorf("%s tells a token", what)
				}
			}
		}
		for _, want := range []string{"a call was refused", "reason=unknown_token", "route=\"GET /v1/overview\""} {
			if !strings.Contains(a.log.String(), want) {
				a.t.Errorf("the log does not say %q: %s", want, a.log)
			}
		}
	})
}

// TestWhoIsWrongTooOftenWaits, and whoever has the right token meanwhile does not.
func TestWhoIsWrongTooOftenWaits(t *testing.T) {
	guardedBubble(t, console.Config{}, func(a *api, k *keys) {
		wrong := func() (int, string) {
			status, header, _ := a.call("GET", "/v1/overview", "", "", bearer("guess")...)
			return status, header.Get("Retry-After")
		}
		refused := 0
		status, after := wrong()
		for ; status == http.StatusUnauthorized && refused < 100; refused++ {
			status, after = wrong()
		}
		if refused != 10 || status != http.StatusTooManyRequests || after != "10" {
			a.t.Errorf("after %d refusals: %d, Retry-After %q, want 429 and 10 s after 10", refused, status, after)
		}
		a.wantProblem(429, "Too many calls from this address were refused", "GET", "/v1/overview", "", "", bearer("guess")...)
		logged := strings.Count(a.log.String(), "a call was refused")
		if status, _, _ := a.call("GET", "/v1/overview", "", "", bearer(k.tokens[access.Reader])...); status != http.StatusOK {
			a.t.Errorf("the right token from there: %d", status)
		}
		a.wantProblem(401, "needs a token", "GET", "/v1/overview", "", "") // is no attempt
		if n := strings.Count(a.log.String(), "a call was refused"); n != logged || logged != 10 {
			a.t.Errorf("%d refusals were logged, then %d, want 10", logged, n)
		}
		time.Sleep(10 * time.Second)
		if status, _ := wrong(); status != http.StatusUnauthorized {
			a.t.Errorf("10 s later: %d", status)
		}
	})
}

// TestTheConsoleSignsIn: the page gets a cookie that it can't read, which opens the event stream.
func TestTheConsoleSignsIn(t *testing.T) {
	guardedBubble(t, console.Config{}, func(a *api, k *keys) {
		status, header, body := a.call("POST", "/v1/session", "", "", bearer(k.tokens[access.Approver])...)
		if status != http.StatusOK || body != `{"name":"the-approver","role":"approver"}`+"\n" {
			a.t.Fatalf("signing in: %d %s", status, body)
		}
		cookies := (&http.Response{Header: header}).Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Path != "/" || cookies[0].Domain != "" || cookies[0].MaxAge != 0 {
			a.t.Fatalf("got %v, want one cookie for scripts and other sites not to use", cookies)
		}
		cookie := cookies[0].Name + "=" + cookies[0].Value
		if status, _, body := a.call("GET", "/v1/session", "", "", "Cookie", cookie); status != http.StatusOK || !strings.Contains(body, "the-approver") {
			a.t.Errorf("who is signed in: %d %s", status, body)
		}
		if status, _, _ := a.call("HEAD", "/v1/commands/stream", "", "", "Cookie", cookie); status != http.StatusOK {
			a.t.Errorf("the event stream: %d", status)
		}
		a.wantProblem(403, "A browser sent this for another origin", "POST", "/v1/deltas", "application/json", delta("1"), "Cookie", cookie, "Sec-Fetch-Site", "same-site")
		a.wantProblem(403, "A browser sent this for another origin", "DELETE", "/v1/session", "", "", "Cookie", cookie, "Origin", "http://localhost:1")
		status, header, _ = a.call("DELETE", "/v1/session", "", "", "Cookie", cookie)
		if cookies := (&http.Response{Header: header}).Cookies(); status != http.StatusNoContent || len(cookies) != 1 || cookies[0].MaxAge >= 0 || cookies[0].Value != "" {
			a.t.Errorf("signing out: %d %v", status, cookies)
		}
	})
}

// TestWithoutTokensNobodyIsAsked, which the console is told by an empty name.
func TestWithoutTokensNobodyIsAsked(t *testing.T) {
	a := serve(t)
	if status, header, body := a.call("POST", "/v1/session", "", "", bearer("x")...); status != http.StatusOK || body != `{"name":"","role":"admin"}`+"\n" || header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v %s", status, header, body)
	}
}

// TestProbesAreToldLittle: those who watch from outside learn whether, and not how much.
func TestProbesAreToldLittle(t *testing.T) {
	guardedBubble(t, console.Config{}, func(a *api, k *keys) {
		stuck := console.Overview{Exposure: 123456, Partitions: []console.PartitionOverview{{CaughtUp: false, Lag: 77, Error: "secret-path"}}}
		ready := console.Overview{Exposure: 123456, Partitions: []console.PartitionOverview{{CaughtUp: true}}}
		for name, overview := range map[string]console.Overview{"stuck": stuck, "ready": ready} {
			a.backend.SetOverview(overview)
			for _, path := range []string{"/readyz", "/healthz"} {
				_, _, anyone := a.call("GET", path, "", "")
				_, _, reader := a.call("GET", path, "", "", bearer(k.tokens[access.Reader])...)
				if len(anyone) > 200 || strings.Contains(anyone, "123456") || strings.Contains(anyone, "secret-path") || strings.Contains(anyone, `"test"`) || strings.Contains(anyone, "77") {
					a.t.Errorf("%s, %s: anyone is told %s", name, path, anyone)
				}
				if len(reader) <= len(anyone) {
					a.t.Errorf("%s, %s: a reader is told no more: %s", name, path, reader)
				}
			}
		}
	})
}

// TestAStreamEndsWithItsToken: who is struck out of the file hears no more after a heartbeat,
// busy as the stream may be.
func TestAStreamEndsWithItsToken(t *testing.T) {
	guardedBubble(t, console.Config{}, func(a *api, k *keys) {
		conn := a.dial()
		fmt.Fprintf(conn, "GET /v1/commands/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", k.tokens[access.Reader])
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusOK {
			a.t.Fatal(response, err)
		}
		r := &reader{a.t, response.Body, bufio.NewScanner(response.Body), nil}
		r.next()
		a.publish(1, "web")
		r.want(1)
		k.write(a.t, access.Reader)
		taken := time.Now()
		for i := 2; ; i++ {
			time.Sleep(time.Second)
			a.publish(1, "web")
			if r.next() == "" {
				break
			}
			if time.Since(taken) > time.Minute {
				a.t.Fatal("the stream goes on a minute after its token was taken back")
			}
		}
		if took := time.Since(taken); took > 17*time.Second {
			a.t.Errorf("the stream went on for %s", took)
		}
		synctest.Wait()
		if n := a.backend.Streams(); n != 0 {
			a.t.Errorf("%d streams are open", n)
		}
	})
}

// TestOtherMachinesAreNotServedUnasked: without tokens, only this machine is.
func TestOtherMachinesAreNotServedUnasked(t *testing.T) {
	tokens := newKeys(t).open(t)
	for _, c := range []struct {
		addr    string
		tokens  *access.Tokens
		open    bool
		refused bool
	}{
		{"127.0.0.1:0", nil, false, false},
		{"[::1]:0", nil, false, false},
		{"localhost:0", nil, false, false},
		{"127.9.9.9:0", nil, false, false},
		{":0", nil, false, true},
		{"0.0.0.0:0", nil, false, true},
		{"[::]:0", nil, false, true},
		{"192.0.2.1:0", nil, false, true},
		{"0.0.0.0:0", tokens, false, false},
		{"0.0.0.0:0", nil, true, false},
	} {
		config := console.Config{Addr: c.addr, Backend: &consoletest.Backend{}, Registry: prometheus.NewRegistry(), Tokens: c.tokens, Open: c.open}
		err := config.CheckAddr()
		if refused := err != nil; refused != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "--tokens") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %q does not say the way out in a line", c.addr, err)
		}
		if c.addr == "192.0.2.1:0" || c.addr == "[::1]:0" {
			continue // not an address of every machine
		}
		s, err := console.NewServer(config)
		if refused := err != nil; refused != c.refused {
			t.Errorf("%+v is served: %v", c, err)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestOverTLS: one connection at a time is one request at a time, and the cookie stays on TLS.
func TestOverTLS(t *testing.T) {
	k := newKeys(t)
	backend := &consoletest.Backend{}
	certificate, pool := selfSigned(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := serveConfig(t, backend, console.Config{
		Backend: backend, Tokens: k.open(t), TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}, l, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	})
	transport := a.client.Transport.(*http.Transport)
	transport.TLSClientConfig, transport.ForceAttemptHTTP2 = &tls.Config{RootCAs: pool}, true
	if !strings.HasPrefix(a.url, "https://127.0.0.1:") {
		t.Fatalf("the server calls itself %s", a.url)
	}
	status, header, _ := a.call("POST", "/v1/session", "", "", bearer(k.tokens[access.Reader])...)
	cookies := (&http.Response{Header: header}).Cookies()
	if status != http.StatusOK || len(cookies) != 1 || !cookies[0].Secure || !strings.HasPrefix(cookies[0].Name, "__Host-") {
		t.Errorf("signing in: %d %v", status, cookies)
	}
	response, err := a.client.Get(a.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Status string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Status != "ok" || response.ProtoMajor != 1 {
		t.Errorf("%v over HTTP/%d, %v", answer, response.ProtoMajor, err)
	}
	_, err = tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
}
