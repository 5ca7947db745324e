//go:build !race

package hugepage

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// TestTheHeapGrowsIntoWhatIsReserved asks the kernel what it was told about the memory of something that is
// allocated afterwards.
func TestTheHeapGrowsIntoWhatIsReserved(t *testing.T) {
	const reserved = 256 << 20
	if err := Reserve(reserved); errors.Is(err, syscall.EINVAL) {
		t.Log("this kernel has no transparent huge pages, and says so")
		return
	} else if err != nil {
		t.Fatal(err)
	}
	later := make([]byte, reserved/2)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(later))) + uintptr(len(later))/2
	flags := flagsOf(t, at)
	if !slices.Contains(flags, "hg") {
		t.Errorf("the kernel was not told to use huge pages at %#x: its flags are %v", at, flags)
	}
	later[0] = 1
}

// flagsOf returns the flags of the mapping that an address is in.
func flagsOf(t *testing.T, at uintptr) []string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var from, to uintptr
	inside := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			inside = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && inside {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("no mapping has %#x: %v", at, lines.Err())
	return nil
}

func TestLittleIsNotReserved(t *testing.T) {
	if err := Reserve(1); err != nil {
		t.Error(err)
	}
}
