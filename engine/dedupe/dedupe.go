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

// runsMax is how many runs stand side by side before they are merged: each
// costs a delta one probe of its bloom filter.
const runsMax = 4

// Prefixes are the first bytes of the keys that the set writes. What stands there depends on
// batches and memory, unlike everything else that a partition keeps.
func Prefixes() []byte { return []byte{runPrefix, blockPrefix} }

// Set is the accepted ids of one partition. It is not safe for concurrent use.
type Set struct {
	store     Store
	epochSpan inventory.Millis // a quarter of the lateness
	lateness  inventory.Millis
	idsMax    int // in the table

	recent table
	fresh  []entry // since the last flush
	runs   []run
	live   int64 // the oldest epoch that is remembered
	swept  int64 // blocks of epochs before it are gone from the store
	nextID uint64

	input, key, block []byte // scratch
}

// Open returns the set that store holds, for a lateness and a bound on the table's
// memory in bytes. The watermark is the partition's as of the store.
func Open(store Store, lateness, watermark inventory.Millis, bytesMax int64) (*Set, error) {
	s := &Set{
		store:     store,
		lateness:  lateness,
		epochSpan: max(1, lateness/4),
		// A table is between three eighths and three quarters full; 64 bytes an id is its worst.
		idsMax: int(max(bytesMax/64, 1)),
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
	if h.Hi == 0 && h.Lo == 0 {
		h.Lo = 1
	}
	return ID{h.Hi, h.Lo}
}

// Known reports whether id was accepted and is not forgotten by the watermark.
func (s *Set) Known(id ID, watermark inventory.Millis) (bool, error) {
	s.advance(watermark)
	if epoch, found := s.recent.find(id); found && epoch >= s.live {
		return true, nil
	}
	for i := range s.runs {
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

// Add accepts id at the watermark that its delta left behind.
func (s *Set) Add(id ID, watermark inventory.Millis) {
	s.advance(watermark)
	e := entry{id, int64(watermark / s.epochSpan)}
	s.recent.put(id, e.epoch, s.live)
	s.fresh = append(s.fresh, e)
}

// advance forgets the epochs whose end is behind the watermark by more than the lateness.
func (s *Set) advance(watermark inventory.Millis) {
	if horizon := watermark - s.lateness; horizon > 0 {
		// The first epoch e with (e+1)·span > horizon.
		s.live = max(s.live, int64(horizon/s.epochSpan))
	}
}

// Flush writes what was added since the last flush, under a sequence that no
// other flush has, and clears away what is forgotten.
func (s *Set) Flush(sequence uint64, w Writer) error {
	if s.live > s.swept {
		if err := w.DeleteRange(blockKey(nil, 0, 0), blockKey(nil, s.live, 0)); err != nil {
			return err
		}
		s.swept = s.live
	}
	if err := s.dropRuns(w); err != nil {
		return err
	}
	if s.recent.used > s.idsMax {
		return s.freeze(w)
	}
	return s.writeBlocks(sequence, w)
}

// writeBlocks writes the fresh ids, a block an epoch; epochs rise.
func (s *Set) writeBlocks(sequence uint64, w Writer) error {
	key, block := s.key, s.block
	for rest := s.fresh; len(rest) > 0; {
		epoch := rest[0].epoch
		block = block[:0]
		for len(rest) > 0 && rest[0].epoch == epoch {
			block = appendID(block, rest[0].id)
			rest = rest[1:]
		}
		key = blockKey(key[:0], epoch, sequence)
		if err := w.Set(key, block); err != nil {
			return err
		}
	}
	s.key, s.block, s.fresh = key, block, s.fresh[:0]
	return nil
}

// freeze moves the table into a run; where there are too many runs they become one.
func (s *Set) freeze(w Writer) error {
	entries := make([]entry, 0, s.recent.used)
	for _, e := range s.recent.slots {
		if e.id != (ID{}) && e.epoch >= s.live {
			entries = append(entries, e)
		}
	}
	if len(s.runs) >= runsMax {
		for i := range s.runs {
			r := &s.runs[i]
			err := r.scan(s.store, func(e entry) {
				if e.epoch >= s.live {
					entries = append(entries, e)
				}
			})
			if err == nil {
				err = w.DeleteRange(runBounds(r.number))
			}
			if err != nil {
				return fmt.Errorf("merge dedupe runs: %w", err)
			}
		}
		s.runs = s.runs[:0]
	}
	slices.SortFunc(entries, compareEntries)
	r := run{number: s.nextID}
	s.nextID++
	r.index(entries)
	if err := r.write(entries, w); err != nil {
		return fmt.Errorf("write dedupe run: %w", err)
	}
	if r.ids > 0 {
		s.runs = append(s.runs, r)
	}
	s.recent = table{}
	s.fresh = s.fresh[:0]
	return w.DeleteRange(blockKey(nil, 0, 0), []byte{blockPrefix + 1})
}

// index fills in what the run keeps in memory about its entries.
func (r *run) index(entries []entry) {
	r.ids = len(entries)
	r.bloom = newBloom(len(entries))
	for _, e := range entries {
		r.newest = max(r.newest, e.epoch)
		r.bloom.add(e.id)
	}
}

func (s *Set) dropRuns(w Writer) error {
	kept := s.runs[:0]
	for _, r := range s.runs {
		if r.newest >= s.live {
			kept = append(kept, r)
			continue
		}
		if err := w.DeleteRange(runBounds(r.number)); err != nil {
			return fmt.Errorf("drop dedupe run: %w", err)
		}
	}
	s.runs = kept
	return nil
}

// loadRuns finds the runs in the store and fills their filters again.
func (s *Set) loadRuns() error {
	number, entries := uint64(0), []entry(nil)
	end := func() {
		if len(entries) > 0 {
			r := run{number: number}
			r.index(entries)
			s.runs = append(s.runs, r)
			s.nextID = number + 1
			entries = entries[:0]
		}
	}
	var bad error
	err := s.store.Scan([]byte{runPrefix}, []byte{runPrefix + 1}, func(key, page []byte) bool {
		if bad = checkLength(key, page, pageEntry); bad != nil {
			return false
		}
		if n := binary.BigEndian.Uint64(key[1:]); n != number {
			end()
			number = n
		}
		for ; len(page) > 0; page = page[pageEntry:] {
			entries = append(entries, readEntry(page))
		}
		return true
	})
	end()
	if err == nil {
		err = bad
	}
	if err != nil {
		return fmt.Errorf("load dedupe runs: %w", err)
	}
	return nil
}

func (s *Set) loadBlocks() error {
	var bad error
	err := s.store.Scan(blockKey(nil, s.live, 0), []byte{blockPrefix + 1}, func(key, block []byte) bool {
		if bad = checkLength(key, block, blockEntry); bad != nil {
			return false
		}
		epoch := int64(binary.BigEndian.Uint64(key[1:]))
		for ; len(block) > 0; block = block[blockEntry:] {
			s.recent.put(readID(block), epoch, s.live)
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
