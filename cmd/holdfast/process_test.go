package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram makes the test's own binary be the program, so that real processes can be run and
// killed without building anything first.
const asProgram = "HOLDFAST_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// process is a running holdfast.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	url    string // of HTTP, once it was said

	mu    sync.Mutex
	lines []string
	said  chan struct{} // closed when stdout ends
}

// program returns the program with arguments, not started.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// start runs the program and returns once it has said where HTTP is.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: program(t, args...), stderr: &bytes.Buffer{}, said: make(chan struct{})}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	urls := make(chan string, 1)
	go p.read(out, urls)
	select {
	case p.url = <-urls:
	case <-p.said:
		_ = p.cmd.Wait()
		t.Fatalf("holdfast %s ended before it served: %s", strings.Join(args, " "), p.stderr)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return p
}

func (p *process) read(out io.Reader, urls chan<- string) {
	defer close(p.said)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		p.mu.Lock()
		p.lines = append(p.lines, line)
		p.mu.Unlock()
		if _, url, ok := strings.Cut(line, "console and API: "); ok {
			urls <- strings.TrimSuffix(url, "/")
		}
	}
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.said
	_ = p.cmd.Wait()
}

// stop asks the process to end, and wants exit code 0.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	<-p.said
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("after SIGTERM: %v\n%s", err, p.stderr)
	}
}

// get asks the API and returns the status; the answer goes into answer.
func (p *process) get(path string, answer any) int {
	p.t.Helper()
	return ask(p.t, http.MethodGet, p.url+path, "", nil, answer)
}

func (p *process) post(path, contentType string, body []byte, answer any) int {
	p.t.Helper()
	return ask(p.t, http.MethodPost, p.url+path, contentType, body, answer)
}

var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func ask(t *testing.T, method, url, contentType string, body []byte, answer any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer != nil {
		if err := json.Unmarshal(data, answer); err != nil {
			t.Fatalf("%s %s: %d %s: %v", method, url, response.StatusCode, data, err)
		}
	}
	return response.StatusCode
}

// eventually waits until done says so; what names what is waited for.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// caughtUp waits until all that is in the logs is applied.
func (p *process) caughtUp() {
	p.t.Helper()
	eventually(p.t, "every partition catches up", func() bool {
		var answer struct {
			Ready      bool
			Partitions []struct{ Lag uint64 }
		}
		if p.get("/v1/overview", &answer) != http.StatusOK || !answer.Ready {
			return false
		}
		for _, one := range answer.Partitions {
			if one.Lag > 0 {
				return false
			}
		}
		return true
	})
}
