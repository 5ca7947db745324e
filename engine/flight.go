package engine

import "bytes"

// flight is the store, while a batch of changes is on its way there: what the batch holds can't be read
// yet. Tables need not read it, for they keep what they gave until it has landed. Whoever else reads what may
// be in the batch makes it land first, which takes a while and is seldom wanted: the next timers are
// read in the far future of most batches, old ids and pages hardly ever.
type flight struct {
	store Store

	batch Writer       // that Freeze is filling; nil: it is not being filled
	land  func() error // nil: nothing is on its way
	keys  [256]span    // that the batch sets, by first byte; those of tables are not among them
}

// span is from the first to the last of some keys; nil: there are none.
type span struct{ first, last []byte }

// reset begins a batch that holds nothing yet.
func (f *flight) reset(batch Writer) {
	f.batch, f.land = batch, nil
	for i := range f.keys {
		f.keys[i] = span{f.keys[i].first[:0], f.keys[i].last[:0]}
	}
}

// depart ends the filling. land gets the batch to the store, with all that it still lacks.
func (f *flight) depart(land func() error) { f.batch, f.land = nil, land }

// arrived tells that the store has the batch.
func (f *flight) arrived() { f.land = nil }

// Set puts a key into the batch that no table looks after.
func (f *flight) Set(key, value []byte) error {
	s := &f.keys[key[0]]
	if len(s.first) == 0 || bytes.Compare(key, s.first) < 0 {
		s.first = append(s.first[:0], key...)
	}
	if bytes.Compare(key, s.last) > 0 {
		s.last = append(s.last[:0], key...)
	}
	return f.batch.Set(key, value)
}

// Delete and DeleteRange are the batch's: nobody reads again what he deleted.

func (f *flight) Delete(key []byte) error { return f.batch.Delete(key) }

func (f *flight) DeleteRange(lower, upper []byte) error { return f.batch.DeleteRange(lower, upper) }

// Get is the store's.
func (f *flight) Get(key []byte) ([]byte, error) {
	if f.land != nil && f.holds(key, key) {
		if err := f.touchDown(); err != nil {
			return nil, err
		}
	}
	return f.store.Get(key)
}

// Scan is the store's.
func (f *flight) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	if f.land != nil && f.holds(lower, upper) {
		if err := f.touchDown(); err != nil {
			return err
		}
	}
	return f.store.Scan(lower, upper, yield)
}

// holds reports whether the batch may set a key in [lower, upper], both of which begin with the same byte or the next.
func (f *flight) holds(lower, upper []byte) bool {
	s := &f.keys[lower[0]]
	return len(s.first) > 0 && bytes.Compare(lower, s.last) <= 0 && bytes.Compare(s.first, upper) <= 0
}

func (f *flight) touchDown() error {
	land := f.land
	f.land = nil // it reads nothing of its own batch
	return land()
}
