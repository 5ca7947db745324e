package wire

import (
	"encoding/binary"
	"math/rand"
	"testing"
)

// numbers are as records hold them: of up to so many bits, small ones as likely as large ones.
func numbers(bitsMax int) []int64 {
	random := rand.New(rand.NewSource(1))
	all := make([]int64, 1024)
	for i := range all {
		all[i] = random.Int63n(1 << (1 + random.Intn(bitsMax)))
	}
	return all
}

var sorts = []struct {
	name    string
	bitsMax int
}{{"one byte", 5}, {"one or two", 12}, {"one to six", 40}}

func BenchmarkAppendInt(b *testing.B) {
	for _, sort := range sorts {
		all := numbers(sort.bitsMax)
		var dst []byte
		b.Run(sort.name, func(b *testing.B) {
			for i := range b.N {
				if i%len(all) == 0 {
					dst = dst[:0]
				}
				dst = AppendInt(dst, all[i%len(all)])
			}
		})
		b.Run(sort.name+", by the library", func(b *testing.B) {
			for i := range b.N {
				if i%len(all) == 0 {
					dst = dst[:0]
				}
				dst = binary.AppendVarint(dst, all[i%len(all)])
			}
		})
	}
}

func BenchmarkReadInt(b *testing.B) {
	for _, sort := range sorts {
		var value []byte
		for _, v := range numbers(sort.bitsMax) {
			value = AppendInt(value, v)
		}
		sum := int64(0)
		b.Run(sort.name, func(b *testing.B) {
			r := NewReader(value)
			for range b.N {
				if !r.More() {
					r = NewReader(value)
				}
				sum += r.Int()
			}
		})
		b.Run(sort.name+", by the library", func(b *testing.B) {
			rest := value
			for range b.N {
				if len(rest) == 0 {
					rest = value
				}
				v, n := binary.Varint(rest)
				sum += v
				rest = rest[n:]
			}
		})
	}
}
