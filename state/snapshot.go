package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Snapshot is a partition as it was at one batch boundary. Any goroutine may take
// and read one. It pins what it sees: close it soon.
type Snapshot struct {
	db     *DB
	pebble *pebble.Snapshot
}

// Snapshot returns the state as of the last committed batch, and [ErrClosed] after
// Close. Close waits for open snapshots.
func (db *DB) Snapshot() (*Snapshot, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil, db.failed("take a snapshot", ErrClosed)
	}
	db.snapshots.Add(1)
	return &Snapshot{db, db.pebble.NewSnapshot()}, nil
}

// Get returns the value of an engine key, or nil where there is none. The slice is
// the caller's.
func (s *Snapshot) Get(key []byte) ([]byte, error) {
	value, closer, err := s.pebble.Get(append([]byte{spaceEngine}, key...))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, s.db.failed("get a key", err)
	}
	return append([]byte{}, value...), closer.Close()
}

// Scan is [DB.Scan] on the snapshot.
func (s *Snapshot) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	if err := scanEngine(s.pebble, lower, upper, yield); err != nil {
		return s.db.failed("scan", err)
	}
	return nil
}

// Position is [DB.Position] on the snapshot.
func (s *Snapshot) Position() (Position, bool, error) {
	p, ok, err := readPosition(s.pebble)
	if err != nil {
		return p, ok, s.db.failed("read the position", err)
	}
	return p, ok, nil
}

// Digest returns the SHA-256 of all engine keys and values in order, in hex, without
// those whose prefix is in Options.DigestSkip. Two partitions that know the same give
// the same digest, however they came to it. Each key and value is preceded by
// its length, so that no two different states read alike.
func (s *Snapshot) Digest() (string, error) {
	hash := sha256.New()
	var length [8]byte
	write := func(b []byte) {
		binary.BigEndian.PutUint64(length[:], uint64(len(b)))
		hash.Write(length[:])
		hash.Write(b)
	}
	skip := s.db.folder.options.DigestSkip
	err := s.Scan(nil, nil, func(key, value []byte) bool {
		if slices.ContainsFunc(skip, func(prefix []byte) bool { return bytes.HasPrefix(key, prefix) }) {
			return true
		}
		write(key)
		write(value)
		return true
	})
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Close lets go of the snapshot. It must be called once.
func (s *Snapshot) Close() error {
	defer s.db.snapshots.Done()
	return s.pebble.Close()
}

// Digest is [Snapshot.Digest] of the last committed batch.
func (db *DB) Digest() (string, error) {
	s, err := db.Snapshot()
	if err != nil {
		return "", err
	}
	digest, err := s.Digest()
	return digest, errors.Join(err, s.Close())
}

// engineBounds maps bounds of engine keys to bounds of stored keys.
func engineBounds(lower, upper []byte) (from, to []byte) {
	from = append([]byte{spaceEngine}, lower...)
	if len(upper) == 0 {
		return from, []byte{spaceEngine + 1}
	}
	return from, append([]byte{spaceEngine}, upper...)
}

func scanEngine(r pebble.Reader, lower, upper []byte, yield func(key, value []byte) bool) error {
	from, to := engineBounds(lower, upper)
	return scan(r, from, to, func(key, value []byte) (bool, error) {
		return yield(key[1:], value), nil
	})
}

func scanOutbox(r pebble.Reader, yield func(ordinal uint64, value []byte) bool) error {
	return scan(r, []byte{spaceOutbox}, []byte{spaceOutbox + 1}, func(key, value []byte) (bool, error) {
		if len(key) != 1+8 {
			return false, fmt.Errorf("outbox key of %d bytes: the partition's folder is damaged", len(key))
		}
		return yield(binary.BigEndian.Uint64(key[1:]), value), nil
	})
}

func readPosition(r pebble.Reader) (Position, bool, error) {
	value, closer, err := r.Get(keyPosition)
	if errors.Is(err, pebble.ErrNotFound) {
		return Position{}, false, nil
	}
	if err != nil {
		return Position{}, false, err
	}
	p, err := parsePosition(value)
	if err = errors.Join(err, closer.Close()); err != nil {
		return Position{}, false, err
	}
	return p, true, nil
}

func scan(r pebble.Reader, from, to []byte, yield func(key, value []byte) (bool, error)) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; valid = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		more, err := yield(it.Key(), value)
		if err != nil || !more {
			return err
		}
	}
	return it.Error()
}
