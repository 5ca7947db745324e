package console_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
	"github.com/holdfast-atp/holdfast/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// api is a running server, with a backend of its own and somebody to call it.
type api struct {
	t       testing.TB
	url     string
	backend *consoletest.Backend
	client  *http.Client
	dial    func() net.Conn // a connection that says what the test says
	stop    func()          // ends Run's context
	done    chan error      // what Run returned
	log     *journal
}

// serve runs a server on a loopback port.
func serve(t testing.TB) *api {
	t.Helper()
	backend := &consoletest.Backend{}
	return serveBackend(t, backend, backend)
}

// serveBackend is serve for a server that asks asked, which wraps backend.
func serveBackend(t testing.TB, backend *consoletest.Backend, asked console.Backend) *api {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, backend, asked, l, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	})
}

// bubble runs test with a server behind pipes, in a bubble where time passes only
// when all wait for it. asked is what the server asks instead of the backend, if not nil.
func bubble(t *testing.T, asked func(*consoletest.Backend) console.Backend, test func(*api)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		backend := &consoletest.Backend{}
		var all console.Backend = backend
		if asked != nil {
			all = asked(backend)
		}
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		test(serveOn(t, backend, all, l, l.dial))
	})
}

func serveOn(t testing.TB, backend *consoletest.Backend, asked console.Backend, l net.Listener, dial func(context.Context) (net.Conn, error)) *api {
	t.Helper()
	return serveConfig(t, backend, console.Config{Backend: asked}, l, dial)
}

// serveConfig runs a server whose registry, version and log are the test's.
func serveConfig(t testing.TB, backend *consoletest.Backend, config console.Config, l net.Listener, dial func(context.Context) (net.Conn, error)) *api {
	t.Helper()
	lines := &journal{}
	config.Registry, config.Version, config.Logger = prometheus.NewRegistry(), "test", slog.New(slog.NewTextHandler(lines, nil))
	s, err := console.NewServerOn(config, l)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx); close(done) }()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &api{
		t: t, url: strings.TrimSuffix(s.URL(), "/"), backend: backend, client: &http.Client{Transport: transport},
		dial: func() net.Conn {
			conn, err := dial(context.Background())
			if err != nil {
				t.Error(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		},
		stop: stop, done: done, log: lines,
	}
}

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipes) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8470} }

// journal keeps what was logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *journal) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *journal) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// raw sends request as it is over a connection of its own, and returns the answer.
func (a *api) raw(request string) (*http.Response, string) {
	a.t.Helper()
	conn := a.dial()
	if _, err := io.WriteString(conn, request); err != nil {
		a.t.Fatal(err)
	}
	return a.answer(conn)
}

// answer reads what comes back on a connection.
func (a *api) answer(conn net.Conn) (*http.Response, string) {
	a.t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		a.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response, string(body)
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

func packed(ids ...string) string {
	var payload []byte
	for _, id := range ids {
		payload = codec.AppendDelta(payload, &inventory.Delta{
			ID: id, Source: "s", SKU: "tea", Location: "leeds", Kind: inventory.Receipt, Ref: "po", Quantity: 1, Time: 1000,
		})
	}
	return string(payload)
}
