package reference

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The operations of a batch.
const (
	opSet byte = iota + 1
	opDelete
	opDeleteRange
)

// A file of batches is a row of frames:
//
//	length of the operations (4 B, little-endian)
//	1 where a batch ends with the frame, else 0
//	operations: op, length of key (uvarint), key, length of value, value
//
// Frames are bounded, batches are not, so reading them takes no more memory than it must.
const frameBytes = 256 << 10

const frameHeader = 4 + 1

// batchLog writes batches to a file.
type batchLog struct {
	file  *os.File
	out   *bufio.Writer
	frame []byte // begun, with room for its header

	operations, bytes uint64
}

func (l *batchLog) create(path string) (err error) {
	if l.file, err = os.Create(path); err != nil {
		return err
	}
	l.out = bufio.NewWriterSize(l.file, frameBytes)
	l.frame = make([]byte, frameHeader)
	return nil
}

func (l *batchLog) add(op byte, key, value []byte) error {
	l.frame = append(l.frame, op)
	l.frame = append(binary.AppendUvarint(l.frame, uint64(len(key))), key...)
	l.frame = append(binary.AppendUvarint(l.frame, uint64(len(value))), value...)
	l.operations++
	l.bytes += uint64(len(key) + len(value))
	if len(l.frame) < frameBytes {
		return nil
	}
	return l.flush(0)
}

// commit ends the batch.
func (l *batchLog) commit() error { return l.flush(1) }

func (l *batchLog) flush(last byte) error {
	binary.LittleEndian.PutUint32(l.frame, uint32(len(l.frame)-frameHeader))
	l.frame[4] = last
	_, err := l.out.Write(l.frame)
	l.frame = l.frame[:frameHeader]
	return err
}

func (l *batchLog) close() error { return errors.Join(l.out.Flush(), l.file.Close()) }

// batchReader reads what a batchLog wrote.
type batchReader struct {
	file  *os.File
	rest  int64 // bytes of it that are still to be read
	frame []byte
}

func openBatches(path string) (*batchReader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &batchReader{file: file, rest: info.Size()}, nil
}

// next hands the operations of the next frame to yield, whose slices are good until it returns, and says
// whether a batch ends with it. At the end it returns io.EOF.
func (r *batchReader) next(yield func(op byte, key, value []byte) error) (last bool, err error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r.file, header[:]); err != nil {
		return false, err
	}
	n := int64(binary.LittleEndian.Uint32(header[:]))
	if r.rest -= frameHeader + n; r.rest < 0 {
		return false, r.damaged(io.ErrUnexpectedEOF)
	}
	if int64(cap(r.frame)) < n {
		r.frame = make([]byte, n)
	}
	rest := r.frame[:n]
	if _, err := io.ReadFull(r.file, rest); err != nil {
		return false, err
	}
	for len(rest) > 0 {
		op := rest[0]
		var key, value []byte
		if key, rest, err = cutBytes(rest[1:]); err == nil {
			value, rest, err = cutBytes(rest)
		}
		if err != nil {
			return false, r.damaged(err)
		}
		if err := yield(op, key, value); err != nil {
			return false, err
		}
	}
	return header[4] == 1, nil
}

func (r *batchReader) damaged(err error) error {
	return fmt.Errorf("recorded batches in %s: %w", r.file.Name(), err)
}

// cutBytes cuts a length and so many bytes off b.
func cutBytes(b []byte) (head, rest []byte, err error) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, nil, errors.New("a length is damaged")
	}
	return b[width : width+int(n)], b[width+int(n):], nil
}

func (r *batchReader) close() error { return r.file.Close() }
