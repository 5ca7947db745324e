//go:build !race

package hugepage

import (
	"runtime"
	"syscall"
	"unsafe"
)

const size = 2 << 20 // of a huge page on amd64, and on arm64 with pages of 4 KiB

// Reserve makes the next bytes by which the heap grows come in huge pages. It takes addresses, no memory:
// what is not used is not there. It is for the start of a program, as it collects garbage.
//
// The runtime gives the heap's addresses to no one else and never takes them back from it, so what is said
// about them while they are allocated holds once they are free.
func Reserve(bytes int64) error {
	if bytes < 2*size {
		return nil
	}
	reserved := make([]byte, bytes)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(reserved))) & (size - 1)
	whole := (uintptr(bytes) - skip) &^ (size - 1)
	err := syscall.Madvise(reserved[skip:skip+whole], syscall.MADV_HUGEPAGE)
	runtime.KeepAlive(reserved)
	runtime.GC() // frees it,
	runtime.GC() // and forgets how large the heap was
	return err
}
