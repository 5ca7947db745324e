package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/console/consoletest"
	"github.com/holdfast-atp/holdfast/inventory"
)

// reader reads a stream of events.
type reader struct {
	t     testing.TB
	body  io.ReadCloser
	lines *bufio.Scanner
	leave context.CancelFunc
}

// follow opens the stream of commands, and takes the line that sets the browser's pause.
func (a *api) follow(query, lastEventID string) *reader {
	a.t.Helper()
	ctx, leave := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, "GET", a.url+"/v1/commands/stream"+query, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := a.client.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { leave(); _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" || response.Header.Get("Cache-Control") != "no-store" {
		a.t.Fatal(response.Status, response.Header)
	}
	r := &reader{a.t, response.Body, bufio.NewScanner(response.Body), leave}
	if got := r.next(); got != "retry: 2000" {
		a.t.Fatalf("the stream begins with %q", got)
	}
	return r
}

// next returns the lines up to the next empty one; "" where the stream has ended.
func (r *reader) next() string {
	var lines []string
	for r.lines.Scan() && r.lines.Text() != "" {
		lines = append(lines, r.lines.Text())
	}
	return strings.Join(lines, "\n")
}

// want wants events of these ids.
func (r *reader) want(ids ...int) {
	r.t.Helper()
	for _, id := range ids {
		event := r.next()
		head, data, _ := strings.Cut(event, "\ndata: ")
		var c inventory.Command
		if err := json.Unmarshal([]byte(data), &c); err != nil || head != fmt.Sprintf("id: %d\nevent: %s", id, c.Action) || c.ID != fmt.Sprint("c", id) {
			r.t.Fatalf("event %q, %v, want that of command %d", event, err, id)
		}
	}
}

// publish says n commands, in turn for the channels.
func (a *api) publish(n int, channels ...string) {
	before, _ := a.backend.LastCommand(context.Background())
	for i := range n {
		a.backend.Publish(inventory.Command{
			ID: fmt.Sprint("c", int(before)+i+1), Action: inventory.Hold, Channel: channels[i%len(channels)], SKU: "tea\n\ndata: x", Location: "leeds",
		})
	}
}

func TestTheStreamIsResumed(t *testing.T) {
	a := serve(t)
	a.publish(3, "web")
	for _, c := range []struct {
		query, lastEventID string
		want               []int
	}{
		{"", "1", []int{2, 3, 4}},
		{"", "3", []int{4}},
		{"", "0", []int{1, 2, 3, 4}},
		{"", "18446744073709551615", []int{1, 2, 3, 4}}, // a stream that began anew since
		{"", "", []int{4}},
		{"?recent=2", "", []int{2, 3, 4}},
		{"?recent=1000", "", []int{1, 2, 3, 4}},
		{"?recent=2", "3", []int{4}},
	} {
		b := serve(t)
		b.publish(3, "web")
		r := b.follow(c.query, c.lastEventID)
		b.publish(1, "web")
		r.want(c.want...)
	}
	for _, bad := range []string{"soon", "-1", "1.5", "18446744073709551616"} {
		a.wantProblem(400, "Last-Event-ID", "GET", "/v1/commands/stream", "", "", "Last-Event-ID", bad)
	}
	for _, bad := range []string{"-1", "1001", "all"} {
		a.wantProblem(400, "from 0 to 1000", "GET", "/v1/commands/stream?recent="+bad, "", "")
	}
	a.wantProblem(400, "channel, sku, recent", "GET", "/v1/commands/stream?location=leeds", "", "")
}

func TestTheStreamIsFiltered(t *testing.T) {
	a := serve(t)
	a.publish(6, "web", "amazon", "store")
	a.follow("?channel=amazon&recent=6", "").want(2, 5)
	a.follow("?sku=tea%0A%0Adata:+x&recent=2", "").want(5, 6)
}

// TestALeaverLeavesNothing: who closes the connection is noticed, and the backend's stream is closed.
func TestALeaverLeavesNothing(t *testing.T) {
	a := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 3 {
		r := a.follow("", "")
		if err := a.backend.AwaitStreams(ctx, 1); err != nil {
			t.Fatal(err)
		}
		r.leave()
		if err := a.backend.AwaitStreams(ctx, 0); err != nil {
			t.Fatal("a stream was left open: ", err)
		}
	}
	if status, _, body := a.call("HEAD", "/v1/commands/stream", "", ""); status != http.StatusOK || body != "" {
		t.Errorf("HEAD: %d %q", status, body)
	}
	if err := a.backend.AwaitStreams(ctx, 0); err != nil { // which may end a moment after its answer came
		t.Fatal("HEAD left a stream open: ", err)
	}
}

