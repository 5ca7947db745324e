package torture

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-atp/holdfast/stream"
)

// asBroker makes the test's own binary be the broker.
const asBroker = "HOLDFAST_TORTURE_BROKER"

// playBroker is the server that holdfast embeds, alone in a process: its folder and its port are the arguments.
// It ends with its standard input, so that none is left behind by a test that was killed.
func playBroker(args []string) error {
	port, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: args[0], Port: port, SyncAlways: true})
	if err != nil {
		return err
	}
	fmt.Println("broker:", server.URL())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return server.Close()
}

// child is a process.
type child struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	out  output
	done chan struct{} // closed when it has ended
	err  error         // how, once it has
}

// output takes what a child says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// launch starts a process. At the end of the test it is killed, and heard where the test failed.
func launch(t *testing.T, name string, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{t: t, name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.out, &c.out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("%s (%v) said:\n%s", name, c.err, c.tail())
		}
	})
	return c
}

// tailBytes is what of a child's words is worth reading.
const tailBytes = 4 << 10

func (c *child) tail() string {
	text := c.out.String()
	return text[max(0, len(text)-tailBytes):]
}

// await waits until the child has said something, and returns what stands in the parentheses of the pattern.
func (c *child) await(pattern *regexp.Regexp) (found string) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%s says %v", c.name, pattern), func() error {
		ended := c.ended()
		if match := pattern.FindStringSubmatch(c.out.String()); match != nil {
			found = match[1]
			return nil
		}
		if ended {
			c.t.Fatalf("%s ended before it said %v: %v\n%s", c.name, pattern, c.err, c.tail())
		}
		return fmt.Errorf("it said %q", c.tail())
	})
	return found
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// kill ends it as a power cut would; it may have ended already, and may be paused.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// stop asks it to end, and wants it to do so well.
func (c *child) stop() {
	c.t.Helper()
	c.signal(syscall.SIGTERM)
	<-c.done
	if c.err != nil {
		c.t.Fatalf("%s, asked to stop: %v\n%s", c.name, c.err, c.tail())
	}
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatalf("%s: %v: %v", c.name, s, err)
	}
}

// Waiting.
const (
	patience = 2 * time.Minute // a process that was paused with us, on a busy machine, is no failure
	look     = 50 * time.Millisecond
)

// within waits until ok or for that long.
func within(most time.Duration, ok func() bool) {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for end := time.Now().Add(most); !ok() && time.Now().Before(end); {
		<-ticker.C
	}
}

// eventually waits until ok has nothing to complain of.
func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for end := time.Now().Add(patience); ; <-ticker.C {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s: %v", what, err)
		}
	}
}
