package dedupe

import "math/bits"

// ID is the hash of a source and an id. The zero ID stands for an empty slot; see [Hash].
type ID struct{ Hi, Lo uint64 }

// entry is a slot of a table: 24 bytes, no pointer.
type entry struct {
	id    ID
	epoch int64
}

// table is an open-addressed map from ID to epoch with linear probing. Its length
// is a power of two. Slots of forgotten epochs are taken over by new ids, and swept when it grows.
type table struct {
	slots []entry
	used  int // slots that are not empty, forgotten ones included
}

const tableSlotsMin = 1 << 10

// find returns the epoch of id, and false where it is not in the table.
func (t *table) find(id ID) (int64, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(t.slots) - 1)
	for i := id.Lo & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.id == id {
			return s.epoch, true
		}
		if s.id == (ID{}) {
			return 0, false
		}
	}
}

// put adds id, or moves it to epoch where it stands already. Epochs before live are forgotten.
func (t *table) put(id ID, epoch, live int64) {
	if (t.used+1)*4 > len(t.slots)*3 {
		t.grow(live)
	}
	mask := uint64(len(t.slots) - 1)
	reuse := -1
	for i := id.Lo & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		switch {
		case s.id == id:
			s.epoch = epoch
			return
		case s.id == (ID{}):
			if reuse < 0 {
				t.used++
				reuse = int(i)
			}
			t.slots[reuse] = entry{id, epoch}
			return
		case s.epoch < live && reuse < 0:
			reuse = int(i)
		}
	}
}

// grow sweeps what is forgotten and makes room for as many again as there are.
func (t *table) grow(live int64) {
	n := 0
	for i := range t.slots {
		if s := &t.slots[i]; s.id != (ID{}) && s.epoch >= live {
			n++
		}
	}
	size := max(tableSlotsMin, 1<<bits.Len(uint(n*2)))
	old := t.slots
	*t = table{slots: make([]entry, size)}
	for i := range old {
		if s := &old[i]; s.id != (ID{}) && s.epoch >= live {
			t.put(s.id, s.epoch, live)
		}
	}
}
