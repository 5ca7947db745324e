package dedupe

import "math/bits"

// ID is 120 bits of the hash of a source and an id, in Hi and the upper 56 bits of Lo; the other 8 are
// zero, and Hi is not.
type ID struct{ Hi, Lo uint64 }

const (
	ageBits = 8
	ageMax  = 1<<ageBits - 1
)

// slot is an id and, where its last 8 bits would be, its age: how many epochs it is younger than the table's base; 0: forgotten.
// Four make a cache line. The zero slot is empty.
type slot struct{ hi, lo uint64 }

func (s slot) id() ID     { return ID{s.hi, s.lo &^ ageMax} }
func (s slot) age() int64 { return int64(s.lo & ageMax) }

// table is an open-addressed map from ID to epoch with linear probing. An id's home is what the
// first bits of Hi say, and it stands there or behind: so the ids of a cluster, which is what stands between two empty slots, come before
// those of all later clusters, and the table is read in order by sorting each cluster. Slots of forgotten
// epochs are taken over by new ids, and swept when it grows. The zero table is empty.
//
// Invariant: the last slot is empty; each epoch that is not forgotten is above base by ageMax at most.
type table struct {
	slots  []slot
	homes  int // a power of two
	shift  uint
	used   int // slots that are not empty, forgotten ones included
	base   int64
	newest int64 // epoch
}

const (
	slotBytes  = 16
	tables     = 2 // one that takes ids, and one that is frozen or emptied
	homesLeast = 16
	behindMost = 1024 // slots behind the last home, for what is pushed there
)

func newTable(homes int, slots []slot) table {
	n := homes + min(homes, behindMost) + 1
	if len(slots) != n {
		slots = make([]slot, n)
	}
	return table{slots: slots, homes: homes, shift: uint(64 - bits.TrailingZeros(uint(homes)))}
}

// find returns the epoch of id, and false where it is not in the table, or forgotten long ago.
func (t *table) find(id ID) (epoch int64, found bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	for i := id.Hi >> (t.shift & 63); ; i++ {
		s := t.slots[i]
		switch {
		case s.hi == id.Hi && s.lo^id.Lo <= ageMax:
			return t.base + s.age(), s.age() != 0
		case s.hi == 0:
			return 0, false
		}
	}
}

// put adds id, or moves it to epoch where it stands already. Epochs before live are forgotten.
func (t *table) put(id ID, epoch, live int64) {
	if age := epoch - t.base; age < 1 || age > ageMax {
		t.rebase(live)
	}
	if t.used*8 >= t.homes*7 {
		t.grow(t.homes, live)
	}
	for !t.place(id, epoch, live) {
		t.grow(2*t.homes, live) // a cluster reaches the end
	}
}

// place is put in a table that need not grow; false where it has to.
func (t *table) place(id ID, epoch, live int64) bool {
	reuse := -1
	i := int(id.Hi >> (t.shift & 63))
	for ; ; i++ {
		s := &t.slots[i]
		if s.hi == id.Hi && s.lo^id.Lo <= ageMax {
			reuse = i
			break
		}
		if s.hi == 0 {
			break
		}
		if reuse < 0 && t.base+s.age() < live {
			reuse = i
		}
	}
	if reuse < 0 {
		if i == len(t.slots)-1 {
			return false
		}
		reuse = i
		t.used++
	}
	t.slots[reuse] = slot{id.Hi, id.Lo | uint64(epoch-t.base)}
	t.newest = max(t.newest, epoch)
	return true
}

// grow sweeps what is forgotten and makes room for as many again as there are, with so many homes at least.
func (t *table) grow(homes int, live int64) {
	n := 0
	for _, s := range t.slots {
		if t.base+s.age() >= live {
			n++
		}
	}
	old := *t
	*t = newTable(max(homesLeast, homes, 1<<bits.Len(uint(n*2))), nil)
	t.base = live - 1
	for _, s := range old.slots {
		if epoch := old.base + s.age(); s.hi != 0 && epoch >= live {
			t.put(s.id(), epoch, live)
		}
	}
}

// rebase makes live the first epoch above the base.
func (t *table) rebase(live int64) {
	for i := range t.slots {
		s := &t.slots[i]
		age := max(t.base+s.age()-(live-1), 0)
		s.lo = s.lo&^ageMax | uint64(age)
	}
	t.base = live - 1
}
