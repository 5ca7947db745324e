package console_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// slow is a backend that takes its time.
type slow struct {
	*consoletest.Backend
	takes time.Duration
}

func (s slow) wait(ctx context.Context) error {
	select {
	case <-time.After(s.takes):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slow) Ingest(ctx context.Context, deltas []inventory.Delta) (int, error) {
	if err := s.wait(ctx); err != nil {
		return 0, err
	}
	return s.Backend.Ingest(ctx, deltas)
}

func (s slow) SKU(ctx context.Context, sku string) (inventory.SKUAvailability, error) {
	if err := s.wait(ctx); err != nil {
		return inventory.SKUAvailability{}, err
	}
	return s.Backend.SKU(ctx, sku)
}

func (s slow) Overview(ctx context.Context) (console.Overview, error) {
	if err := s.wait(ctx); err != nil {
		return console.Overview{}, err
	}
	return s.Backend.Overview(ctx)
}

// taking makes a backend slow.
func taking(d time.Duration) func(*consoletest.Backend) console.Backend {
	return func(b *consoletest.Backend) console.Backend { return slow{b, d} }
}

// took holds the time since begin against what it must be.
func (a *api) took(begin time.Time, want time.Duration) {
	a.t.Helper()
	if got := time.Since(begin); got != want {
		a.t.Errorf("it took %s, want %s", got, want)
	}
}

func TestASlowBackendIsNotWaitedForForever(t *testing.T) {
	bubble(t, taking(time.Hour), func(a *api) {
		begin := time.Now()
		a.wantProblem(503, "Send the request again, as it is", "POST", "/v1/deltas", "application/json", delta("1"))
		a.took(begin, 30*time.Second)
		begin = time.Now()
		a.wantProblem(504, "No answer in time", "GET", "/v1/atp/tea", "", "")
		a.took(begin, 10*time.Second)
		begin = time.Now()
		a.wantProblem(503, "can't be asked", "GET", "/readyz", "", "")
		a.took(begin, 10*time.Second)
		if status, _, _ := a.call("GET", "/healthz", "", ""); status != http.StatusOK {
			a.t.Errorf("healthz: %d, though it asks nobody", status)
		}
	})
}

func TestABodyThatDoesNotComeIsToldSo(t *testing.T) {
	bubble(t, nil, func(a *api) {
		begin := time.Now()
		response, body := a.raw("POST /v1/deltas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[")
		if response.StatusCode != http.StatusRequestTimeout || !strings.Contains(body, "did not arrive in time") {
			a.t.Errorf("%s %s", response.Status, body)
		}
		a.took(begin, time.Minute)
	})
}

// TestASlowBodyLeavesTimeToStore: the bound on sending a request does not end its storing.
func TestASlowBodyLeavesTimeToStore(t *testing.T) {
	bubble(t, taking(25*time.Second), func(a *api) {
		conn, begin := a.dial(), time.Now()
		fmt.Fprintf(conn, "POST /v1/deltas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(delta("1")))
		time.Sleep(50 * time.Second)
		if _, err := io.WriteString(conn, delta("1")); err != nil {
			a.t.Fatal(err)
		}
		response, body := a.answer(conn)
		if response.StatusCode != http.StatusAccepted || !strings.Contains(body, `"accepted":1`) {
			a.t.Errorf("%s %s", response.Status, body)
		}
		a.took(begin, 75*time.Second)
	})
}

func TestSilentConnectionsAreClosed(t *testing.T) {
	bubble(t, nil, func(a *api) {
		for said, want := range map[string]time.Duration{"": 5 * time.Second, "GET / HTTP/1.1\r\nHost: local": 5 * time.Second} {
			conn, begin := a.dial(), time.Now()
			if _, err := io.WriteString(conn, said); err != nil {
				a.t.Fatal(err)
			}
			if _, err := io.ReadAll(conn); err != nil {
				a.t.Error(err)
			}
			a.took(begin, want)
		}
	})
}

// TestACallerThatLeavesIsNotWaitedFor: what was being asked for it ends, and no error is logged.
func TestACallerThatLeavesIsNotWaitedFor(t *testing.T) {
	bubble(t, taking(time.Hour), func(a *api) {
		for _, request := range []string{
			"GET /v1/atp/tea HTTP/1.1\r\nHost: localhost\r\n\r\n",
			fmt.Sprintf("POST /v1/deltas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(delta("1")), delta("1")),
		} {
			conn, begin := a.dial(), time.Now()
			if _, err := io.WriteString(conn, request); err != nil {
				a.t.Fatal(err)
			}
			synctest.Wait()
			_ = conn.Close()
			synctest.Wait()
			a.took(begin, 0)
		}
		if _, _, metrics := a.call("GET", "/metrics", "", ""); !strings.Contains(metrics, `{method="GET",route="/v1/atp/{sku}",status="408"} 1`) || strings.Contains(metrics, `status="0"`) {
			a.t.Errorf("the metrics do not say that a request was cut off:\n%s", metrics)
		}
		if text := a.log.String(); strings.Contains(text, "ERROR") {
			a.t.Errorf("logged: %s", text)
		}
	})
}

// TestShutdownLetsRequestsFinish: 10 s are theirs, and not more.
func TestShutdownLetsRequestsFinish(t *testing.T) {
	for name, c := range map[string]struct {
		takes, atLeast, atMost time.Duration
		status                 int
	}{
		"idle":     {0, 0, 0, 200},
		"busy":     {3 * time.Second, 3 * time.Second, 4 * time.Second, 200},
		"too busy": {time.Hour, 10 * time.Second, 10 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, taking(c.takes), func(a *api) {
				a.backend.SetSKU(inventory.SKUAvailability{SKU: "tea"})
				answered := make(chan int, 1)
				go func() {
					response, err := a.client.Get(a.url + "/v1/atp/tea?position=0:1&timeout=30s")
					if err != nil {
						answered <- 0
						return
					}
					_ = response.Body.Close()
					answered <- response.StatusCode
				}()
				if c.takes < time.Hour {
					a.backend.SetOverview(at(1))
				} else {
					a.backend.SetOverview(at(0))
				}
				synctest.Wait()
				begin := time.Now()
				a.stop()
				if err := <-a.done; err != nil {
					t.Error(err)
				}
				if took := time.Since(begin); took < c.atLeast || took > c.atMost {
					t.Errorf("Run took %s to end, want %s to %s", took, c.atLeast, c.atMost)
				}
				if status := <-answered; status != c.status {
					t.Errorf("the request was answered with %d, want %d", status, c.status)
				}
				if _, err := a.client.Get(a.url + "/healthz"); !errors.Is(err, net.ErrClosed) {
					t.Errorf("a call after that: %v", err)
				}
			})
		})
	}
}

// TestConnectionsAreBounded: the one too many is served when another has gone.
func TestConnectionsAreBounded(t *testing.T) {
	bubble(t, nil, func(a *api) {
		const most = 512
		for range most {
			a.dial() // and say nothing, for which the server closes it after 5 s
		}
		begin := time.Now()
		conn := a.dial()
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			a.t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusOK {
			a.t.Fatal(response, err)
		}
		_ = response.Body.Close()
		a.took(begin, 5*time.Second)
	})
}
