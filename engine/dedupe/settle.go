package dedupe

import (
	"fmt"
	"slices"
)

// A table that is full becomes a run, and runs of one level become one of the next: a part of it with each
// flush, so that none takes long, in proportion to what was added, so that it is done before the next table is full.
const (
	runsALevel = 4 // before they are merged: each costs a delta a look at its filter

	slotsAnID  = 4    // of a table that are settled or cleared, for each id that was added
	mergedAnID = 8    // ids that are merged, for each that was added: as many levels keep pace
	workLeast  = 1024 // of either with each flush
)

// freezing is a table on its way into a run. No id is added to it any more.
type freezing struct {
	table
	next    int    // slot
	flush   uint64 // no id of it is in a block of a later flush
	out     writer
	cluster []slot // scratch
}

// step settles so many slots, and the rest of a cluster; it reports whether that was the last of them.
func (f *freezing) step(slots int, live int64, w Writer) (done bool, err error) {
	for ; f.next < len(f.slots); f.next++ {
		slots--
		if s := f.slots[f.next]; s.hi != 0 {
			f.cluster = append(f.cluster, s)
			continue
		}
		slices.SortFunc(f.cluster, compareSlots)
		for _, s := range f.cluster {
			if epoch := f.base + s.age(); epoch >= live {
				if err := f.out.add(s.id(), epoch, w); err != nil {
					return false, err
				}
			}
		}
		f.cluster = f.cluster[:0]
		if slots <= 0 {
			f.next++
			return false, nil
		}
	}
	return true, f.out.end(w)
}

// merging is a few runs on their way into one.
type merging struct {
	inputs []reader
	out    writer
}

// step merges so many ids; it reports whether those were the last of them.
func (m *merging) step(ids int, live int64, store Store, w Writer) (done bool, err error) {
	for ; ids > 0; ids-- {
		var least ID
		found := false
		for i := range m.inputs {
			if r := &m.inputs[i]; !r.done {
				if id := r.head.id(); !found || id.Hi < least.Hi || id.Hi == least.Hi && id.Lo < least.Lo {
					least, found = id, true
				}
			}
		}
		if !found {
			return true, m.out.end(w)
		}
		// One that was accepted anew after it was forgotten stands in more than one run.
		epoch := int64(-1)
		for i := range m.inputs {
			if r := &m.inputs[i]; !r.done && r.head.id() == least {
				epoch = max(epoch, r.base+r.head.age())
				if err := r.next(store); err != nil {
					return false, err
				}
			}
		}
		if epoch >= live {
			if err := m.out.add(least, epoch, w); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// settle does the share of the work that is due after so many ids were added. Runs are merged first: what is
// written now can be read after the batch is committed.
func (s *Set) settle(added int, w Writer) error {
	if err := s.mergeRuns(max(mergedAnID*added, s.workLeast), w); err != nil {
		return fmt.Errorf("merge dedupe runs: %w", err)
	}
	slots := max(slotsAnID*added, s.workLeast)
	if s.frozen == nil {
		s.clearSpare(slots)
		return nil
	}
	return s.freeze(slots, w)
}

// newWriter begins a run for so many ids at most.
func (s *Set) newWriter(level, ids int, w Writer) (writer, error) {
	o := writer{run: run{number: s.nextID, level: level, base: s.live - 1, bloom: newBloom(ids)}}
	s.nextID++
	return o, o.begin(w)
}

// retire begins to freeze the table, of which all ids are in blocks up to that flush, and opens a new one.
func (s *Set) retire(flush uint64, w Writer) error {
	const all = int(^uint(0) >> 1)
	if s.frozen != nil { // more was added at once than was thought of
		if err := s.freeze(all, w); err != nil {
			return err
		}
	}
	s.clearSpare(all)
	out, err := s.newWriter(0, s.recent.used, w)
	if err != nil {
		return err
	}
	s.frozen = &freezing{table: s.recent, flush: flush, out: out}
	s.recent = newTable(s.homesMost, s.spare)
	s.recent.base = s.live - 1
	s.spare, s.spareClear = nil, 0
	return nil
}

// freeze goes on with the table that is being frozen. When it is done the run takes the place of its blocks.
func (s *Set) freeze(slots int, w Writer) error {
	f := s.frozen
	done, err := f.step(slots, s.live, w)
	if err != nil {
		return fmt.Errorf("write dedupe run: %w", err)
	}
	if !done {
		return nil
	}
	for epoch := s.live; epoch <= f.newest; epoch++ {
		if err := w.DeleteRange(blockKey(nil, epoch, 0), blockKey(nil, epoch, f.flush+1)); err != nil {
			return err
		}
	}
	s.frozen, s.spare, s.spareClear = nil, f.slots, 0
	return s.install(&f.out, w)
}

// install takes a run that is written among the others, unless all of it is forgotten.
func (s *Set) install(o *writer, w Writer) error {
	if o.ids == 0 || o.newest < s.live {
		return o.remove(w)
	}
	s.runs = append(s.runs, o.run)
	slices.SortStableFunc(s.runs, compareLevels)
	return nil
}

func compareLevels(a, b run) int { return a.level - b.level }

// clearSpare goes on with emptying the slots of the table that was frozen last, for the next one.
func (s *Set) clearSpare(slots int) {
	left := s.spare[s.spareClear:]
	n := min(slots, len(left))
	clear(left[:n])
	s.spareClear += n
}

// mergeRuns goes on with the merge that is on, or begins one.
func (s *Set) mergeRuns(ids int, w Writer) error {
	if s.merge == nil {
		if err := s.beginMerge(w); err != nil || s.merge == nil {
			return err
		}
	}
	m := s.merge
	done, err := m.step(ids, s.live, s.store, w)
	if err != nil || !done {
		return err
	}
	s.merge = nil
	for i := range m.inputs {
		in := &m.inputs[i].run
		if err := in.remove(w); err != nil {
			return err
		}
		s.runs = slices.DeleteFunc(s.runs, func(r run) bool { return r.number == in.number })
	}
	return s.install(&m.out, w)
}

// beginMerge begins to merge the runs of the lowest level that has enough of them, if any has.
func (s *Set) beginMerge(w Writer) error {
	for first := 0; first+runsALevel <= len(s.runs); first++ {
		runs := s.runs[first : first+runsALevel]
		if runs[0].level != runs[runsALevel-1].level {
			continue
		}
		m, ids := &merging{}, 0
		for _, r := range runs {
			ids += r.ids
			m.inputs = append(m.inputs, reader{run: r})
		}
		for i := range m.inputs {
			if err := m.inputs[i].open(s.store); err != nil {
				return err
			}
		}
		var err error
		m.out, err = s.newWriter(runs[0].level+1, ids, w)
		s.merge = m
		return err
	}
	return nil
}
