package state

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Formats. Every change of what is on disk raises one of these and says here what
// changed; a binary refuses what it does not know, rather than guess.
const (
	// folderFormat is the layout of the data folder and of its identity file.
	//
	//	1: identity file HOLDFAST (JSON), lock file LOCK, partitions/<nnnn>/
	folderFormat = 1

	// partitionFormat is the layout of the keys below.
	//
	//	1: the key spaces meta, outbox and engine
	partitionFormat = 1

	// positionFormat is the first byte of a stored position.
	//
	//	1: sequence, fingerprint, log time, rejected; 8 bytes each, big-endian
	//	2: behind these a byte, 1 where the message is in the state in part
	positionFormat = 2

	// pebbleFormat is the format that tables are written in. It is pinned, so that a
	// new version of the library does not silently make a folder unreadable for the
	// last release of ours.
	pebbleFormat = pebble.FormatTableFormatV6
)

// Key spaces: the first byte of every key in a partition. Bytes not named here
// are never written.
//
//	00 'f'             identity of the partition: format, partition, partitions
//	00 'p'             position
//	01 <8 B ordinal>   outbox: one output, big-endian, so that they are in order
//	10 <engine key>    whatever the engine keeps; its layout is the engine's affair
const (
	spaceMeta   byte = 0x00
	spaceOutbox byte = 0x01
	spaceEngine byte = 0x10
)

var (
	keyIdentity = []byte{spaceMeta, 'f'}
	keyPosition = []byte{spaceMeta, 'p'}
)

// Position names the last message of the log that is in the state.
type Position struct {
	Sequence    uint64           // in the partition's stream; ≥ 1
	Fingerprint uint64           // of the message's bytes and time, see stream.Fingerprint
	LogTime     inventory.Millis // when the stream took the message in
	Rejected    uint64           // see stream.From: where in the stream of rejected deltas to look for what was said after this

	// Within says that only a part of that message is in the state: it is to be read again, and what is kept knows
	// where in it to go on.
	Within bool
}

// Whole returns the sequence of the last message that is in the state as a whole; 0: none is.
func (p Position) Whole() uint64 {
	if p.Within {
		return p.Sequence - 1
	}
	return p.Sequence
}

const positionBytes = 1 + 4*8 + 1

func (p Position) append(b []byte) []byte {
	b = append(b, positionFormat)
	b = binary.BigEndian.AppendUint64(b, p.Sequence)
	b = binary.BigEndian.AppendUint64(b, p.Fingerprint)
	b = binary.BigEndian.AppendUint64(b, uint64(p.LogTime))
	b = binary.BigEndian.AppendUint64(b, p.Rejected)
	if p.Within {
		return append(b, 1)
	}
	return append(b, 0)
}

func parsePosition(b []byte) (Position, error) {
	if len(b) == 0 || b[0] != positionFormat {
		return Position{}, fmt.Errorf("stored position has format %x, this binary knows %d: use the version of holdfast that wrote it", b[:min(1, len(b))], positionFormat)
	}
	if len(b) != positionBytes {
		return Position{}, fmt.Errorf("stored position has %d bytes, not %d: the partition's folder is damaged", len(b), positionBytes)
	}
	within := b[positionBytes-1]
	if within > 1 {
		return Position{}, fmt.Errorf("stored position ends in %x: the partition's folder is damaged", within)
	}
	return Position{
		Sequence:    binary.BigEndian.Uint64(b[1:]),
		Fingerprint: binary.BigEndian.Uint64(b[9:]),
		LogTime:     inventory.Millis(binary.BigEndian.Uint64(b[17:])),
		Rejected:    binary.BigEndian.Uint64(b[25:]),
		Within:      within == 1,
	}, nil
}

func appendOutboxKey(b []byte, ordinal uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, spaceOutbox), ordinal)
}

// identity is what the identity key of a partition holds: 3 × 4 bytes.
type identity struct {
	format, partition, partitions uint32
}

func (i identity) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, i.format)
	b = binary.BigEndian.AppendUint32(b, i.partition)
	return binary.BigEndian.AppendUint32(b, i.partitions)
}

// check compares the stored identity with the one that the caller expects.
func (i identity) check(stored []byte) error {
	if len(stored) < 4 {
		return fmt.Errorf("identity of %d bytes: the partition's folder is damaged", len(stored))
	}
	if format := binary.BigEndian.Uint32(stored); format != i.format {
		return fmt.Errorf("has format %d, this binary knows %d: use the version of holdfast that wrote it, or delete the folder and let the log be applied again", format, i.format)
	}
	if len(stored) != 12 {
		return fmt.Errorf("identity of %d bytes: the partition's folder is damaged", len(stored))
	}
	got := identity{i.format, binary.BigEndian.Uint32(stored[4:]), binary.BigEndian.Uint32(stored[8:])}
	if got != i {
		return fmt.Errorf("holds partition %d of %d, not %d of %d: it was moved here from elsewhere; put it back, or delete it and let the log be applied again",
			got.partition, got.partitions, i.partition, i.partitions)
	}
	return nil
}
