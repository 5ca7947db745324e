//go:build !linux

package drive

import "time"

// pause sleeps for d, at least.
func pause(d time.Duration) { time.Sleep(d) }
