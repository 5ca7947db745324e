package retail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/inventory"
)

// row is one line of an invoice.
type row struct {
	number      int // from 1, in the file
	invoice     string
	code        string // stock code, letter for letter
	description string
	quantity    int64
	time        inventory.Millis
	price       int64 // minor units, rounded half away from zero
	customer    string
}

// columns that a row is made of, as the header calls them; others are ignored.
var columnNames = [...]string{"InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"}

const (
	colInvoice = iota
	colCode
	colDescription
	colQuantity
	colTime
	colPrice
	colCustomer
)

// lineBytesMax bounds a line. The file's longest has about 130 bytes.
const lineBytesMax = 64 << 10

// rowReader reads rows one by one. A row never spans lines, so that a stray quote
// costs its own row and not the rest of the file.
type rowReader struct {
	in      *bufio.Reader
	columns [len(columnNames)]int // where each is in a line
	line    int                   // of the file, from 1
	rows    int
	fields  []string
}

// rowError says what is wrong with one row.
type rowError struct {
	line int
	err  error
}

func (e *rowError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *rowError) Unwrap() error { return e.err }

func newRowReader(in io.Reader) (*rowReader, error) {
	r := &rowReader{in: bufio.NewReaderSize(in, lineBytesMax)}
	header, err := r.readLine()
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	names, err := splitLine(nil, strings.TrimPrefix(string(header), "\ufeff"))
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	for i, want := range columnNames {
		r.columns[i] = -1
		for at, name := range names {
			if strings.EqualFold(strings.TrimSpace(name), want) {
				r.columns[i] = at
			}
		}
		if r.columns[i] < 0 {
			return nil, fmt.Errorf("the header has no column %s; the columns of UCI Online Retail are %s", want, strings.Join(columnNames[:], ", "))
		}
	}
	return r, nil
}

// next returns the next row, a *rowError for one that can't be read, or io.EOF.
func (r *rowReader) next() (row, error) {
	var line []byte
	for len(line) == 0 {
		var err error
		line, err = r.readLine()
		if errors.Is(err, bufio.ErrBufferFull) {
			r.rows++
			return row{}, &rowError{r.line, fmt.Errorf("longer than %d bytes", lineBytesMax)}
		}
		if err != nil {
			return row{}, err
		}
	}
	r.rows++
	got, err := r.parse(line)
	if err != nil {
		return row{}, &rowError{r.line, err}
	}
	got.number = r.rows
	return got, nil
}

// readLine returns the next line without its end. It is good until the next call.
// Of a line that is too long it returns bufio.ErrBufferFull and skips the rest.
func (r *rowReader) readLine() ([]byte, error) {
	r.line++
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, bufio.ErrBufferFull
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func (r *rowReader) parse(line []byte) (row, error) {
	var err error
	// Strings of the line's own, so that a row may be kept.
	if r.fields, err = splitLine(r.fields[:0], strings.ToValidUTF8(string(line), "\ufffd")); err != nil {
		return row{}, err
	}
	var f [len(columnNames)]string
	for i, at := range r.columns {
		if at >= len(r.fields) {
			return row{}, fmt.Errorf("%d fields, and no %s", len(r.fields), columnNames[i])
		}
		f[i] = r.fields[at]
	}
	got := row{invoice: f[colInvoice], code: f[colCode], description: f[colDescription], customer: f[colCustomer]}
	if got.invoice == "" || got.code == "" {
		return row{}, errors.New("no invoice or no stock code")
	}
	if got.quantity, err = strconv.ParseInt(f[colQuantity], 10, 64); err != nil {
		return row{}, fmt.Errorf("quantity %.40q is not a whole number", f[colQuantity])
	}
	if got.price, err = parsePrice(f[colPrice]); err != nil {
		return row{}, err
	}
	got.time, err = parseTime(f[colTime])
	return got, err
}

// splitLine appends the fields of one line of CSV to dst. A field may stand in
// quotes, with each quote in it doubled.
func splitLine(dst []string, line string) ([]string, error) {
	for {
		if !strings.HasPrefix(line, `"`) {
			field, rest, more := strings.Cut(line, ",")
			if strings.Contains(field, `"`) {
				return dst, errors.New(`a quote inside a field that does not begin with one`)
			}
			dst = append(dst, field)
			if !more {
				return dst, nil
			}
			line = rest
			continue
		}
		end := 1
		for {
			at := strings.IndexByte(line[end:], '"')
			if at < 0 {
				return dst, errors.New("a quote that is not closed on its line")
			}
			end += at
			if !strings.HasPrefix(line[end+1:], `"`) {
				break
			}
			end += 2
		}
		dst = append(dst, strings.ReplaceAll(line[1:end], `""`, `"`))
		line = line[end+1:]
		if line == "" {
			return dst, nil
		}
		if line[0] != ',' {
			return dst, errors.New("text after a closing quote")
		}
		line = line[1:]
	}
}

// parsePrice reads pounds as pence, or what the file's currency has. The file's
// prices are below 40,000.00.
func parsePrice(s string) (int64, error) {
	p, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(p) > 1e9 || p != p {
		return 0, fmt.Errorf("UnitPrice %.40q is not an amount of money", s)
	}
	return int64(math.Round(p * 100)), nil
}

// timeLayouts are those in which this file goes around.
var timeLayouts = [...]string{"2006-01-02 15:04:05", "2006-01-02 15:04", "1/2/2006 15:04"}

func parseTime(s string) (inventory.Millis, error) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return inventory.MillisOf(t), nil
		}
	}
	return 0, fmt.Errorf("InvoiceDate %.40q is not written like 2010-12-01 08:26:00", s)
}
