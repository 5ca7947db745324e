package timer

import (
	"encoding/binary"
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// The timers of one span that one flush wrote are one block:
//
//	't' begin of the span(8) number of the flush(8) → format, {time − begin, kind, key}…
//
// Most timers of a flush are set to forget something a day later, and are due within seconds of each other.
const (
	prefix      = 't'
	blockFormat = 1
	span        = 10 * inventory.Second

	// sweepSpans is after how many spans those that have fired are deleted: a range deletion
	// costs more than a few blocks that linger.
	sweepSpans = 60
)

// Prefix is the first byte of the keys that the queue writes. How what stands there is cut into blocks
// depends on batches, unlike most of what a partition keeps; [Live] is what it comes to.
const Prefix = prefix

func blockKey(dst []byte, begin inventory.Millis, number uint64) []byte {
	dst = append(dst, prefix)
	dst = binary.BigEndian.AppendUint64(dst, uint64(begin))
	return binary.BigEndian.AppendUint64(dst, number)
}

func appendBlock(dst []byte, begin inventory.Millis, timers []Timer) []byte {
	dst = wire.AppendUint(dst, blockFormat)
	for i := range timers {
		t := &timers[i]
		dst = wire.AppendUint(dst, uint64(t.Time-begin))
		dst = append(dst, t.Kind)
		dst = wire.AppendString(dst, t.Key)
	}
	return dst
}

func readBlock(begin inventory.Millis, block []byte, yield func(Timer)) error {
	r := wire.NewReader(block)
	r.Version(blockFormat)
	for r.More() {
		t := Timer{Time: begin + inventory.Millis(r.Uint())}
		if kind := r.Take(1); kind != nil {
			t.Kind = kind[0]
		}
		t.Key = r.String()
		if !r.Failed() {
			yield(t)
		}
	}
	return r.Done()
}

// scanBlocks calls yield for the blocks of spans that begin at from or later, in order of these, until it returns
// false or an error. The timers of a block can be read until it returns.
func scanBlocks(store Store, from inventory.Millis, yield func(begin inventory.Millis, timers func(func(Timer)) error) (bool, error)) error {
	var bad error
	err := store.Scan(blockKey(nil, from, 0), []byte{prefix + 1}, func(key, block []byte) (more bool) {
		if len(key) != 1+8+8 {
			bad = fmt.Errorf("timer key of %d bytes", len(key))
			return false
		}
		begin := inventory.Millis(binary.BigEndian.Uint64(key[1:]))
		more, bad = yield(begin, func(yield func(Timer)) error {
			if err := readBlock(begin, block, yield); err != nil {
				return fmt.Errorf("timers from %v: %w", begin, err)
			}
			return nil
		})
		return more && bad == nil
	})
	if err == nil {
		err = bad
	}
	return err
}

// Live calls yield for every timer in the store that is not before first, in no order; one
// that was set twice may come twice.
func Live(store Store, first Timer, yield func(Timer)) error {
	return scanBlocks(store, 0, func(_ inventory.Millis, timers func(func(Timer)) error) (bool, error) {
		return true, timers(func(t Timer) {
			if t.compare(first) >= 0 {
				yield(t)
			}
		})
	})
}
