package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asChild makes the test's own binary be the child that the variable names.
const asChild = "HOLDFAST_TEST_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(asChild); name != "" {
		if err := Serve(context.Background(), children[name], os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// children are the roles of these tests.
var children = map[string]Role{
	"echo": func(ctx context.Context, h *Host) error {
		var config map[string]string
		if err := h.Config(&config); err != nil {
			return err
		}
		if err := h.Ready(config); err != nil {
			return err
		}
		asked := 0
		return h.Serve(ctx, map[string]Handler{
			"count": func(context.Context) (any, error) {
				asked++
				return asked, errors.Join(h.Progress("one"), h.Progress("two"))
			},
			"fail":  func(context.Context) (any, error) { return nil, errors.New("no such luck") },
			"panic": func(context.Context) (any, error) { panic("a slip of the pen") },
		})
	},
	"refuse": func(_ context.Context, h *Host) error {
		var config int
		return h.Config(&config)
	},
	"work": func(ctx context.Context, h *Host) error {
		var memory []byte
		if err := h.Ready(nil); err != nil {
			return err
		}
		return h.Serve(ctx, map[string]Handler{
			"work": func(context.Context) (any, error) {
				memory = make([]byte, workBytes)
				for i := 0; i < len(memory); i += 512 {
					memory[i] = 1
				}
				for {
					u, err := readUsage(os.Getpid())
					if errors.Is(err, os.ErrNotExist) {
						return len(memory), nil // the system does not say
					}
					if err != nil || u.CPU >= workCPU {
						return len(memory), err
					}
				}
			},
		})
	},
	// parent starts a child that says hello at an address and stays.
	"parent": func(ctx context.Context, h *Host) error {
		var address string
		if err := errors.Join(h.Config(&address), os.Setenv(asChild, "caller")); err != nil {
			return err
		}
		child, err := Start(Spec{Name: "caller", Config: address})
		if err != nil {
			return err
		}
		if err := child.Ready(ctx, nil); err != nil {
			return err
		}
		if err := h.Ready(nil); err != nil {
			return err
		}
		<-ctx.Done()
		return child.Stop(context.WithoutCancel(ctx))
	},
	"caller": func(ctx context.Context, h *Host) error {
		var address string
		if err := h.Config(&address); err != nil {
			return err
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		if err := h.Ready(nil); err != nil {
			return err
		}
		<-ctx.Done()
		return conn.Close()
	},
}

const (
	workCPU   = 100 * time.Millisecond
	workBytes = 64 << 20
)

func start(t *testing.T, role string, config any, progress func(json.RawMessage)) *Process {
	t.Helper()
	t.Setenv(asChild, role)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector sleeps for a second otherwise
	p, err := Start(Spec{Name: role, Config: config, Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

// soon bounds what a broken conversation takes until the test says so.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestParentAndChildSpeakWithEachOther(t *testing.T) {
	ctx := soon(t)
	heard := make(chan string, 4)
	p := start(t, "echo", map[string]string{"say": "one\ntwo"}, func(v json.RawMessage) { heard <- string(v) })
	var ready map[string]string
	if err := p.Ready(ctx, &ready); err != nil || ready["say"] != "one\ntwo" {
		t.Fatalf("ready with %v, %v; want what it was configured with", ready, err)
	}
	for want := 1; want <= 2; want++ {
		var got int
		if err := p.Ask(ctx, "count", &got); err != nil || got != want {
			t.Fatalf("answer %d, %v; want %d", got, err, want)
		}
		for _, want := range []string{`"one"`, `"two"`} {
			if got := <-heard; got != want { // told before the answer, so it is there
				t.Errorf("progress %s, want %s", got, want)
			}
		}
	}
	if err := p.Ask(ctx, "fail", nil); err == nil || err.Error() != "echo: fail: no such luck" {
		t.Errorf("a handler's error came as %v", err)
	}
	if err := p.Ask(ctx, "count", nil); err != nil {
		t.Errorf("after a handler's error: %v", err)
	}
	if err := p.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := p.Ask(ctx, "count", nil); err == nil {
		t.Error("a process that has ended answered")
	}
	if err := p.Stop(ctx); err != nil {
		t.Errorf("stopping again: %v", err)
	}
}

func TestAChildsFailureIsTold(t *testing.T) {
	ctx := soon(t)
	t.Run("its configuration", func(t *testing.T) {
		p := start(t, "refuse", "no number", nil)
		err := p.Ready(ctx, nil)
		if err == nil || !strings.Contains(err.Error(), "refuse: configuration: json") {
			t.Errorf("got %v", err)
		}
		if err := p.Stop(ctx); err != nil {
			t.Errorf("told again: %v", err)
		}
	})
	t.Run("told at the end where nobody asked", func(t *testing.T) {
		p := start(t, "refuse", "no number", nil)
		if err := p.Stop(ctx); err == nil || !strings.Contains(err.Error(), "refuse: configuration: json") {
			t.Errorf("stopped with %v", err)
		}
	})
	t.Run("an unknown question", func(t *testing.T) {
		p := start(t, "echo", map[string]string{}, nil)
		err := p.Ask(ctx, "sing", nil)
		if err == nil || !strings.Contains(err.Error(), `asked "sing"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a panic", func(t *testing.T) {
		p := start(t, "echo", map[string]string{}, nil)
		err := p.Ask(ctx, "panic", nil)
		if err == nil || !strings.Contains(err.Error(), "echo ended: exit status 2") || !strings.Contains(err.Error(), "a slip of the pen") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no such program", func(t *testing.T) {
		if _, err := Start(Spec{Name: "nobody", Path: t.TempDir() + "/nobody"}); err == nil || !strings.HasPrefix(err.Error(), "nobody: ") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAKilledChildIsGone(t *testing.T) {
	ctx := soon(t)
	p := start(t, "echo", map[string]string{}, nil)
	if err := p.Ready(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("Kill returned before the process had ended")
	}
	if err := p.Ask(ctx, "count", nil); err == nil || !strings.Contains(err.Error(), "echo ended: signal: killed") {
		t.Errorf("asked after it was killed: %v", err)
	}
	if err := p.Kill(); err != nil {
		t.Errorf("killing it again: %v", err)
	}
}

// TestAChildDiesWithItsParent kills a parent so that it can do nothing more, and waits for the
// end of its child, whose connection to the test says when.
func TestAChildDiesWithItsParent(t *testing.T) {
	ctx := soon(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := start(t, "parent", listener.Addr().String(), nil)
	if err := p.Ready(ctx, nil); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the child of a dead parent lives: %v", err)
	}
}

func TestUsageIsWhatTheChildUsed(t *testing.T) {
	ctx := soon(t)
	p := start(t, "work", nil, nil)
	if err := p.Ready(ctx, nil); err != nil {
		t.Fatal(err)
	}
	before, err := p.Usage()
	if err != nil {
		t.Fatal(err)
	}
	watch := NewWatch(time.Millisecond, p)
	if err := p.Ask(ctx, "work", nil); err != nil {
		t.Fatal(err)
	}
	after, err := p.Usage()
	if err != nil {
		t.Fatal(err)
	}
	seen := watch.Stop()
	if err := p.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	final, err := p.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if !final.Known || final.RSS != 0 {
		t.Errorf("in the end %+v", final)
	}
	if !before.Known {
		return // the system has no /proc: what is known is known at the end
	}
	if before.CPU > after.CPU || after.CPU < workCPU || final.CPU < workCPU {
		t.Errorf("CPU %v, then %v, in the end %v; the work took %v", before.CPU, after.CPU, final.CPU, workCPU)
	}
	if before.RSSMax >= workBytes || after.RSSMax < workBytes || after.RSS < workBytes || final.RSSMax < workBytes {
		t.Errorf("memory %d, then %d (at most %d), in the end at most %d; the work took %d", before.RSSMax, after.RSS, after.RSSMax, final.RSSMax, workBytes)
	}
	if len(seen) != 1 || seen[0].Name != "work" || len(seen[0].At) == 0 || len(seen[0].At) != len(seen[0].RSS) {
		t.Errorf("the watch saw %+v", seen)
	}
}

func TestParseStat(t *testing.T) {
	const tail = " S 1 2 3 4 5 6 7 8 9 10 250 17 0 0 20 0 9 0 12345"
	for _, command := range []string{"(holdfast)", "(a b)", "() S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 ()", "()"} {
		if got, err := parseStat([]byte("77 " + command + tail)); err != nil || got != 2670*time.Millisecond {
			t.Errorf("%s: %v, %v", command, got, err)
		}
	}
	for _, bad := range []string{"", "77 (x)", "77 (x) S 1 2 3 4 5 6 7 8 9 10 250", "77 (x) S 1 2 3 4 5 6 7 8 9 10 250 -1", "77 (x) S 1 2 3 4 5 6 7 8 9 10 99999999999999 1"} {
		if got, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q gave %v", bad, got)
		}
	}
}

func TestParseStatus(t *testing.T) {
	rss, peak, err := parseStatus([]byte("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t1\n"))
	if err != nil || rss != 1<<20 || peak != 2<<20 {
		t.Errorf("%d, %d, %v", rss, peak, err)
	}
	if rss, peak, err := parseStatus([]byte("Name:\tx\nState:\tZ (zombie)\n")); err != nil || rss != 0 || peak != 0 {
		t.Errorf("of a process that has ended: %d, %d, %v", rss, peak, err)
	}
	if _, _, err := parseStatus([]byte("VmRSS:\tmuch\n")); err == nil {
		t.Error("took much for a number")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("77 (x) S 1 2 3 4 5 6 7 8 9 10 250 17 0"), []byte("VmRSS: 1 kB\nVmHWM: 2 kB\n"))
	f.Fuzz(func(t *testing.T, stat, status []byte) {
		if cpu, err := parseStat(stat); err == nil && cpu < 0 {
			t.Errorf("%v of CPU from %q", cpu, stat)
		}
		if rss, peak, err := parseStatus(status); err == nil && (rss < 0 || peak < 0) {
			t.Errorf("%d and %d bytes from %q", rss, peak, status)
		}
	})
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept tail
	if kept.String() != "" {
		t.Errorf("nothing reads %q", kept.String())
	}
	for i := range 1000 {
		fmt.Fprintf(&kept, "line %d\n", i)
	}
	if len(kept.text) > tailBytesMax || !strings.HasSuffix(kept.String(), "line 998\nline 999\n") {
		t.Errorf("kept %d bytes: …%q", len(kept.text), kept.text[max(0, len(kept.text)-40):])
	}
}
