package console_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-atp/holdfast/console/consoletest"
)

// dribble sends text a byte a second until the server hangs up, and returns what it answered.
func (a *api) dribble(begin, text string) string {
	a.t.Helper()
	conn := a.dial()
	if _, err := io.WriteString(conn, begin); err != nil {
		a.t.Fatal(err)
	}
	over := make(chan struct{})
	var writer sync.WaitGroup
	defer writer.Wait()
	defer close(over)
	writer.Go(func() {
		for i := range text {
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				return
			}
			select {
			case <-time.After(time.Second):
			case <-over:
				return
			}
		}
	})
	answer, err := io.ReadAll(conn)
	if err != nil {
		a.t.Error(err)
	}
	return string(answer)
}

// TestWhoDribblesIsNotWaitedFor: a byte now and then does not keep a connection open.
func TestWhoDribblesIsNotWaitedFor(t *testing.T) {
	bubble(t, nil, func(a *api) {
		begin := time.Now()
		a.dribble("GET /healthz HTTP/1.1\r\nHost: localhost\r\n", "X-A: "+strings.Repeat("b", 100))
		a.took(begin, 5*time.Second)
		begin = time.Now()
		answer := a.dribble("POST /v1/deltas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", strings.Repeat(" ", 200))
		if !strings.HasPrefix(answer, "HTTP/1.1 408") {
			a.t.Errorf("a body that dribbles: %.200s", answer)
		}
		a.took(begin, time.Minute)
		if n := len(a.backend.Ingested()); n != 0 {
			a.t.Errorf("%d deltas stored", n)
		}
	})
}

// TestABodyWithoutEnd is read no further than the bound, and what is left of it for some while to throw it away.
func TestABodyWithoutEnd(t *testing.T) {
	a := serve(t)
	for name, length := range map[string]string{"claimed": "Content-Length: 1099511627776", "chunked": "Transfer-Encoding: chunked"} {
		conn := a.dial()
		fmt.Fprintf(conn, "POST /v1/deltas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s\r\n\r\n", length)
		sent := make(chan int, 1)
		go func() {
			chunk := strings.Repeat(" ", 1<<20)
			if name == "chunked" {
				chunk = fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
			}
			n := 0
			for ; n < 1000; n++ {
				if _, err := io.WriteString(conn, chunk); err != nil {
					break
				}
			}
			sent <- n
		}()
		response, body := a.answer(conn)
		if response.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(body, "8388608 bytes at most") || !response.Close {
			t.Errorf("%s: %s %.200s, want 413 and the connection's end", name, response.Status, body)
		}
		_ = conn.Close()
		if n := <-sent; n > 100 {
			t.Errorf("%s: %d MiB were taken", name, n)
		}
	}
}

func TestAHeaderHasABound(t *testing.T) {
	a := serve(t)
	for name, header := range map[string]string{
		"one long":  "X-A: " + strings.Repeat("a", 64<<10) + "\r\n",
		"many":      strings.Repeat("X-A: a\r\n", 8<<10),
		"the path":  "",
		"a cookie":  "Cookie: holdfast=" + strings.Repeat("a", 64<<10) + "\r\n",
		"the token": "Authorization: Bearer " + strings.Repeat("a", 64<<10) + "\r\n",
	} {
		path := "/healthz"
		if name == "the path" {
			path = "/v1/atp/" + strings.Repeat("a", 64<<10)
		}
		conn := a.dial()
		go func() { _, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n"+header+"\r\n") }()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge || !response.Close {
			t.Errorf("%s: %s, want 431 and the connection's end", name, response.Status)
		}
	}
}

// from is a connection that says that it comes from an address.
type from struct {
	net.Conn
	address net.Addr
}

func (c from) RemoteAddr() net.Addr { return c.address }

// farPipes are pipes whose connections come from the address that is next.
type farPipes struct {
	pipes
	next chan net.Addr
}

func (l *farPipes) Accept() (net.Conn, error) {
	conn, err := l.pipes.Accept()
	if err != nil {
		return nil, err
	}
	return from{conn, <-l.next}, nil
}

// TestOneMachineDoesNotShutTheOthersOut: it has half of the connections at most.
func TestOneMachineDoesNotShutTheOthersOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &consoletest.Backend{}
		l := &farPipes{pipes{conns: make(chan net.Conn), closed: make(chan struct{})}, make(chan net.Addr, 1)}
		a := serveOn(t, backend, backend, l, l.dial)
		dialFrom := func(ip string) net.Conn {
			l.next <- &net.TCPAddr{IP: net.ParseIP(ip), Port: 1}
			conn, err := l.dial(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		isServed := func(conn net.Conn) bool {
			if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				return false
			}
			response, _ := a.answer(conn)
			return response.StatusCode == http.StatusOK
		}
		var greedy []net.Conn
		for range 256 {
			greedy = append(greedy, dialFrom("192.0.2.1"))
		}
		if !isServed(greedy[0]) || !isServed(greedy[255]) {
			t.Error("half of the connections are not all served")
		}
		if isServed(dialFrom("192.0.2.1")) {
			t.Error("one machine has more than half of the connections")
		}
		for _, other := range []string{"192.0.2.2", "2001:db8::1", "127.0.0.1"} {
			if !isServed(dialFrom(other)) {
				t.Errorf("%s is shut out", other)
			}
		}
		_ = greedy[1].Close()
		synctest.Wait()
		if !isServed(dialFrom("192.0.2.1")) {
			t.Error("who gives one back gets no other")
		}
	})
}
