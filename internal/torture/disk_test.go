package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// onSmallDisk runs a program with a small disk of its own over a folder, which begins with what is in the folder: $1 is
// the folder, $2 its size, and the rest the program.
const onSmallDisk = `set -e; cp -a "$1" "$1.seed"; mount -t tmpfs -o size="$2" none "$1"; cp -a "$1.seed/." "$1"; rm -r "$1.seed"; shift 2; exec "$@"`

// smallDisk wraps a command so that it has a small disk over a folder. Nobody has to be root for it.
func smallDisk(folder, size string, cmd *exec.Cmd) *exec.Cmd {
	return exec.Command("unshare", append([]string{"--user", "--map-root-user", "--mount", "sh", "-c", onSmallDisk, "sh", folder, size}, cmd.Args...)...)
}

// smallDisks reports whether there can be any here.
func smallDisks(t *testing.T) error {
	out, err := smallDisk(t.TempDir(), "64k", exec.Command("true")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("no small disk can be had without being root: %w: %s", err, out)
	}
	return nil
}

var noSpace = regexp.MustCompile(`(no space left on device)`)

// fullDisk gives holdfast a disk that is full while it is under a load, and then makes room: it goes on, and
// nothing is missing. After that it is started on its old folder, as from a backup.
func (w *world) fullDisk() {
	ends := w.stopHoldfast()
	w.serve(smallDisk(w.data, "16m", w.command("run", "--http", "127.0.0.1:0", "--cache", "8MiB")))
	ballast := filepath.Join("/proc", fmt.Sprint(w.holdfast.cmd.Process.Pid), "root", w.data, "ballast")
	w.fill(ballast)
	w.load(roundMessages, func() { w.moreAcked(1) })
	w.holdfast.await(noSpace)
	if err := os.Remove(ballast); err != nil {
		w.t.Fatal(err)
	}
	w.load(roundMessages/4, func() {})
	eventually(w.t, "all is applied and said", w.settled)
	w.stopHoldfast()
	w.startHoldfast()
	w.begun = ends
}

// fill writes a file until the disk is full.
func (w *world) fill(path string) {
	w.t.Helper()
	file, err := os.Create(path)
	if err != nil {
		w.t.Fatal(err)
	}
	for page := make([]byte, 4<<10); err == nil; {
		_, err = file.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		w.t.Fatalf("fill the disk: %v", err)
	}
	if err := file.Close(); err != nil {
		w.t.Fatal(err)
	}
}
