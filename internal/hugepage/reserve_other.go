//go:build !linux

package hugepage

// Reserve does nothing: other kernels choose the size of pages themselves.
func Reserve(int64) error { return nil }
