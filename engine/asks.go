package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// asksMost is when the counts of a record are halved, so that they follow what changes, and stay small.
const asksMost = 512

// asks is how often each channel of a record was asked for it of late, sales and reservations alike, by index of its Channels;
// shorter where the last ones never were. It says whose share of demand is whose; how much there is of it, the windows do.
type asks []uint16

// add counts an event of a channel.
func (a *asks) add(channel int) {
	for len(*a) <= channel {
		*a = append(*a, 0)
	}
	sum := 0
	for _, n := range *a {
		sum += int(n)
	}
	if sum >= asksMost {
		for i := range *a {
			(*a)[i] /= 2
		}
	}
	(*a)[channel]++
}

// of returns how often a channel was asked.
func (a asks) of(channel int) int64 {
	if channel >= len(a) {
		return 0
	}
	return int64(a[channel])
}

func (a asks) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, uint64(len(a)))
	for _, n := range a {
		dst = wire.AppendUint(dst, uint64(n))
	}
	return dst
}

func (a *asks) read(in *wire.Reader) {
	n := in.Count()
	if *a = nil; n == 0 {
		return
	}
	*a = make(asks, n)
	for i := range *a {
		count := in.Uint()
		if count > asksMost {
			in.Fail(fmt.Errorf("a channel was asked %d times of late, %d at most", count, asksMost))
			return
		}
		(*a)[i] = uint16(count)
	}
}

// asked counts d, if it asks for stock, as its channel's. What comes too late for the windows counts, too: the share is the same.
func (r *record) asked(d *inventory.Delta) {
	if d.Kind != inventory.Sale && d.Kind != inventory.Reserve {
		return
	}
	if at := channelAt(r.Channels, d.Channel); at >= 0 {
		r.asks.add(at)
	}
}

func channelAt(channels []ledger.Channel, name string) int {
	for i := range channels {
		if channels[i].Name == name {
			return i
		}
	}
	return -1
}
