package state

import (
	"github.com/cockroachdb/pebble/v2"
)

// Batch gathers changes that become visible, and later durable, together. It copies
// what it is given. It belongs to the owner of its DB; Get and Scan of the DB do not
// see it before it is committed.
type Batch struct {
	db      *DB
	pebble  *pebble.Batch
	scratch []byte

	// outbox is what the DB's outbox will be once this is committed.
	outbox outbox

	stuck bool // its commit was given up, and may go on all the same
}

// outbox bounds the ordinals of what is in an outbox; first > last: nothing is.
type outbox struct{ first, last uint64 }

// NewBatch returns an empty batch. It can be used again and again, with Reset after
// each Commit.
func (db *DB) NewBatch() *Batch {
	return &Batch{db: db, pebble: db.pebble.NewBatch(), outbox: db.outbox}
}

// Reset empties b and keeps its memory.
func (b *Batch) Reset() {
	b.pebble.Reset()
	b.outbox = b.db.outbox
}

// Close gives b's memory back; b can't be used after it.
func (b *Batch) Close() error {
	if b.stuck {
		return nil // Pebble still has it
	}
	return b.pebble.Close()
}

// Empty reports whether there is nothing in b.
func (b *Batch) Empty() bool { return b.pebble.Empty() }

// Bytes is how much b would write.
func (b *Batch) Bytes() int { return b.pebble.Len() }

// Set sets an engine key.
func (b *Batch) Set(key, value []byte) error {
	op := b.pebble.SetDeferred(1+len(key), len(value))
	op.Key[0] = spaceEngine
	copy(op.Key[1:], key)
	copy(op.Value, value)
	return op.Finish()
}

// Delete deletes an engine key; one that is not there is no error.
func (b *Batch) Delete(key []byte) error {
	op := b.pebble.DeleteDeferred(1 + len(key))
	op.Key[0] = spaceEngine
	copy(op.Key[1:], key)
	return op.Finish()
}

// DeleteRange deletes the engine keys in [lower, upper); an empty upper goes on to
// the last.
func (b *Batch) DeleteRange(lower, upper []byte) error {
	from, to := engineBounds(lower, upper)
	return b.pebble.DeleteRange(from, to, nil)
}

// SetPosition says which message of the log brings the state to where it is with b.
func (b *Batch) SetPosition(p Position) error {
	b.scratch = p.append(b.scratch[:0])
	return b.pebble.Set(keyPosition, b.scratch, nil)
}

// PutOutput puts an output into the outbox. Ordinals rise.
func (b *Batch) PutOutput(ordinal uint64, value []byte) error {
	if b.outbox.first > b.outbox.last {
		b.outbox.first = ordinal
	}
	b.outbox.last = max(b.outbox.last, ordinal)
	b.scratch = appendOutboxKey(b.scratch[:0], ordinal)
	return b.pebble.Set(b.scratch, value, nil)
}

// outboxPointDeletesMax bounds how many outputs are deleted one by one. Up to here
// single tombstones are cheaper: a tombstone over a range makes every read of the
// memtable sort all such tombstones anew after each batch.
const outboxPointDeletesMax = 1 << 16

// DeleteOutputs deletes the outputs with ordinals up to through. It costs nothing
// where there are none.
func (b *Batch) DeleteOutputs(through uint64) error {
	first, last := b.outbox.first, min(through, b.outbox.last)
	if first > last {
		return nil
	}
	if last == b.outbox.last {
		b.outbox = outbox{1, 0}
	} else {
		b.outbox.first = last + 1
	}
	if last-first >= outboxPointDeletesMax {
		// The key after last's: no ordinal of 8 bytes lies between.
		return b.pebble.DeleteRange(appendOutboxKey(nil, first), append(appendOutboxKey(nil, last), 0), nil)
	}
	for ordinal := first; ; ordinal++ {
		b.scratch = appendOutboxKey(b.scratch[:0], ordinal)
		if err := b.pebble.Delete(b.scratch, nil); err != nil || ordinal == last {
			return err
		}
	}
}
