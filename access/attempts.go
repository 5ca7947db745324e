package access

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of failed attempts.
const (
	attemptsBurst = 10               // that an address has at once
	attemptsEvery = 10 * time.Second // after which it has one more
	addressesMax  = 4096             // that are remembered
	prefixBitsV6  = 64               // of an address that count: the rest is its owner's to choose
)

// Attempts counts failed attempts by address, in bounded memory. The zero value is ready, and
// safe for concurrent use.
type Attempts struct {
	mu   sync.Mutex
	full map[netip.Prefix]time.Time // when the address has all of its burst again
}

// SiteOf returns what counts of an address: all of it, or of IPv6 the network whose addresses
// its owner can choose from. An address that is none is one site like any other.
func SiteOf(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	site, _ := address.Prefix(min(address.BitLen(), prefixBitsV6))
	return site
}

// Fail counts a failed attempt from an address at a time. It returns 0 where the address may be
// told, else how long it is to wait.
func (a *Attempts) Fail(from netip.Addr, now time.Time) (wait time.Duration) {
	key := SiteOf(from)
	a.mu.Lock()
	defer a.mu.Unlock()
	full, known := a.full[key]
	if !known || full.Before(now) {
		full = now
	}
	full = full.Add(attemptsEvery)
	if wait = full.Sub(now) - attemptsBurst*attemptsEvery; wait > 0 {
		return wait // which costs nothing more, so that waiting always helps
	}
	if a.full == nil {
		a.full = map[netip.Prefix]time.Time{}
	}
	if !known && len(a.full) >= addressesMax {
		a.forget(now)
	}
	a.full[key] = full
	return 0
}

// forget makes room: those who have all of their burst again, and where that is none, some other.
func (a *Attempts) forget(now time.Time) {
	for key, full := range a.full {
		if full.Before(now) {
			delete(a.full, key)
		}
	}
	for key := range a.full {
		if len(a.full) < addressesMax {
			return
		}
		delete(a.full, key)
	}
}
