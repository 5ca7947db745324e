package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrShort says that a value ended before its last field.
var ErrShort = errors.New("value is cut short")

// AppendUint appends v as a varint.
func AppendUint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

// AppendInt appends v zigzag-coded.
func AppendInt[T ~int64 | ~int32 | ~int](dst []byte, v T) []byte {
	return binary.AppendVarint(dst, int64(v))
}

// AppendFloat appends the eight bytes of v.
func AppendFloat(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v))
}

// AppendString appends the length of s and its bytes.
func AppendString(dst []byte, s string) []byte {
	return append(AppendUint(dst, uint64(len(s))), s...)
}

// Reader reads what the Append functions wrote. After an error every read
// returns the zero value.
type Reader struct {
	value []byte
	at    int // of the next read; after an error the end
	err   error
}

// NewReader returns a Reader of value, which it borrows.
func NewReader(value []byte) *Reader { return &Reader{value: value} }

// oneByte is the first number that takes more than one byte as a varint.
const oneByte = 1 << 7

// Uint reads an unsigned varint. Nearly all take a byte or two: those are read here.
func (r *Reader) Uint() uint64 {
	if at := r.at; at < len(r.value) {
		low := r.value[at]
		if low < oneByte {
			r.at = at + 1
			return uint64(low)
		}
		if at++; at < len(r.value) && r.value[at] < oneByte {
			r.at = at + 1
			return uint64(low)&(oneByte-1) | uint64(r.value[at])<<7
		}
	}
	return r.long()
}

func (r *Reader) long() uint64 {
	v, n := binary.Uvarint(r.value[r.at:])
	if n <= 0 {
		r.fail(ErrShort)
		return 0
	}
	r.at += n
	return v
}

// Int reads a zigzag-coded varint.
func (r *Reader) Int() int64 {
	v := r.Uint()
	return int64(v>>1) ^ -int64(v&1)
}

// left returns how many bytes were not read yet.
func (r *Reader) left() int { return len(r.value) - r.at }

// Float reads eight bytes.
func (r *Reader) Float() float64 {
	if r.left() < 8 {
		r.fail(ErrShort)
		return 0
	}
	r.at += 8
	return math.Float64frombits(binary.BigEndian.Uint64(r.value[r.at-8:]))
}

// String reads a string; it is a copy.
func (r *Reader) String() string {
	n := r.Uint()
	if n > uint64(r.left()) {
		r.fail(ErrShort)
		return ""
	}
	return string(r.Take(int(n)))
}

// Count reads the length of a list, each item of which takes at least one byte,
// so that a broken length cannot make a reader allocate more than the value holds.
func (r *Reader) Count() int {
	n := r.Uint()
	if n > uint64(r.left()) {
		r.fail(fmt.Errorf("a list of %d items in %d bytes: %w", n, r.left(), ErrShort))
		return 0
	}
	return int(n)
}

// Version reads the leading format version and fails unless it is want.
func (r *Reader) Version(want uint64) {
	if got := r.Uint(); r.err == nil && got != want {
		r.fail(fmt.Errorf("format %d, this program reads %d: use the holdfast that wrote it, or let the log build the partition again (holdfast doctor --repair)", got, want))
	}
}

// Done returns the first error, and one where bytes are left over.
func (r *Reader) Done() error {
	if r.err == nil && r.left() > 0 {
		r.err = fmt.Errorf("%d bytes after the last field", r.left())
	}
	return r.err
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.value)
}

// Take reads n bytes; they are the value's own.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > r.left() {
		r.fail(ErrShort)
		return nil
	}
	r.at += n
	return r.value[r.at-n : r.at]
}

// More reports whether bytes are left and no read has failed.
func (r *Reader) More() bool { return r.left() > 0 }

// Failed reports whether a read has failed.
func (r *Reader) Failed() bool { return r.err != nil }

// Rest returns all bytes that were not read yet; they are the value's own.
func (r *Reader) Rest() []byte {
	return r.Take(r.left())
}

// Fail makes err the reader's error, if it has none yet: what a field holds is wrong.
func (r *Reader) Fail(err error) { r.fail(err) }