// TestAQuietStreamShowsThatItIsAlive, and moves its reader past what the filter left out.
func TestAQuietStreamShowsThatItIsAlive(t *testing.T) {
	bubble(t, nil, func(a *api) {
		a.publish(7, "web")
		begin := time.Now()
		r := a.follow("?channel=amazon", "")
		if got := r.next(); got != ": alive\nid: 7" {
			a.t.Errorf("got %q", got)
		}
		a.took(begin, 15*time.Second)
		a.publish(3, "web")
		if got := r.next(); got != ": alive\nid: 10" {
			a.t.Errorf("got %q", got)
		}
		a.took(begin, 30*time.Second)
		time.Sleep(5 * time.Second)
		a.publish(1, "amazon")
		r.want(11)
		if got := r.next(); got != ": alive\nid: 11" {
			a.t.Errorf("got %q", got)
		}
		a.took(begin, 50*time.Second)
		for range 40 { // 10 minutes, beyond all time-outs of requests
			if got := r.next(); got != ": alive\nid: 11" {
				a.t.Fatalf("%s after it began: %q", time.Since(begin), got)
			}
		}
		a.took(begin, 650*time.Second)
		a.publish(1, "amazon")
		r.want(12)
	})
}

// TestASlowReaderIsDropped: nothing piles up for it, and nobody waits for it.
func TestASlowReaderIsDropped(t *testing.T) {
	bubble(t, nil, func(a *api) {
		conn := a.dial()
		if _, err := io.WriteString(conn, "GET /v1/commands/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			a.t.Fatal(err)
		}
		in := bufio.NewReader(conn)
		for { // up to the first event, and no further
			line, err := in.ReadString('\n')
			if err != nil {
				a.t.Fatal(err)
			}
			if strings.HasPrefix(line, "retry:") {
				break
			}
		}
		other := a.follow("", "")
		begin := time.Now()
		a.publish(1000, "web")
		for i := range 1000 { // who reads has all of them at once
			other.want(i + 1)
		}
		a.took(begin, 0)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if n := a.backend.Streams(); n != 2 {
			a.t.Errorf("%d streams open after 9 s, want 2", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := a.backend.Streams(); n != 1 {
			a.t.Errorf("%d streams open after 11 s, want that of the reader who reads", n)
		}
		_, _, metrics := a.call("GET", "/metrics", "", "")
		for _, want := range []string{"holdfast_http_streams_dropped_total 1", "holdfast_http_streams 1"} {
			if !strings.Contains(metrics, want) {
				a.t.Errorf("the metrics do not say %s", want)
			}
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	const most = 64
	a := serve(t)
	var readers []*reader
	for range most {
		readers = append(readers, a.follow("", ""))
	}
	a.wantProblem(503, "All 64 event streams are in use", "GET", "/v1/commands/stream", "", "")
	readers[0].leave()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := a.backend.AwaitStreams(ctx, most-1); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := a.call("GET", "/healthz", "", ""); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
}

// TestStreamsEndWithTheServer: they do not hold the shutdown up.
func TestStreamsEndWithTheServer(t *testing.T) {
	bubble(t, nil, func(a *api) {
		r := a.follow("", "")
		begin := time.Now()
		a.stop()
		got := r.next()
		if err := <-a.done; err != nil {
			a.t.Error(err)
		}
		if got != "" || a.backend.Streams() != 0 {
			a.t.Errorf("got %q, %d streams open", got, a.backend.Streams())
		}
		if took := time.Since(begin); took > time.Second {
			a.t.Errorf("it took %s", took)
		}
	})
}

func TestAStreamWhoseSourceFails(t *testing.T) {
	a := serve(t)
	a.publish(2, "web")
	r := a.follow("?recent=1", "")
	r.want(2)
	a.backend.Fail(errors.New("the consumer was deleted"))
	if got := r.next(); got != "" {
		t.Errorf("got %q, want the stream's end", got)
	}
	if text := a.log.String(); !strings.Contains(text, "the consumer was deleted") {
		t.Errorf("logged: %s", text)
	}
	a.wantProblem(500, "holdfast's log", "GET", "/v1/commands/stream", "", "")
	a.backend.Fail(fmt.Errorf("no leader: %w", console.ErrUnavailable))
	a.wantProblem(503, "no leader", "GET", "/v1/commands/stream", "", "")
	a.backend.Fail(nil)
	a.follow("", "1").want(2)
}

// TestAStreamThatCannotBeginAtShutdown is told to come back, as nothing is wrong.
func TestAStreamThatCannotBeginAtShutdown(t *testing.T) {
	bubble(t, func(b *consoletest.Backend) console.Backend { return undecided{b} }, func(a *api) {
		status := make(chan int, 1)
		go func() {
			got, _, _ := a.call("GET", "/v1/commands/stream", "", "")
			status <- got
		}()
		synctest.Wait()
		a.stop()
		if got := <-status; got != http.StatusServiceUnavailable {
			a.t.Errorf("%d, want 503", got)
		}
		<-a.done
	})
}

// undecided does not know its last command until nobody asks any more.
type undecided struct{ *consoletest.Backend }

func (undecided) LastCommand(ctx context.Context) (uint64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}
