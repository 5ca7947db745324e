package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// value is something that the engine keeps under a key: its bytes begin with its format.
type value[T any] interface {
	*T
	append(dst []byte) []byte
	read(r *wire.Reader)
}

// item is a value in memory.
type item[T any] struct {
	value T
	key   string

	dirty   bool // differs from the store
	removed bool
	recent  bool // used since the last sweep
	bytes   int64
}

// table caches the values of one key space. Everything that changed stays in it until it is
// flushed; what is clean may leave when memory is short.
//
// Invariant: an item that is not in items is in the store as it was last flushed.
type table[T any, P value[T]] struct {
	prefix byte
	store  Store
	items  map[string]*item[T]
	dirty  []*item[T]
	absent map[string]struct{} // keys that were asked for and are not there, absentMax at most
	bytes  int64               // of the items, estimated
	key    []byte
	coded  []byte
}

// absentMax bounds the keys that are known not to be there: what is asked for again and again,
// such as a source that never vouches, must not go to the store each time.
const absentMax = 1024

// itemBytes is what an item costs beside its coded bytes, which memory multiplies about threefold.
const itemBytes = 256

func newTable[T any, P value[T]](prefix byte, store Store) table[T, P] {
	return table[T, P]{prefix: prefix, store: store, items: map[string]*item[T]{}, absent: map[string]struct{}{}}
}

// get returns the item of key, and nil where there is none.
func (t *table[T, P]) get(key []byte) (*item[T], error) {
	if _, ok := t.absent[string(key)]; ok {
		return nil, nil
	}
	it, err := t.find(key)
	if it == nil && err == nil {
		if len(t.absent) == absentMax {
			clear(t.absent)
		}
		t.absent[string(key)] = struct{}{}
	}
	return it, err
}

// find is get without a memory for what is absent.
func (t *table[T, P]) find(key []byte) (*item[T], error) {
	if it, ok := t.items[string(key)]; ok {
		it.recent = true
		if it.removed {
			return nil, nil
		}
		return it, nil
	}
	t.key = append(append(t.key[:0], t.prefix), key...)
	coded, err := t.store.Get(t.key)
	if err != nil || coded == nil {
		return nil, err
	}
	it := &item[T]{key: string(key), recent: true}
	r := wire.NewReader(coded)
	P(&it.value).read(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("read %c %q: %w", t.prefix, key, err)
	}
	it.bytes = itemBytes + 3*int64(len(coded))
	t.bytes += it.bytes
	t.items[it.key] = it
	return it, nil
}

// make returns the item of key, new where there is none; fresh tells that it is.
func (t *table[T, P]) make(key []byte) (it *item[T], fresh bool, err error) {
	if it, err = t.find(key); it != nil || err != nil {
		return it, false, err
	}
	delete(t.absent, string(key))
	it, ok := t.items[string(key)]
	if ok { // removed in this batch
		var zero T
		it.value, it.removed = zero, false
	} else {
		it = &item[T]{key: string(key), recent: true, bytes: itemBytes}
		t.bytes += it.bytes
		t.items[it.key] = it
	}
	t.touch(it)
	return it, true, nil
}

// touch marks it as changed.
func (t *table[T, P]) touch(it *item[T]) {
	if !it.dirty {
		it.dirty = true
		t.dirty = append(t.dirty, it)
	}
}

// remove takes it away at the next flush.
func (t *table[T, P]) remove(it *item[T]) {
	it.removed = true
	t.touch(it)
}

// flush writes what changed.
func (t *table[T, P]) flush(w Writer) error {
	for _, it := range t.dirty {
		it.dirty = false
		t.key = append(append(t.key[:0], t.prefix), it.key...)
		if it.removed {
			delete(t.items, it.key)
			t.bytes -= it.bytes
			if err := w.Delete(t.key); err != nil {
				return err
			}
			continue
		}
		t.coded = P(&it.value).append(t.coded[:0])
		bytes := itemBytes + 3*int64(len(t.coded))
		t.bytes += bytes - it.bytes
		it.bytes = bytes
		if err := w.Set(t.key, t.coded); err != nil {
			return err
		}
	}
	clear(t.dirty)
	t.dirty = t.dirty[:0]
	return nil
}

// shrink lets clean items go until the table is within bytesMax: first those that
// were not used since they were last passed over. Which ones go never shows in a result.
func (t *table[T, P]) shrink(bytesMax int64) {
	for pass := 0; pass < 2 && t.bytes > bytesMax; pass++ {
		for key, it := range t.items {
			if t.bytes <= bytesMax {
				return
			}
			if it.recent && pass == 0 {
				it.recent = false
				continue
			}
			if !it.dirty {
				delete(t.items, key)
				t.bytes -= it.bytes
			}
		}
	}
}
