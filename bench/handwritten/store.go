package handwritten

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The kinds of keys, behind two bytes of partition. Names hold no NUL. A value is the event time up to which it
// is kept, 8 bytes, then msgpack.
const (
	keyMeta      = 'w' //                                         → meta
	keyID        = 'd' // source NUL id                           → nothing
	keyRecord    = 'r' // sku NUL location                        → record
	keyMovement  = 'm' // sku NUL location NUL time(8) ordinal(8) → movement
	keyReference = 'f' // sku NUL location NUL class(1) ref       → reference
	keyLapse     = 'l' // due(8), then as a reference             → nothing
)

// lateness is how far behind the newest a delta may be; what is behind it for good is forgotten.
const lateness = inventory.Day

const forever inventory.Millis = math.MaxInt64

const (
	cacheBytes    = 512 << 20 // as much as holdfast takes in all
	memTableBytes = 64 << 20
	filterBits    = 10
)

// openPebble opens the one database of all partitions.
func openPebble(fs vfs.FS, dir string) (*pebble.DB, error) {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref() // the database holds it too
	o := &pebble.Options{
		FS: fs, Logger: quiet{pebble.DefaultLogger},
		Cache: cache, MemTableSize: memTableBytes, MemTableStopWritesThreshold: 4,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(filterBits)
	}
	return pebble.Open(dir, o)
}

// quiet drops what Pebble says of its everyday work.
type quiet struct{ pebble.Logger }

func (quiet) Infof(string, ...any) {}

// store is one partition's part of the database, and the batch of what changes next. The first error
// stays; nothing is read or written after it.
type store struct {
	db     *pebble.DB
	number int
	batch  *pebble.Batch
	err    error
	meta   meta

	key, value bytes.Buffer // scratch
	reader     bytes.Reader
	enc        *msgpack.Encoder
	dec        *msgpack.Decoder
}

// meta is what a partition knows beside its keys.
type meta struct {
	//lint:ignore U1000 it tells msgpack to write an array
	_msgpack struct{} `msgpack:",as_array"`

	Watermark inventory.Millis // the greatest event time there was
	Ordinal   uint64           // of movements and commands
	NextLapse inventory.Millis // no reservation lapses before it
}

func newStore(db *pebble.DB, partition int) *store {
	s := &store{db: db, number: partition, batch: db.NewBatch(), meta: meta{NextLapse: forever}}
	s.enc, s.dec = msgpack.NewEncoder(&s.value), msgpack.NewDecoder(&s.reader)
	s.enc.UseCompactInts(true)
	s.get(s.named(keyMeta, ""), &s.meta)
	return s
}

// named returns the key of that kind and name, good until the next.
func (s *store) named(kind byte, name string) []byte {
	s.key.Reset()
	s.key.Write([]byte{byte(s.number >> 8), byte(s.number), kind})
	s.key.WriteString(name)
	return s.key.Bytes()
}

// number8 returns n as it is within names: numbers sort as they do.
func number8(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// until is up to when a value is kept.
func until(value []byte) inventory.Millis { return inventory.Millis(binary.BigEndian.Uint64(value)) }

// get decodes what key holds into v, and reports whether there is anything that is not to be forgotten.
func (s *store) get(key []byte, v any) bool {
	if s.err != nil {
		return false
	}
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false
	}
	if s.err = err; err != nil {
		return false
	}
	known := until(value) >= s.meta.Watermark-lateness
	if known && v != nil {
		s.decode(value, v)
	}
	s.err = errors.Join(s.err, closer.Close())
	return known
}

func (s *store) decode(value []byte, v any) {
	s.reader.Reset(value[8:])
	s.dec.Reset(&s.reader)
	s.err = s.dec.Decode(v)
}

// put puts v, or nothing, into the batch, to be kept until a time.
func (s *store) put(key []byte, until inventory.Millis, v any) {
	s.value.Reset()
	s.value.Write(binary.BigEndian.AppendUint64(s.value.AvailableBuffer(), uint64(until)))
	if v != nil && s.err == nil {
		s.err = s.enc.Encode(v)
	}
	if s.err == nil {
		s.err = s.batch.Set(key, s.value.Bytes(), nil)
	}
}

// delete deletes key with the batch.
func (s *store) delete(key []byte) {
	if s.err == nil {
		s.err = s.batch.Delete(key, nil)
	}
}

// commit writes the batch with the meta, and begins the next.
func (s *store) commit() {
	s.put(s.named(keyMeta, ""), forever, &s.meta)
	if s.err == nil {
		s.err = s.batch.Commit(pebble.NoSync)
	}
	s.batch.Reset()
}

// scan calls yield for each key from lower on whose first bytes are lower's, until yield returns false.
func (s *store) scan(lower []byte, prefix int, yield func(key, value []byte) bool) {
	if s.err != nil {
		return
	}
	upper := bytes.Clone(lower[:prefix])
	upper[prefix-1]++ // a kind or a NUL, neither of which is 255
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if s.err = err; err != nil {
		return
	}
	for ok := it.First(); ok && yield(it.Key(), it.Value()); ok = it.Next() {
	}
	s.err = errors.Join(s.err, it.Error(), it.Close())
}

const sweepBatchBytes = 1 << 20

// sweep deletes the ids, movements and references that are to be forgotten.
func (s *store) sweep() {
	for _, kind := range []byte{keyID, keyMovement, keyReference} {
		lower := bytes.Clone(s.named(kind, ""))
		s.scan(lower, len(lower), func(key, value []byte) bool {
			if until(value) < s.meta.Watermark-lateness {
				s.delete(key)
			}
			if s.batch.Len() > sweepBatchBytes {
				s.commit()
			}
			return s.err == nil
		})
	}
	s.commit()
}
