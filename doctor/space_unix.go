//go:build linux || darwin

package doctor

import (
	"path/filepath"
	"syscall"
)

// freeBytes returns what is free where dir is, or is going to be.
func freeBytes(dir string) (free uint64, known bool) {
	for {
		var s syscall.Statfs_t
		if syscall.Statfs(dir, &s) == nil {
			return s.Bavail * uint64(s.Bsize), true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return 0, false
		}
		dir = up
	}
}
