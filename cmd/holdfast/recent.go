package main

import (
	"hash/maphash"
	"sync"

	"github.com/holdfast-atp/holdfast/inventory"
)

// recentIDsMax bounds how many ids are remembered: 8 bytes each, twice.
const recentIDsMax = 1 << 18

// recentIDs remembers the ids that came last by HTTP, so that an answer can say which were
// known. It forgets the older half when it is full, and all when the process ends.
type recentIDs struct {
	seed maphash.Seed

	mu       sync.Mutex
	now, old map[uint64]struct{}
}

func newRecentIDs() *recentIDs {
	return &recentIDs{seed: maphash.MakeSeed(), now: map[uint64]struct{}{}}
}

// add remembers the deltas and returns how many of them were known.
func (r *recentIDs) add(deltas []inventory.Delta) (known int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range deltas {
		id := maphash.Comparable(r.seed, [2]string{deltas[i].Source, deltas[i].ID})
		_, isNow := r.now[id]
		_, wasOld := r.old[id]
		if isNow || wasOld {
			known++
		}
		r.now[id] = struct{}{}
		if len(r.now) >= recentIDsMax/2 {
			r.now, r.old = map[uint64]struct{}{}, r.now
		}
	}
	return known
}
