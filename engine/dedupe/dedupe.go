package dedupe

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Store is what the set reads from; engine.Store satisfies it.
type Store interface {
	Scan(lower, upper []byte, yield func(key, value []byte) bool) error
}

// Writer is what the set writes to; engine.Writer satisfies it.
type Writer interface {
	Set(key, value []byte) error
	DeleteRange(lower, upper []byte) error
}

// Prefixes are the first bytes of the keys that the set writes. What stands there depends on
// batches and memory, unlike everything else that a partition keeps.
func Prefixes() []byte { return []byte{aboutPrefix, pagePrefix, blockPrefix} }

// Set is the accepted ids of one partition. It is not safe for concurrent use.
//
// Invariant: an id that is not forgotten is in recent, in frozen or in a run; and, as of the last flush, in a block
// or a run in the store.
type Set struct {
	store     Store
	epochSpan inventory.Millis // a quarter of the lateness
	lateness  inventory.Millis
	homesMost int // of a table

	recent table
	fresh  []entry // since the last flush
	runs   []run   // by level
	nextID uint64

	frozen     *freezing // nil: no table is on its way into a run
	merge      *merging  // nil: no runs are being merged
	spare      []slot    // of the table that was frozen last; empty up to spareClear
	spareClear int
	broken     []run // were not finished before the set was opened
	workLeast  int

	watermark inventory.Millis
	epoch     int64 // of the watermark
	live      int64 // the oldest epoch that is remembered
	swept     int64 // blocks of epochs before it are gone from the store

	input, key, block []byte // scratch
}

// entry is an id that was accepted.
type entry struct {
	id    ID
	epoch int64
}

// Open returns the set that store holds, for a lateness and a bound on the memory of
// tables in bytes. The watermark is the partition's as of the store.
func Open(store Store, lateness, watermark inventory.Millis, bytesMax int64) (*Set, error) {
	s := &Set{store: store, lateness: lateness, epochSpan: max(1, lateness/4), homesMost: homesLeast, workLeast: workLeast}
	for slotBytes*tables*2*int64(s.homesMost) <= bytesMax {
		s.homesMost *= 2
	}
	s.advance(watermark)
	if err := s.loadRuns(); err != nil {
		return nil, err
	}
	return s, s.loadBlocks()
}

// Hash returns the ID of a delta.
func (s *Set) Hash(d *inventory.Delta) ID {
	s.input = append(append(append(s.input[:0], d.Source...), 0), d.ID...)
	h := xxh3.Hash128(s.input)
	return ID{max(h.Hi, 1), h.Lo &^ ageMax}
}

// Known reports whether id was accepted and is not forgotten by the watermark.
func (s *Set) Known(id ID, watermark inventory.Millis) (bool, error) {
	s.advance(watermark)
	if epoch, found := s.recent.find(id); found && epoch >= s.live {
		return true, nil
	}
	if s.frozen != nil {
		if epoch, found := s.frozen.find(id); found && epoch >= s.live {
			return true, nil
		}
	}
	for i := range s.runs {
		if !s.runs[i].bloom.may(id) {
			continue
		}
		epoch, found, err := s.runs[i].find(s.store, id)
		if err != nil {
			return false, err
		}
		if found && epoch >= s.live {
			return true, nil
		}
	}
	return false, nil
}

// Add accepts id, which is not known, at the watermark that its delta left behind.
func (s *Set) Add(id ID, watermark inventory.Millis) {
	s.advance(watermark)
	s.recent.put(id, s.epoch, s.live)
	s.fresh = append(s.fresh, entry{id, s.epoch})
}

// advance forgets the epochs whose end is behind the watermark by more than the lateness.
func (s *Set) advance(watermark inventory.Millis) {
	if watermark == s.watermark {
		return
	}
	s.watermark = watermark
	s.epoch = int64(watermark / s.epochSpan)
	if horizon := watermark - s.lateness; horizon > 0 {
		// The first epoch e with (e+1)·span > horizon.
		s.live = max(s.live, int64(horizon/s.epochSpan))
	}
}

