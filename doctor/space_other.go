//go:build !linux && !darwin

package doctor

// freeBytes does not know what is free where dir is.
func freeBytes(dir string) (free uint64, known bool) { return 0, false }
