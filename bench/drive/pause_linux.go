package drive

import (
	"syscall"
	"time"
)

// pause sleeps for d, at least, and not much longer: the runtime's own timers wait in whole milliseconds
// where nothing else is to do. A signal ends it early, which does no harm.
func pause(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil)
}
