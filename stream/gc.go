package stream

import (
	"math"
	"os"
	"runtime/debug"
)

// The collector's room. Most of what a Processor holds lives long, so that a collection finds little and costs
// much: with Go's default of a collection for each doubling it was a tenth of all CPU.
const (
	gcPercent         = 400
	memoryLimitBeside = 512 << 20 // what is not in caches
)

// GiveCollectorRoom lets this process's garbage gather up to four times what is live, and makes Go collect as often as
// it takes once the whole nears twice the caches and half a GiB. Who set GOGC or GOMEMLIMIT has decided, and
// nothing is changed. It is for programs that are nothing but a Processor.
func GiveCollectorRoom(cacheBytes int64) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if cacheBytes == 0 {
		cacheBytes = CacheBytesDefault
	}
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(min(cacheBytes, math.MaxInt64/2-memoryLimitBeside)*2 + memoryLimitBeside)
}
