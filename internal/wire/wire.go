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
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// Reader reads what the Append functions wrote. After an error every read
// returns the zero value.
type Reader struct {
	rest []byte
	err  error
}

// NewReader returns a Reader of value, which it borrows.
func NewReader(value []byte) *Reader { return &Reader{rest: value} }

// Uint reads an unsigned varint.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail(ErrShort)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Int reads a zigzag-coded varint.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail(ErrShort)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Float reads eight bytes.
func (r *Reader) Float() float64 {
	if len(r.rest) < 8 {
		r.fail(ErrShort)
		return 0
	}
	v := math.Float64frombits(binary.BigEndian.Uint64(r.rest))
	r.rest = r.rest[8:]
	return v
}

// String reads a string; it is a copy.
func (r *Reader) String() string {
	n := r.Uint()
	if n > uint64(len(r.rest)) {
		r.fail(ErrShort)
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// Count reads the length of a list, each item of which takes at least one byte,
// so that a broken length cannot make a reader allocate more than the value holds.
func (r *Reader) Count() int {
	n := r.Uint()
	if n > uint64(len(r.rest)) {
		r.fail(fmt.Errorf("a list of %d items in %d bytes: %w", n, len(r.rest), ErrShort))
		return 0
	}
	return int(n)
}

// Version reads the leading format version and fails unless it is want.
func (r *Reader) Version(want uint64) {
	if got := r.Uint(); r.err == nil && got != want {
		r.fail(fmt.Errorf("format %d, this program reads %d", got, want))
	}
}

// Done returns the first error, and one where bytes are left over.
func (r *Reader) Done() error {
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes after the last field", len(r.rest))
	}
	return r.err
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// Take reads n bytes; they are the value's own.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.fail(ErrShort)
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// More reports whether bytes are left and no read has failed.
func (r *Reader) More() bool { return r.err == nil && len(r.rest) > 0 }

// Failed reports whether a read has failed.
func (r *Reader) Failed() bool { return r.err != nil }

// Rest returns all bytes that were not read yet; they are the value's own.
func (r *Reader) Rest() []byte {
	rest := r.rest
	r.rest = nil
	return rest
}

// Fail makes err the reader's error, if it has none yet: what a field holds is wrong.
func (r *Reader) Fail(err error) { r.fail(err) }