// Flush writes what was added since the last flush, under a number above that of any
// other flush, and clears away what is forgotten.
func (s *Set) Flush(number uint64, w Writer) error {
	if s.live > s.swept {
		if err := w.DeleteRange(blockKey(nil, 0, 0), blockKey(nil, s.live, 0)); err != nil {
			return err
		}
		s.swept = s.live
	}
	if err := s.dropRuns(w); err != nil {
		return fmt.Errorf("drop dedupe runs: %w", err)
	}
	added := len(s.fresh)
	if err := s.writeBlocks(number, w); err != nil {
		return err
	}
	if err := s.settle(added, w); err != nil {
		return err
	}
	if s.recent.used*8 > s.homesMost*5 {
		return s.retire(number, w)
	}
	return nil
}

// writeBlocks writes the fresh ids, a block an epoch; epochs rise.
func (s *Set) writeBlocks(number uint64, w Writer) error {
	key, block := s.key, s.block
	for rest := s.fresh; len(rest) > 0; {
		epoch := rest[0].epoch
		block = block[:0]
		for len(rest) > 0 && rest[0].epoch == epoch {
			block = appendID(block, rest[0].id)
			rest = rest[1:]
		}
		key = blockKey(key[:0], epoch, number)
		if err := w.Set(key, block); err != nil {
			return err
		}
	}
	s.key, s.block, s.fresh = key, block, s.fresh[:0]
	return nil
}

// dropRuns takes away the runs of which all is forgotten, and those that were never finished.
func (s *Set) dropRuns(w Writer) error {
	for i := range s.broken {
		if err := s.broken[i].remove(w); err != nil {
			return err
		}
	}
	s.broken = nil
	kept := s.runs[:0]
	for _, r := range s.runs {
		if r.newest >= s.live {
			kept = append(kept, r)
		} else if err := r.remove(w); err != nil {
			return err
		}
	}
	clear(s.runs[len(kept):])
	s.runs = kept
	return nil
}

// loadRuns finds the runs in the store and their filters.
func (s *Set) loadRuns() error {
	var bad error
	var r *run    // the one of which the keys come; nil: it was never finished
	var lines int // of its filter
	whole := func() error {
		if r != nil && len(r.bloom.lines) != lines {
			return fmt.Errorf("the filter of run %d has %d lines, not %d", r.number, len(r.bloom.lines), lines)
		}
		return nil
	}
	err := s.store.Scan([]byte{aboutPrefix}, []byte{aboutPrefix + 1}, func(key, value []byte) bool {
		if len(key) != 1+8+4 {
			bad = fmt.Errorf("key of %d bytes", len(key))
			return false
		}
		number, chunk := readAboutKey(key)
		switch {
		case chunk == 0:
			if bad = whole(); bad != nil {
				return false
			}
			s.nextID = number + 1
			if r = nil; len(value) == 0 {
				s.broken = append(s.broken, run{number: number})
				break
			}
			var found run
			found, lines, bad = readAbout(number, value)
			s.runs = append(s.runs, found)
			r = &s.runs[len(s.runs)-1]
		case r != nil && (r.number != number || !r.bloom.readChunk(value, int(chunk)-1, lines)):
			bad = fmt.Errorf("chunk %d of the filter of run %d has %d bytes", chunk, number, len(value))
		}
		return bad == nil
	})
	if err == nil {
		if err = bad; err == nil {
			err = whole()
		}
	}
	if err != nil {
		return fmt.Errorf("load dedupe runs: %w", err)
	}
	slices.SortStableFunc(s.runs, compareLevels)
	return nil
}

// loadBlocks fills the table with the ids that are in no run.
func (s *Set) loadBlocks() error {
	var bad error
	err := s.store.Scan(blockKey(nil, s.live, 0), []byte{blockPrefix + 1}, func(key, block []byte) bool {
		if bad = checkIDs(key, block); bad != nil {
			return false
		}
		if len(key) != 1+8+8 {
			bad = fmt.Errorf("key of %d bytes", len(key))
			return false
		}
		epoch := int64(binary.BigEndian.Uint64(key[1:]))
		for ; len(block) > 0; block = block[idBytes:] {
			s.recent.put(readSlot(block).id(), epoch, s.live)
		}
		return true
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return fmt.Errorf("load dedupe blocks: %w", err)
	}
	return nil
}
