package oracle

import (
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// sellable is the disposition of a return that goes back on sale.
const sellable = "sellable"

// Availability works out the stock of one key. Held is left false: it is [Oversell]'s.
func (m *Model) Availability(sku, location string) inventory.Availability {
	key := inventory.Key{SKU: sku, Location: location}
	log, timelines := m.log[key], m.timelines(key)
	a := inventory.Availability{SKU: sku, Location: location, Channels: []inventory.ChannelAvailability{}}
	a.OnHand, a.CountedAt = onHand(log)
	a.Unavailable = unavailable(log)
	if d := latest(log, inventory.Safety, ""); d != nil {
		a.Safety = d.Quantity
	}
	for r, t := range timelines {
		switch r.class {
		case reservation:
			a.Reserved += t.open
		case inbound:
			a.Inbound += t.open
		case inTransit:
			a.InTransit += t.open
		}
	}
	a.Price = price(log)
	a.Available = a.OnHand - a.Unavailable
	a.ATP = a.Available - a.Reserved - a.Safety
	consumed := consumption(log, timelines)
	for _, name := range channels(log) {
		c := inventory.ChannelAvailability{Channel: name, ATP: a.ATP}
		if d := latest(log, inventory.Allocate, name); d != nil {
			c.Allocated = d.Quantity
			c.Fenced = min(max(d.Quantity-consumedSince(consumed, name, d.Time), 0), d.Quantity)
		}
		if d := latest(log, inventory.Listing, name); d != nil {
			c.Listed = &d.Quantity
		}
		a.Channels = append(a.Channels, c)
	}
	for i := range a.Channels {
		for j := range a.Channels {
			if i != j {
				a.Channels[i].ATP -= a.Channels[j].Fenced
			}
		}
	}
	return a
}

// Network works out the stock of one SKU at all of its locations. Held is left
// false, and no location is left out for being held: that is [Oversell]'s.
func (m *Model) Network(sku string) inventory.SKUAvailability {
	return m.network(sku, func(channel, location string) bool { return false })
}

func (m *Model) network(sku string, held func(channel, location string) bool) inventory.SKUAvailability {
	n := inventory.SKUAvailability{SKU: sku}
	n.EventTime = m.watermark
	var all []int64
	names := map[string]struct{}{}
	for _, location := range slices.Sorted(maps.Keys(m.locations[sku])) {
		a := m.Availability(sku, location)
		for i := range a.Channels {
			c := &a.Channels[i]
			c.Held = held(c.Channel, location)
			names[c.Channel] = struct{}{}
		}
		all = append(all, max(0, a.ATP))
		n.Locations = append(n.Locations, a)
	}
	n.ATP = sum(all)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var all []int64
		c := inventory.NetworkChannel{Channel: name, Held: held(name, inventory.Network)}
		for _, a := range n.Locations {
			if !held(name, a.Location) {
				all = append(all, max(0, a.ATP))
			}
		}
		c.ATP = sum(all)
		n.Channels = append(n.Channels, c)
	}
	return n
}

// sum adds up; what an int64 does not hold is the last that it does, on either side of zero.
func sum(all []int64) int64 {
	var exact big.Int
	for _, v := range all {
		exact.Add(&exact, big.NewInt(v))
	}
	switch {
	case exact.IsInt64():
		return max(exact.Int64(), -math.MaxInt64)
	case exact.Sign() > 0:
		return math.MaxInt64
	}
	return -math.MaxInt64
}

// onHand is the latest count and every movement that is not before it.
func onHand(log []entry) (q int64, counted inventory.Millis) {
	if count := latest(log, inventory.Count, ""); count != nil {
		q, counted = count.Quantity, count.Time
	}
	for _, e := range log {
		if e.Time < counted || e.arriving {
			continue
		}
		switch e.Kind {
		case inventory.Sale, inventory.Ship, inventory.TransferOut:
			q -= e.Quantity
		case inventory.Return, inventory.Receipt, inventory.TransferIn, inventory.Adjust:
			q += e.Quantity
		}
	}
	return q, counted
}

func unavailable(log []entry) (q int64) {
	for _, e := range log {
		switch {
		case e.Kind == inventory.Block, e.Kind == inventory.Return && e.Reason != sellable:
			q += e.Quantity
		case e.Kind == inventory.Unblock:
			q -= e.Quantity
		}
	}
	return q
}

// latest returns the latest delta of that kind, of that channel where one is
// given; at equal times the one with the greater id. nil: there is none.
func latest(log []entry, kind inventory.Kind, channel string) *inventory.Delta {
	var found *inventory.Delta
	for i := range log {
		d := &log[i].Delta
		if d.Kind != kind || channel != "" && d.Channel != channel {
			continue
		}
		if found == nil || d.Time > found.Time || d.Time == found.Time && greaterID(d, found) {
			found = d
		}
	}
	return found
}

// greaterID: the longer id, then by bytes, then by source.
func greaterID(a, b *inventory.Delta) bool {
	if len(a.ID) != len(b.ID) {
		return len(a.ID) > len(b.ID)
	}
	if a.ID != b.ID {
		return a.ID > b.ID
	}
	return a.Source > b.Source
}

// price is that of the latest delta with a price; at equal times the greater.
func price(log []entry) int64 {
	var at inventory.Millis
	var p int64
	for _, e := range log {
		if e.arriving || e.Price == 0 {
			continue
		}
		if e.Time > at || e.Time == at && e.Price > p {
			at, p = e.Time, e.Price
		}
	}
	return p
}

// channels are those that a sale, reserve, listing or allocate named, by name.
func channels(log []entry) []string {
	names := map[string]struct{}{}
	for _, e := range log {
		switch e.Kind {
		case inventory.Sale, inventory.Reserve, inventory.Listing, inventory.Allocate:
			names[e.Channel] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// consumed is what a channel took of its ring-fence at a time, or gave back where it is negative.
type consumed struct {
	channel string
	time    inventory.Millis
	units   int64
}

// consumption is what every channel consumed: its sales and reservations, less what
// was released of them and what lapsed.
func consumption(log []entry, timelines map[reference]timeline) []consumed {
	var all []consumed
	for _, e := range log {
		if e.Kind == inventory.Sale || e.Kind == inventory.Reserve {
			all = append(all, consumed{e.Channel, e.Time, e.Quantity})
		}
	}
	for _, t := range timelines {
		all = append(all, t.givenBack...)
	}
	return all
}

func consumedSince(all []consumed, channel string, since inventory.Millis) (units int64) {
	for _, c := range all {
		if c.channel == channel && c.time >= since {
			units += c.units
		}
	}
	return units
}
