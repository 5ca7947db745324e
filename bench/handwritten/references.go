package handwritten

import (
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The classes of references.
const (
	reservation = "\x01"
	inbound     = "\x02"
	inTransit   = "\x03"
)

// reference is what is open under an order, an ASN or a transfer, in the order of arrival. One that is settled is
// kept for as long as deltas may be late: it says whose ring-fence a release gives back to.
type reference struct {
	//lint:ignore U1000 it tells msgpack to write an array
	_msgpack struct{} `msgpack:",as_array"`

	Open    int64
	Due     inventory.Millis // when a reservation lapses; 0: it does not
	Channel string           // of the first reserve
	Last    inventory.Millis // the last event's time
}

func (p *partition) keep(name string, f *reference) {
	until := forever
	if f.Open == 0 {
		until = f.Last
	}
	p.put(p.named(keyReference, name), until, f)
}

// open adds to what is open under d's reference, and to the record's total. The caller keeps it.
func (p *partition) open(total *int64, record, class string, d *inventory.Delta) (name string, f reference) {
	name = record + "\x00" + class + d.Ref
	p.get(p.named(keyReference, name), &f)
	f.Open += d.Quantity
	f.Last = max(f.Last, d.Time)
	*total += d.Quantity
	return name, f
}

// settle takes d's quantity off what is open under its reference, or as much as there is, and off the
// record's total.
func (p *partition) settle(total *int64, record, class string, d *inventory.Delta) (took int64, channel string) {
	name := record + "\x00" + class + d.Ref
	var f reference
	if !p.get(p.named(keyReference, name), &f) {
		return 0, ""
	}
	took = min(f.Open, d.Quantity)
	f.Open -= took
	f.Last = max(f.Last, d.Time)
	*total -= took
	p.keep(name, &f)
	return took, f.Channel
}

// reserve opens a reservation, or more of it, that lapses when the latest reserve says.
func (p *partition) reserve(r *record, record string, d *inventory.Delta) {
	p.move(r, record, d.Time, movement{Channel: d.Channel, Consumed: d.Quantity})
	name, f := p.open(&r.Reserved, record, reservation, d)
	if f.Channel == "" {
		f.Channel = d.Channel
	}
	f.Due = d.Due
	switch {
	case d.Due == 0:
	case d.Due <= p.meta.Watermark:
		p.end(r, record, &f)
	default:
		p.meta.NextLapse = min(p.meta.NextLapse, d.Due)
		p.put(p.named(keyLapse, number8(uint64(d.Due))+name), forever, nil)
	}
	p.keep(name, &f)
}

// end lets a reservation lapse.
func (p *partition) end(r *record, name string, f *reference) {
	if f.Open > 0 {
		f.Last = max(f.Last, f.Due)
		r.Reserved -= f.Open
		p.move(r, name, f.Due, movement{Channel: f.Channel, Consumed: -f.Open})
	}
	f.Open, f.Due = 0, 0
}

// lapse ends what lapses up to now, one after another, each with a batch of its own.
func (p *partition) lapse(now inventory.Millis) {
	var due []string // as in keys
	lower := p.named(keyLapse, "")
	prefix := len(lower)
	p.meta.NextLapse = forever
	p.scan(lower, prefix, func(key, _ []byte) bool {
		if at := until(key[prefix:]); at > now {
			p.meta.NextLapse = at
			return false
		}
		due = append(due, string(key[prefix:]))
		return true
	})
	for _, d := range due {
		at, name := until([]byte(d)), d[8:]
		p.meta.Watermark = max(p.meta.Watermark, at)
		p.delete(p.named(keyLapse, d))
		var f reference
		if !p.get(p.named(keyReference, name), &f) || f.Due != at { // forgotten, or due at another time since
			p.commit()
			continue
		}
		parts := strings.SplitN(name, "\x00", 3)
		sku, location := parts[0], parts[1]
		key := sku + "\x00" + location
		r := p.record(key)
		p.end(r, key, &f)
		p.keep(name, &f)
		p.finish(r, key, &inventory.Delta{SKU: sku, Location: location})
	}
}
