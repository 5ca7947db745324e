package console_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
)

func TestProfilesAreOffUnlessAskedFor(t *testing.T) {
	a := serve(t)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1", "/debug/pprof/cmdline", "/debug/pprof/a/b"} {
		a.wantProblem(404, "--pprof", "GET", path, "", "")
	}
}

func TestProfiles(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	backend := &consoletest.Backend{}
	a := serveConfig(t, backend, console.Config{Backend: backend, Profiles: true}, l, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	})

	for _, path := range []string{"/debug/pprof/", "/debug/pprof"} {
		if status, _, page := a.call("GET", path, "", ""); status != 200 || !strings.Contains(page, "heap?debug=1") {
			t.Errorf("%s: %d %.200s", path, status, page)
		}
	}
	gzipped := []byte{0x1f, 0x8b}
	for _, path := range []string{"heap", "goroutine", "allocs", "heap?gc=1", "profile?seconds=1"} {
		if status, _, profile := a.call("GET", "/debug/pprof/"+path, "", ""); status != 200 || !bytes.HasPrefix([]byte(profile), gzipped) {
			t.Errorf("%s: %d %.100q", path, status, profile)
		}
	}
	if status, _, text := a.call("GET", "/debug/pprof/goroutine?debug=1", "", ""); status != 200 || !strings.Contains(text, "goroutine profile: total") {
		t.Errorf("goroutines: %d %.100q", status, text)
	}
	if status, _, trace := a.call("GET", "/debug/pprof/trace?seconds=0.01", "", ""); status != 200 || !strings.HasPrefix(trace, "go 1.") {
		t.Errorf("trace: %d %.100q", status, trace)
	}
	a.wantProblem(404, "no profile", "GET", "/debug/pprof/nonsense", "", "")
	a.wantProblem(404, "no profile", "GET", "/debug/pprof/cmdline", "", "") // it may hold a password
	a.wantProblem(404, "", "GET", "/debug/pprof//heap", "", "")
	a.wantProblem(405, "", "POST", "/debug/pprof/heap", "", "")
	a.wantProblem(421, "evil.example", "GET", "/debug/pprof/heap", "", "", "Host", "evil.example")
}
