package handwritten

import (
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// record is what is known of a SKU at a location.
type record struct {
	//lint:ignore U1000 it tells msgpack to write an array
	_msgpack struct{} `msgpack:",as_array"`

	OnHand, Unavailable, Reserved, Safety, Inbound, InTransit int64

	Counted, Kept stamp // by whom OnHand and Safety were set last
	Oversold      bool
	Demand        [3]window
	Channels      []channel // by name
}

// channel is what a record knows of a channel.
type channel struct {
	//lint:ignore U1000 it tells msgpack to write an array
	_msgpack struct{} `msgpack:",as_array"`

	Name               string
	Listed             *int64
	Fence, Consumed    int64 // the ring-fence as set, and what the channel took of it since
	ListedBy, FencedBy stamp
	Oversold, Held     bool
	Revision           uint64 // of the last command
}

// movement is what a delta did to on-hand and to a channel's ring-fence.
type movement struct {
	//lint:ignore U1000 it tells msgpack to write an array
	_msgpack struct{} `msgpack:",as_array"`

	OnHand   int64
	Channel  string
	Consumed int64
}

// stamp says who set something. The last in event time wins, at one time the longer and then greater id.
type stamp struct {
	//lint:ignore U1000 it tells msgpack to write an array
	_msgpack struct{} `msgpack:",as_array"`

	Time       inventory.Millis
	ID, Source string
}

// take reports whether d is later, and is it then.
func (s *stamp) take(d *inventory.Delta) bool {
	later := d.Time > s.Time
	if d.Time == s.Time {
		switch {
		case len(d.ID) != len(s.ID):
			later = len(d.ID) > len(s.ID)
		case d.ID != s.ID:
			later = d.ID > s.ID
		default:
			later = d.Source > s.Source
		}
	}
	if later {
		s.Time, s.ID, s.Source = d.Time, d.ID, d.Source
	}
	return later
}

// channel finds a channel and makes it known. The pointer is good until the next call.
func (r *record) channel(name string) *channel {
	i, known := slices.BinarySearchFunc(r.Channels, name, func(c channel, name string) int { return strings.Compare(c.Name, name) })
	if !known {
		r.Channels = slices.Insert(r.Channels, i, channel{Name: name})
	}
	return &r.Channels[i]
}

func (r *record) atp() int64 { return r.OnHand - r.Unavailable - r.Reserved - r.Safety }

// fenced is what the channel's ring-fence still holds.
func (c *channel) fenced() int64 { return min(max(c.Fence-c.Consumed, 0), c.Fence) }

// share is what a channel may promise: what the others' ring-fences hold is not for it.
func (r *record) share(name string) int64 {
	atp := r.atp()
	for i := range r.Channels {
		if c := &r.Channels[i]; c.Name != name {
			atp -= c.fenced()
		}
	}
	return atp
}

// window is the sum of demand in the current and the last stretch of time.
type window struct {
	//lint:ignore U1000 it tells msgpack to write an array
	_msgpack struct{} `msgpack:",as_array"`

	Current   inventory.Millis // time ÷ size
	Sum, Last int64
}

var windowSizes = [3]inventory.Millis{inventory.Minute, inventory.Hour, inventory.Day}

func (r *record) demand(at inventory.Millis, q int64) {
	for i, size := range windowSizes {
		switch w, n := &r.Demand[i], at/size; {
		case n == w.Current:
			w.Sum += q
		case n == w.Current+1:
			w.Current, w.Sum, w.Last = n, q, w.Sum
		case n > w.Current:
			w.Current, w.Sum, w.Last = n, q, 0
		case n == w.Current-1:
			w.Last += q
		}
	}
}
