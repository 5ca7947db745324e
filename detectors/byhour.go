package detectors

import (
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// byHourMost is when the counts are halved, so that they follow slow change.
const byHourMost = 1 << 14

// byHour is a location's events of demand, sales and reservations, by the hour of the day (UTC). The [Feed]'s clock runs by
// sales over the counter: at night, when the web goes on, it all but stands.
type byHour struct {
	events [24]uint32
	sum    uint32
}

func (b *byHour) add(at inventory.Millis) {
	b.events[hourOfWeek(at)%24]++
	if b.sum++; b.sum >= byHourMost {
		b.sum = 0
		for i := range b.events {
			b.events[i] /= 2
			b.sum += b.events[i]
		}
	}
}

// hours returns what of mean demand is to be expected between two moments, in mean hours; each hour of the day counts as though one
// event more had come.
func (b *byHour) hours(from, to inventory.Millis) (hours float64) {
	for from < to {
		end := min(nextHour(from), to)
		weight := 24 * (float64(b.events[hourOfWeek(from)%24]) + 1) / (float64(b.sum) + 24)
		hours += float64(weight * inHours(end-from))
		from = end
	}
	return hours
}

func (b *byHour) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, uint64(b.sum))
	if b.sum > 0 {
		for _, n := range b.events {
			dst = wire.AppendUint(dst, uint64(n))
		}
	}
	return dst
}

func (b *byHour) read(r *wire.Reader) {
	*b = byHour{sum: uint32(r.Uint())}
	if b.sum > 0 {
		for i := range b.events {
			b.events[i] = uint32(r.Uint())
		}
	}
}
