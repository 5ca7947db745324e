package engine

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// value is something that the engine keeps under a key: its bytes begin with its format.
type value[T any] interface {
	*T
	append(dst []byte) []byte
	read(r *wire.Reader)
}

// item is a value in memory, or the knowledge that there is none.
type item[T any] struct {
	value T
	key   string

	at      int    // in the table's ring
	bytes   int64  // what it costs
	changed uint32 // the table's generation when it was touched last; 0: never since it was read
	written bool   // into the batch of that generation
	gone    bool   // there is no value: asked for and not there, or removed
	recent  bool   // used since the last sweep
}

// table caches the values of one key space. Everything that changed stays in it until the store
// has it; what is clean may leave when memory is short.
//
// What changed is written in two steps, so that a partition need not stand still for it: freeze begins a new
// generation, and write writes what the one before it changed, a few items at a time. An item that is to change again before its turn
// is written first, as it was: whoever changes an item touches it before.
//
// Invariants: a key that has no item here is in the store as of the last generation committed; an item that is not
// touched in this generation is as it was when the generation began.
type table[T any, P value[T]] struct {
	prefix byte
	store  Store

	items map[string]*item[T]
	ring  []*item[T] // the same, in no order
	hand  int        // where in ring the next sweep goes on
	bytes int64      // of the items, estimated
	fixed int64      // of them, what an item costs beside its coded bytes, which memory about doubles

	generation uint32     // of what changes now, from 1
	committed  uint32     // generations up to it are in the store
	dirty      []*item[T] // touched in this generation
	frozen     []*item[T] // touched in the one before it, while that is not committed
	next       int        // of frozen: those before it are written
	batch      Writer     // that takes them; nil: all are written
	err        error      // of batch, from a write that touch made

	// evictions counts the items that left: until it rises a pointer to an item stays right.
	evictions uint64

	hits, misses uint64 // of those looked for: in memory, asked of the store

	key   []byte
	coded []byte
}

// beside is what an item costs beside itself and its coded bytes: its key twice over, and its places in map and ring.
const beside = 112

func newTable[T any, P value[T]](prefix byte, store Store) table[T, P] {
	return table[T, P]{
		prefix: prefix, store: store, items: map[string]*item[T]{},
		fixed: int64(reflect.TypeFor[item[T]]().Size()) + beside, generation: 1,
	}
}

// lookup returns the item of key in memory, and nil where there is none.
func (t *table[T, P]) lookup(key []byte) *item[T] {
	it := t.items[string(key)]
	if it != nil {
		it.recent = true
		t.hits++
	}
	return it
}

// get returns the item of key, and nil where there is no value.
func (t *table[T, P]) get(key []byte) (*item[T], error) {
	it, err := t.find(key)
	if err != nil || it.gone {
		return nil, err
	}
	return it, nil
}

// find returns the item of key, which may be gone.
func (t *table[T, P]) find(key []byte) (*item[T], error) {
	if it := t.lookup(key); it != nil {
		return it, nil
	}
	return t.load(key)
}

// load brings in from the store what it has of a key that is not in memory.
func (t *table[T, P]) load(key []byte) (*item[T], error) {
	t.misses++
	t.key = append(append(t.key[:0], t.prefix), key...)
	coded, err := t.store.Get(t.key)
	if err != nil {
		return nil, err
	}
	it := &item[T]{key: string(key), recent: true, gone: coded == nil, bytes: t.fixed + 2*int64(len(coded))}
	if !it.gone {
		r := wire.NewReader(coded)
		P(&it.value).read(r)
		if err := r.Done(); err != nil {
			return nil, fmt.Errorf("read %c %q: %w", t.prefix, key, err)
		}
	}
	t.insert(it)
	return it, nil
}

// make returns the item of key, new where there is no value; fresh tells that it is.
func (t *table[T, P]) make(key []byte) (it *item[T], fresh bool, err error) {
	if it, err = t.find(key); err != nil || !it.gone {
		return it, false, err
	}
	t.begin(it)
	return it, true, nil
}

