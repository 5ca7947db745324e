package wire

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// field is a value of one of the types that can be written.
func field() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Uint64().AsAny(),
		rapid.Int64().AsAny(),
		rapid.Float64().AsAny(),
		rapid.String().AsAny(),
	)
}

// write appends v by its type.
func write(dst []byte, v any) []byte {
	switch v := v.(type) {
	case uint64:
		return AppendUint(dst, v)
	case int64:
		return AppendInt(dst, v)
	case float64:
		return AppendFloat(dst, v)
	case string:
		return AppendString(dst, v)
	}
	panic(v)
}

// read reads a value of v's type.
func read(r *Reader, v any) any {
	switch v.(type) {
	case uint64:
		return r.Uint()
	case int64:
		return r.Int()
	case float64:
		return r.Float()
	case string:
		return r.String()
	}
	panic(v)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOf(field()).Draw(t, "fields")
		var value []byte
		for _, v := range fields {
			value = write(value, v)
		}
		r := NewReader(value)
		for i, v := range fields {
			if got := read(r, v); !reflect.DeepEqual(got, v) {
				t.Fatalf("field %d: read %#v, wrote %#v", i, got, v)
			}
		}
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestACutIsNoticed: of a value that ends early no field is read wrong: each is what was written
// until one is not there, and from then on all are zero.
func TestACutIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOfN(field(), 1, 20).Draw(t, "fields")
		var value []byte
		for _, v := range fields {
			value = write(value, v)
		}
		r := NewReader(value[:rapid.IntRange(0, len(value)-1).Draw(t, "cut")])
		cut := false
		for i, v := range fields {
			got := read(r, v)
			switch {
			case !cut && reflect.DeepEqual(got, v) && r.err == nil:
			case r.err != nil && reflect.ValueOf(got).IsZero():
				cut = true
			default:
				t.Fatalf("field %d: read %#v, wrote %#v, error %v", i, got, v, r.err)
			}
		}
		if err := r.Done(); !errors.Is(err, ErrShort) {
			t.Fatalf("done: %v, want %v", err, ErrShort)
		}
	})
}

func TestFloatsKeepTheirBits(t *testing.T) {
	for _, f := range []float64{0, math.Copysign(0, -1), math.Inf(1), math.NaN(), math.SmallestNonzeroFloat64} {
		if got := NewReader(AppendFloat(nil, f)).Float(); math.Float64bits(got) != math.Float64bits(f) {
			t.Errorf("%v came back as %v", f, got)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		value []byte
		read  func(*Reader)
		want  string
	}{
		{"a newer format", AppendUint(nil, 2), func(r *Reader) { r.Version(1) }, "format 2, this program reads 1"},
		{"no format at all", nil, func(r *Reader) { r.Version(1) }, "cut short"},
		{"a list longer than the value", append(AppendUint(nil, 1<<60), 1, 2), func(r *Reader) { r.Count() }, "a list of 1152921504606846976 items in 2 bytes"},
		{"a string longer than the value", AppendUint(nil, 1<<63), func(r *Reader) { _ = r.String() }, "cut short"},
		{"a number that never ends", bytes.Repeat([]byte{0xff}, 11), func(r *Reader) { r.Uint() }, "cut short"},
		{"bytes left over", []byte{1, 2, 3}, func(r *Reader) { r.Uint() }, "2 bytes after the last field"},
		{"the first error stands", []byte{9}, func(r *Reader) { r.Version(1); r.Fail(ErrShort); _ = r.String() }, "format 9, this program reads 1"},
		{"what a field holds is wrong", []byte{9}, func(r *Reader) { r.Uint(); r.Fail(errors.New("nine is odd")) }, "nine is odd"},
	} {
		r := NewReader(c.value)
		c.read(r)
		if err := r.Done(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRestIsAllThatIsLeft(t *testing.T) {
	r := NewReader([]byte{1, 2, 3})
	r.Uint()
	if rest := r.Rest(); !bytes.Equal(rest, []byte{2, 3}) || r.Done() != nil {
		t.Errorf("rest is %v, then %v", rest, r.Done())
	}
}

// FuzzReader reads any value by any sequence of reads: a byte of the script is a read.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5}, AppendString(AppendFloat(AppendInt(AppendUint(nil, 300), int64(-5)), 1.5), "tea"))
	f.Add([]byte{3, 3}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{4}, []byte{0x80})
	f.Fuzz(func(t *testing.T, script, value []byte) {
		r := NewReader(value)
		for _, step := range script {
			failed, before := r.err, r.left()
			zero := false
			switch step % 6 {
			case 0:
				zero = r.Uint() == 0
			case 1:
				zero = r.Int() == 0
			case 2:
				zero = math.Float64bits(r.Float()) == 0
			case 3:
				zero = r.String() == ""
			case 4:
				n := r.Count()
				zero = n == 0
				if n < 0 || n > r.left() {
					t.Fatalf("a list of %d items in %d bytes was let through", n, r.left())
				}
			case 5:
				r.Version(1)
				zero = true
			}
			if failed != nil && (!zero || r.err != failed) {
				t.Fatalf("after %v a read gave something, or another error: %v", failed, r.err)
			}
			if r.left() > before {
				t.Fatalf("a read gave back bytes: %d left of %d", r.left(), before)
			}
		}
		left, failed := r.left(), r.err
		if err := r.Done(); (err == nil) != (failed == nil && left == 0) {
			t.Fatalf("done with %d bytes left and error %v: %v", left, failed, err)
		}
	})
}
