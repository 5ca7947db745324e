package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// benchCommand returns a holdfast bench with a folder of its own for what it leaves behind, which is
// nothing. The race detector is not to sleep for a second at the end of each of its processes.
func benchCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	return program(t, append([]string{"bench"}, args...)...)
}

func benched(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	cmd := benchCommand(t, args...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run()
	nothingLeft(t)
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

func nothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBenchSmoke measures something little of each sort, with every process that belongs to it, and
// holds the report against itself.
func TestBenchSmoke(t *testing.T) {
	dir := t.TempDir()
	out, errors, exit := benched(t, "smoke-catch-up", "smoke-restart", "--runs", "1", "--out", dir, "--json")
	if exit != exitDone {
		t.Fatalf("exit %d\n%s", exit, errors)
	}
	r, err := report.Read(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"smoke-catch-up": {"throughput", "of raw read", "of raw decode", "of pebble alone", "of handwritten", "memory", "state"},
		"smoke-restart":  {"first command", "caught up", "p99", "p99.9", "reached", "commands"},
	}
	for _, s := range r.Scenarios {
		if len(s.Runs) == 0 {
			t.Errorf("%s has no runs", s.Name)
			continue
		}
		for _, name := range want[s.Name] {
			if !slices.ContainsFunc(s.Runs[0].Metrics, func(m report.Metric) bool { return m.Name == name && m.Value > 0 }) {
				t.Errorf("%s says nothing of %s: %v", s.Name, name, s.Runs[0].Metrics)
			}
		}
		delete(want, s.Name)
	}
	if len(want) > 0 {
		t.Errorf("not in the report: %v", want)
	}

	written := filepath.Join(dir, "report.json")
	for name, has := range map[string]string{"report.json": `"smoke-restart"`, "report.txt": "Benchmark", "report.html": "<svg"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Contains(text, []byte(has)) {
			t.Errorf("%s has no %s (%v)", name, has, err)
		}
	}
	out, errors, exit = benched(t, "compare", written, written)
	if exit != exitDone || !strings.Contains(out, "smoke-catch-up") {
		t.Errorf("compare: exit %d\n%s%s", exit, out, errors)
	}
}

// TestBenchLetsGo tells a bench to stop while it measures, and wants nothing to be left of it but what
// it says.
func TestBenchLetsGo(t *testing.T) {
	cmd := benchCommand(t, "smoke-live", "--scale", "100")
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "filled streams") {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait()
	if exit := cmd.ProcessState.ExitCode(); exit != exitFailed || said[len(said)-1] != "holdfast: interrupted" {
		t.Errorf("exit %d, said %q", exit, said)
	}
	if !strings.Contains(out.String(), "not measured: interrupted") {
		t.Errorf("said\n%s", out.String())
	}
	nothingLeft(t)
}

func TestBenchList(t *testing.T) {
	out, _, exit := benched(t, "list")
	for _, name := range []string{"catch-up-packed", "live-90", "restart-1gb", "soak"} {
		if !strings.Contains(out, "\n"+name+" ") && !strings.HasPrefix(out, name+" ") {
			t.Errorf("no %s in\n%s", name, out)
		}
	}
	if exit != exitDone {
		t.Errorf("exit %d", exit)
	}
}

func TestBenchUsage(t *testing.T) {
	noReport := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(noReport, []byte(`{"format": 99}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"nap"}, exitUsage, "there is no scenario nap"},
		{[]string{"mine.yaml"}, exitUsage, "no such file"},
		{[]string{"smoke", "--scale", "0"}, exitUsage, "a scale above 0"},
		{[]string{"storm", "--find-sustainable"}, exitUsage, "storm is a storm scenario"},
		{[]string{"compare", noReport, noReport}, exitFailed, "format 99"},
		{[]string{"compare", noReport}, exitUsage, "expected"},
	} {
		if _, errors, exit := benched(t, test.args...); exit != test.exit || !strings.Contains(errors, test.want) {
			t.Errorf("bench %q: exit %d, %s", test.args, exit, errors)
		}
	}
	cmd := program(t, "bench-process", "nobody")
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), `role "nobody": it is one of broker, driver`) {
		t.Errorf("bench-process nobody: %v, %s", err, text)
	}
}
