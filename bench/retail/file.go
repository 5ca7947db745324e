package retail

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// file is an open CSV, whatever it is packed in.
type file struct {
	disk *os.File
	zstd *zstd.Decoder // nil unless packed so
	rows *rowReader
}

// zstdMemoryMax bounds the window that a packed file may ask for.
const zstdMemoryMax = 128 << 20

func openFile(path string) (*file, error) {
	disk, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &file{disk: disk}
	if err := f.start(); err != nil {
		f.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// start tells by the first bytes how the file is packed, and reads the header.
func (f *file) start() error {
	in := bufio.NewReaderSize(f.disk, 1<<16)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var plain io.Reader = in
	switch {
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		f.zstd, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(zstdMemoryMax))
		plain = f.zstd
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		plain, err = gzip.NewReader(in)
	case bytes.HasPrefix(magic, []byte("PK")):
		return errors.New("a zip file or spreadsheet: export the sheet as CSV (UTF-8) first")
	default:
		err = nil
	}
	if err != nil {
		return err
	}
	f.rows, err = newRowReader(plain)
	return err
}

func (f *file) close() error {
	if f.zstd != nil {
		f.zstd.Close()
	}
	return f.disk.Close()
}
