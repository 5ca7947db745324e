package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/window"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Status is how far a partition has come.
type Status struct {
	Watermark inventory.Millis
	Sequence  uint64 // of the last message applied
	Counters  Counters
	Standing  Standing
}

// ReadStatus returns how far the partition in store had come when it was last flushed.
func ReadStatus(store Store) (Status, error) {
	m, err := readMeta(store)
	if err != nil {
		return Status{}, err
	}
	p, err := readPace(store)
	return Status{m.watermark, m.sequence, m.counters, m.stands(&p)}, err
}

// ReadKey returns the availability of one key as of the last flush; false where no
// delta has named it.
func ReadKey(store Store, sku, location string) (inventory.Availability, bool, error) {
	key := appendRecordKey([]byte{keyRecord}, sku, location)
	coded, err := store.Get(key)
	if err != nil || coded == nil {
		return inventory.Availability{}, false, err
	}
	r, err := decodeRecord(key, coded)
	if err != nil {
		return inventory.Availability{}, false, err
	}
	return availability(sku, location, r), true, nil
}

// ReadWindows returns the windows of a key as of the last flush.
func ReadWindows(store Store, sku, location string) (window.Windows, error) {
	key := appendRecordKey([]byte{keyRecord}, sku, location)
	coded, err := store.Get(key)
	if err != nil || coded == nil {
		return window.Windows{}, err
	}
	r, err := decodeRecord(key, coded)
	if err != nil {
		return window.Windows{}, err
	}
	return r.windows, nil
}

// ReadSKU returns the availability of a SKU at all of its locations as of the last flush;
// false where no delta has named it. Its Position is left empty.
func ReadSKU(store Store, sku string) (inventory.SKUAvailability, bool, error) {
	all := inventory.SKUAvailability{SKU: sku, Channels: []inventory.NetworkChannel{}, Locations: []inventory.Availability{}}
	lower := append(append([]byte{keyRecord}, sku...), 0)
	upper := append(append([]byte{keyRecord}, sku...), 1)
	var bad error
	err := store.Scan(lower, upper, func(key, coded []byte) bool {
		var r *record
		if r, bad = decodeRecord(key, coded); bad != nil {
			return false
		}
		_, location := splitRecordKey(string(key[1:]))
		all.Locations = append(all.Locations, availability(sku, location, r))
		return true
	})
	if err == nil {
		err = bad
	}
	if err != nil || len(all.Locations) == 0 {
		return all, false, err
	}
	held, err := heldInNetwork(store, sku)
	if err != nil {
		return all, false, err
	}
	addNetwork(&all, held)
	return all, true, nil
}

// addNetwork adds up the locations, per channel without those held for it.
func addNetwork(all *inventory.SKUAvailability, held map[string]bool) {
	names := map[string]bool{}
	var sum total
	for i := range all.Locations {
		l := &all.Locations[i]
		sum.add(max(l.ATP, 0))
		for _, c := range l.Channels {
			names[c.Channel] = true
		}
	}
	all.ATP = sum.shown()
	for name := range names {
		n := inventory.NetworkChannel{Channel: name, Held: held[name]}
		var sum total
		for i := range all.Locations {
			if l := &all.Locations[i]; !isHeld(l.Channels, name) {
				sum.add(max(l.ATP, 0))
			}
		}
		n.ATP = sum.shown()
		all.Channels = append(all.Channels, n)
	}
	slices.SortFunc(all.Channels, func(a, b inventory.NetworkChannel) int { return strings.Compare(a.Channel, b.Channel) })
}

func isHeld(channels []inventory.ChannelAvailability, name string) bool {
	return slices.ContainsFunc(channels, func(c inventory.ChannelAvailability) bool { return c.Channel == name && c.Held })
}

func heldInNetwork(store Store, sku string) (map[string]bool, error) {
	coded, err := store.Get(append([]byte{keyNetwork}, sku...))
	if err != nil || coded == nil {
		return nil, err
	}
	var n network
	r := wire.NewReader(coded)
	n.read(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("read network of %q: %w", sku, err)
	}
	held := map[string]bool{}
	for i, name := range n.channels {
		held[name] = n.directives[i].held()
	}
	return held, nil
}

func decodeRecord(key, coded []byte) (*record, error) {
	rec := &record{}
	r := wire.NewReader(coded)
	rec.read(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("read record %q: %w", key, err)
	}
	return rec, nil
}

func availability(sku, location string, r *record) inventory.Availability {
	a := inventory.Availability{
		SKU:        sku,
		Location:   location,
		Quantities: r.Quantities,
		Available:  r.Available(),
		ATP:        r.ATP(),
		Channels:   make([]inventory.ChannelAvailability, 0, len(r.Channels)),
		CountedAt:  r.Counted.Time,
		Price:      r.Price,
	}
	for i := range r.Channels {
		a.Channels = append(a.Channels, channelAvailability(r, i, &r.Channels[i]))
	}
	slices.SortFunc(a.Channels, func(a, b inventory.ChannelAvailability) int { return strings.Compare(a.Channel, b.Channel) })
	return a
}

func channelAvailability(r *record, i int, c *ledger.Channel) inventory.ChannelAvailability {
	a := inventory.ChannelAvailability{
		Channel:   c.Name,
		ATP:       r.ChannelATP(i),
		Allocated: c.Fence.Value,
		Fenced:    c.Fenced(),
	}
	if i < len(r.directives) {
		d := &r.directives[i]
		a.Held = d.held()
		if d.throttled() {
			a.Throttled = &d.most
		}
	}
	if c.Listed.Time != 0 {
		listed := c.Listed.Value
		a.Listed = &listed
	}
	return a
}

// ReadException returns an exception as of the last flush; false where there is none of that id.
func ReadException(store Store, id string) (inventory.Exception, bool, error) {
	var x exception
	coded, err := store.Get(append([]byte{keyException}, id...))
	if err != nil || coded == nil {
		return x.Exception, false, err
	}
	r := wire.NewReader(coded)
	x.read(r)
	if err := r.Done(); err != nil {
		return x.Exception, false, fmt.Errorf("read exception %s: %w", id, err)
	}
	return x.Exception, true, nil
}

// Rank is an exception's place in a list: those that stand before those that ended, then
// the greater exposure, then by id. As a string it sorts that way. "" is before all.
type Rank string

// ReadExceptions calls yield for the exceptions after a place in the list, in order, as of the
// last flush, until it returns false.
func ReadExceptions(store Store, after Rank, yield func(Rank, *inventory.Exception) bool) error {
	lower := []byte{keyRanked}
	if after != "" {
		lower = append(append(lower, after...), 0)
	}
	// The ids first: a Store does not promise Get within Scan.
	const page = 256
	for {
		var ranks []Rank
		err := store.Scan(lower, []byte{keyRanked + 1}, func(key, _ []byte) bool {
			ranks = append(ranks, Rank(key[1:]))
			return len(ranks) < page
		})
		if err != nil {
			return err
		}
		for _, rank := range ranks {
			x, ok, err := ReadException(store, idOfRankedKey(append([]byte{keyRanked}, rank...)))
			if err != nil {
				return err
			}
			if ok && !yield(rank, &x) {
				return nil
			}
		}
		if len(ranks) < page {
			return nil
		}
		lower = append(append([]byte{keyRanked}, ranks[len(ranks)-1]...), 0)
	}
}

// ReadOrdinal returns the ordinal of the last thing that the partition in store had said when it was last flushed.
func ReadOrdinal(store Store) (uint64, error) {
	m, err := readMeta(store)
	return m.ordinal, err
}
