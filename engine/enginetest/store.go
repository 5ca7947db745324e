package enginetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// Store is an engine.Store in memory. It is not safe for concurrent use.
type Store struct {
	entries  []entry // ascending by key
	got      []byte  // handed out by the latest Get
	scanning bool
}

type entry struct{ key, value []byte }

// NewStore returns an empty store.
func NewStore() *Store { return &Store{} }

// Get returns the value of key, good until the next call; nil where there is none.
func (s *Store) Get(key []byte) ([]byte, error) {
	if s.scanning {
		return nil, fmt.Errorf("get %q within a scan, which a store need not allow", key)
	}
	scribble(s.got)
	i, found := s.find(key)
	if !found {
		s.got = nil
		return nil, nil
	}
	// Never nil, not even for a value of no bytes.
	s.got = append(make([]byte, 0, len(s.entries[i].value)), s.entries[i].value...)
	return s.got, nil
}

// Scan calls yield for each key in [lower, upper), in order, until it returns false.
func (s *Store) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	if s.scanning {
		return fmt.Errorf("scan from %q within a scan, which a store need not allow", lower)
	}
	scribble(s.got)
	s.got = nil
	s.scanning = true
	defer func() { s.scanning = false }()
	i, _ := s.find(lower)
	for ; i < len(s.entries) && bytes.Compare(s.entries[i].key, upper) < 0; i++ {
		key, value := bytes.Clone(s.entries[i].key), bytes.Clone(s.entries[i].value)
		more := yield(key, value)
		scribble(key)
		scribble(value)
		if !more {
			break
		}
	}
	return nil
}

// Batch returns a new batch of changes.
func (s *Store) Batch() *Batch { return &Batch{store: s} }

// Clone returns a store with the same content and a life of its own: the disk as a crash leaves it.
func (s *Store) Clone() *Store {
	return &Store{entries: slices.Clone(s.entries)} // keys and values are never changed in place
}

// Dump returns the content as text, a key a line, leaving out the keys that begin with
// one of the prefixes: what two stores that ought to be equal are compared by.
func (s *Store) Dump(without ...byte) string {
	var text strings.Builder
	for _, e := range s.entries {
		if len(e.key) == 0 || bytes.IndexByte(without, e.key[0]) < 0 {
			fmt.Fprintf(&text, "%q = %x\n", e.key, e.value)
		}
	}
	return text.String()
}

func (s *Store) find(key []byte) (int, bool) {
	return sort.Find(len(s.entries), func(i int) int { return bytes.Compare(key, s.entries[i].key) })
}

// Batch collects changes; an engine.Writer. Until Commit the store shows none of them.
type Batch struct {
	store   *Store
	changes []change
}

type change struct {
	key   []byte
	value []byte
	verb  verb
}

type verb uint8

const (
	set verb = iota
	remove
	removeRange // from key up to value
)

// Set sets key to value.
func (b *Batch) Set(key, value []byte) error { return b.add(set, key, value) }

// Delete takes key away, if it is there.
func (b *Batch) Delete(key []byte) error { return b.add(remove, key, nil) }

// DeleteRange takes every key in [lower, upper) away.
func (b *Batch) DeleteRange(lower, upper []byte) error {
	if bytes.Compare(lower, upper) > 0 {
		return fmt.Errorf("delete from %q up to %q, which is before it", lower, upper)
	}
	return b.add(removeRange, lower, upper)
}

func (b *Batch) add(v verb, key, value []byte) error {
	if len(key) == 0 {
		return fmt.Errorf("change of an empty key")
	}
	b.changes = append(b.changes, change{bytes.Clone(key), bytes.Clone(value), v})
	return nil
}

// Commit puts the changes into the store, as if in the order in which they were made. It goes
// through the store once, however many they are.
func (b *Batch) Commit() {
	s := b.store
	scribble(s.got)
	s.got = nil
	latest, ranges := b.lastWords()
	keys := slices.Sorted(maps.Keys(latest))
	merged := make([]entry, 0, len(s.entries)+len(keys))
	put := func() {
		if c := latest[keys[0]]; c.verb == set {
			merged = append(merged, entry{c.key, c.value})
		}
		keys = keys[1:]
	}
	for _, e := range s.entries {
		for len(keys) > 0 && keys[0] < string(e.key) {
			put()
		}
		if len(keys) > 0 && keys[0] == string(e.key) {
			put()
		} else if !slices.ContainsFunc(ranges, func(c change) bool { return c.covers(e.key) }) {
			merged = append(merged, e)
		}
	}
	for len(keys) > 0 {
		put()
	}
	s.entries = merged
	b.changes = nil
}

// lastWords returns what each changed key comes to, and the ranges, which bear on the
// other keys alone.
func (b *Batch) lastWords() (latest map[string]change, ranges []change) {
	latest = map[string]change{}
	for _, c := range b.changes {
		if c.verb != removeRange {
			latest[string(c.key)] = c
			continue
		}
		ranges = append(ranges, c)
		for key := range latest {
			if c.covers([]byte(key)) {
				delete(latest, key)
			}
		}
	}
	return latest, ranges
}

// covers reports whether key is in the range that c removes.
func (c *change) covers(key []byte) bool {
	return bytes.Compare(c.key, key) <= 0 && bytes.Compare(key, c.value) < 0
}

// scribble spoils a slice that is no longer its reader's.
func scribble(b []byte) {
	for i := range b {
		b[i] = 0xa5
	}
}