// create is make for a key that is known to have no value.
func (t *table[T, P]) create(key []byte) *item[T] {
	it := t.lookup(key)
	if it == nil {
		it = &item[T]{key: string(key), recent: true, gone: true, bytes: t.fixed}
		t.insert(it)
	}
	if !it.gone {
		panic(fmt.Sprintf("%c %q is there", t.prefix, key)) // broken invariant of the caller's
	}
	t.begin(it)
	return it
}

// begin gives an item a value, which is zero.
func (t *table[T, P]) begin(it *item[T]) {
	t.touch(it)
	var zero T
	it.value, it.gone = zero, false
}

// touch says that it is about to change.
func (t *table[T, P]) touch(it *item[T]) {
	if it.changed == t.generation {
		return
	}
	if t.batch != nil && it.changed == t.generation-1 && !it.written {
		t.err = errors.Join(t.err, t.put(it))
	}
	it.changed, it.written = t.generation, false
	t.dirty = append(t.dirty, it)
}

// remove takes its value away.
func (t *table[T, P]) remove(it *item[T]) {
	t.touch(it)
	it.gone = true
}

// freeze ends a generation, which write gets into batch. The one before it is committed.
func (t *table[T, P]) freeze(batch Writer) {
	t.dirty, t.frozen = t.frozen[:0], t.dirty
	t.next, t.batch = 0, batch
	t.generation++
}

// write writes up to n items of the generation that was frozen, and returns how many fewer than n there were.
func (t *table[T, P]) write(n int) (left int, err error) {
	for ; n > 0 && t.next < len(t.frozen); t.next++ {
		if it := t.frozen[t.next]; it.changed == t.generation-1 && !it.written {
			t.err = errors.Join(t.err, t.put(it))
			n--
		}
	}
	if t.next == len(t.frozen) {
		t.batch = nil
	}
	return n, t.err
}

// put writes an item into the batch.
func (t *table[T, P]) put(it *item[T]) error {
	it.written = true
	t.key = append(append(t.key[:0], t.prefix), it.key...)
	if it.gone {
		var zero T
		it.value = zero
		t.weigh(it, 0)
		return t.batch.Delete(t.key)
	}
	t.coded = P(&it.value).append(t.coded[:0])
	t.weigh(it, len(t.coded))
	return t.batch.Set(t.key, t.coded)
}

// commit takes note that the store has what was frozen.
func (t *table[T, P]) commit() {
	clear(t.frozen)
	t.frozen = t.frozen[:0]
	t.committed = t.generation - 1
}

func (t *table[T, P]) weigh(it *item[T], coded int) {
	bytes := t.fixed + 2*int64(coded)
	t.bytes += bytes - it.bytes
	it.bytes = bytes
}

// insert puts in an item whose key is not there.
func (t *table[T, P]) insert(it *item[T]) {
	t.items[it.key] = it
	it.at = len(t.ring)
	t.ring = append(t.ring, it)
	t.bytes += it.bytes
}

// shrink lets clean items go until the table is within bytesMax: first those that
// were not used since they were last passed over. Which ones go never shows in a result.
func (t *table[T, P]) shrink(bytesMax int64) {
	for left := 2 * len(t.ring); left > 0 && t.bytes > bytesMax; left-- {
		if t.hand >= len(t.ring) {
			t.hand = 0
		}
		it := t.ring[t.hand]
		switch {
		case it.changed > t.committed:
		case it.recent:
			it.recent = false
		default:
			t.evict(it) // the last of the ring stands there now
			continue
		}
		t.hand++
	}
}

func (t *table[T, P]) evict(it *item[T]) {
	delete(t.items, it.key)
	last := len(t.ring) - 1
	t.ring[it.at] = t.ring[last]
	t.ring[it.at].at = it.at
	t.ring[last] = nil
	t.ring = t.ring[:last]
	t.bytes -= it.bytes
	t.evictions++
}
