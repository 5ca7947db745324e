package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// PageMoves is how many moves the ledger itself holds before they are closed into
// a page: about 0.5 KiB coded.
const PageMoves = 64

// History calls yield for every move that was closed into a page and is not
// older than since, in any order.
type History func(since inventory.Millis, yield func(Move)) error

// Channel is what a key knows of one sales channel. A channel is known from the
// first sale, reservation, listing or ring-fence that names it, and never forgotten.
type Channel struct {
	Name   string
	Listed Register // what it shows as sellable
	Fence  Register // its ring-fence as set

	// consumed is the sum of the channel's consumption with time ≥ Fence.Time, gone that with time ≥ Listed.Time.
	consumed, gone int64
}

// Shown returns what the channel shows as sellable, as far as is known: what it said last, less what it sold since, for a
// listing goes down with its own sales; from 0 on. It is 0 for one that never said.
func (c *Channel) Shown() int64 { return max(c.Listed.Value-max(c.gone, 0), 0) }

// Fenced returns what the channel's ring-fence still holds, from 0 to what was set.
func (c *Channel) Fenced() int64 {
	return min(max(c.Fence.Value-c.consumed, 0), c.Fence.Value)
}

// Ledger is the stock of one key. The zero Ledger is a key of which nothing is known.
//
// Invariant: OnHand = Counted.Value + Σ OnHand of all moves with Time ≥
// Counted.Time; and likewise each channel's consumed with its Fence.
type Ledger struct {
	inventory.Quantities
	Counted  Register  // the latest count
	Channels []Channel // in order of becoming known
	names    string    // of all channels, one after the other

	Price   int64 // last known unit price, minor units; 0: unknown
	priceAt inventory.Millis

	safety   Register
	setters  []byte           // of all registers, as [Ledger.setter] says
	moves    Moves            // the newest
	pagedEnd inventory.Millis // greatest time of any closed page; 0: none
	pages    uint32           // how many pages were ever closed
}

// Check returns why d would take one of the ledger's totals beyond ±QuantityMax,
// and nil where it would not. It changes nothing. An error comes from history alone.
func (l *Ledger) Check(d *inventory.Delta, history History) (*inventory.Invalid, error) {
	total, now := "", int64(0)
	switch d.Kind {
	case inventory.Count:
		return l.checkCount(d, history)
	case inventory.Sale, inventory.Ship, inventory.TransferOut:
		total, now = "on_hand", l.OnHand-d.Quantity
	case inventory.Return, inventory.Receipt, inventory.TransferIn, inventory.Adjust:
		total, now = "on_hand", l.OnHand+d.Quantity
	case inventory.Block:
		total, now = "unavailable", l.Unavailable+d.Quantity
	case inventory.Unblock:
		total, now = "unavailable", l.Unavailable-d.Quantity
	case inventory.Reserve:
		total, now = "reserved", l.Reserved+d.Quantity
	case inventory.ASN:
		total, now = "inbound", l.Inbound+d.Quantity
	}
	if bad := beyond(total, now); bad != nil {
		return bad, nil
	}
	if d.Kind == inventory.Return && d.Reason != Sellable {
		return beyond("unavailable", l.Unavailable+d.Quantity), nil
	}
	return nil, nil
}

// checkCount is Check for a count: what moved since its time may be far more than what on-hand came to.
func (l *Ledger) checkCount(d *inventory.Delta, history History) (*inventory.Invalid, error) {
	if !l.precedes(&l.Counted, d) {
		return nil, nil
	}
	moved, err := l.since(d.Time, 0, history)
	if err != nil {
		return nil, err
	}
	return beyond("on_hand", d.Quantity+moved.onHand.value()), nil
}

// CheckReserved is Check for a reserve that adds so much to what is reserved.
func (l *Ledger) CheckReserved(gain int64) *inventory.Invalid {
	return beyond("reserved", l.Reserved+gain)
}

// CheckInTransit is Check for the receiving end of a transfer_out.
func (l *Ledger) CheckInTransit(q int64) *inventory.Invalid {
	return beyond("in_transit", l.InTransit+q)
}

func beyond(total string, q int64) *inventory.Invalid {
	if q <= inventory.QuantityMax && q >= -inventory.QuantityMax {
		return nil
	}
	return &inventory.Invalid{Reason: inventory.Overflow, Field: "quantity", Detail: total + " would go beyond ±(2^53−1)"}
}

// Sellable is the disposition of a return that goes back on sale.
const Sellable = "sellable"

// Apply applies what d does to the key itself: everything but its [Timeline].
// The caller has seen Check agree. An error comes from history alone.
func (l *Ledger) Apply(d *inventory.Delta, history History) error {
	if d.Price > 0 && (d.Time > l.priceAt || d.Time == l.priceAt && d.Price > l.Price) {
		l.Price, l.priceAt = d.Price, d.Time
	}
	q := d.Quantity
	switch d.Kind {
	case inventory.Sale:
		l.move(Move{d.Time, -q, l.channel(d.Channel) + 1, q})
	case inventory.Reserve:
		l.move(Move{d.Time, 0, l.channel(d.Channel) + 1, q})
	case inventory.Ship, inventory.TransferOut:
		l.move(Move{Time: d.Time, OnHand: -q})
	case inventory.Return:
		l.move(Move{Time: d.Time, OnHand: q})
		if d.Reason != Sellable {
			l.Unavailable += q
		}
	case inventory.Receipt, inventory.TransferIn, inventory.Adjust:
		l.move(Move{Time: d.Time, OnHand: q})
	case inventory.Block:
		l.Unavailable += q
	case inventory.Unblock:
		l.Unavailable -= q
	case inventory.Count:
		if l.precedes(&l.Counted, d) {
			return l.count(d, history)
		}
	case inventory.Safety:
		if l.precedes(&l.safety, d) {
			l.set(&l.safety, d)
			l.Safety = q
		}
	case inventory.Listing:
		at := l.channel(d.Channel)
		if l.precedes(&l.Channels[at].Listed, d) {
			return l.list(at, d, history)
		}
	case inventory.Allocate:
		at := l.channel(d.Channel)
		if l.precedes(&l.Channels[at].Fence, d) {
			return l.fence(at, d, history)
		}
	}
	return nil
}

// Consume records that a timeline gave back, or took again, part of what its
// reservation had consumed of the channel's ring-fence.
func (l *Ledger) Consume(e Effect) {
	l.move(Move{Time: e.Time, Channel: l.channel(e.Channel) + 1, Consumed: e.Consumed})
}

// Find returns the channel of that name, and nil where it is not known.
func (l *Ledger) Find(name string) *Channel {
	for i := range l.Channels {
		if l.Channels[i].Name == name {
			return &l.Channels[i]
		}
	}
	return nil
}

// ChannelATP returns what channel i may still be promised: ATP less what the
// other channels' ring-fences still hold.
func (l *Ledger) ChannelATP(i int) int64 {
	atp := l.ATP()
	for j := range l.Channels {
		if j != i {
			atp -= l.Channels[j].Fenced()
		}
	}
	return atp
}

// OnHandAt returns what on-hand was just before time: what a count at time is compared with.
// It is exact where time lies within the lateness of the watermark.
func (l *Ledger) OnHandAt(time inventory.Millis, history History) (int64, error) {
	moved, err := l.since(max(time, l.Counted.Time), 0, history)
	return l.OnHand - moved.onHand.value(), err
}

// channel returns the index of the channel of that name, made known if it was not.
func (l *Ledger) channel(name string) int {
	for i := range l.Channels {
		if l.Channels[i].Name == name {
			return i
		}
	}
	l.names += strings.Clone(name) // of a delta, whose memory is lent
	l.Channels = append(l.Channels, Channel{Name: name})
	l.nameChannels()
	return len(l.Channels) - 1
}

// nameChannels cuts the channels' names out of names; those that they have say how long each is.
func (l *Ledger) nameChannels() {
	rest := l.names
	for i := range l.Channels {
		c := &l.Channels[i]
		c.Name, rest = rest[:len(c.Name)], rest[len(c.Name):]
	}
}

// move applies m and notes it in the journal.
func (l *Ledger) move(m Move) {
	if m.Time >= l.Counted.Time {
		l.OnHand += m.OnHand
	}
	if m.Channel > 0 {
		c := &l.Channels[m.Channel-1]
		if m.Time >= c.Fence.Time {
			c.consumed = min(max(c.consumed+m.Consumed, -sumMax), sumMax)
		}
		if c.Listed.Time != 0 && m.Time >= c.Listed.Time {
			c.gone = min(max(c.gone+m.Consumed, -sumMax), sumMax)
		}
	}
	l.moves.add(m)
}

// count makes d the latest count: its quantity, and on top what moved since its time.
func (l *Ledger) count(d *inventory.Delta, history History) error {
	moved, err := l.since(d.Time, 0, history)
	if err != nil {
		return err
	}
	l.set(&l.Counted, d)
	l.OnHand = d.Quantity + moved.onHand.value()
	return nil
}

// fence makes d the ring-fence of channel at.
func (l *Ledger) fence(at int, d *inventory.Delta, history History) error {
	moved, err := l.since(d.Time, at+1, history)
	if err != nil {
		return err
	}
	l.set(&l.Channels[at].Fence, d)
	l.Channels[at].consumed = moved.consumed.value()
	return nil
}

// list makes d what channel at shows.
func (l *Ledger) list(at int, d *inventory.Delta, history History) error {
	moved, err := l.since(d.Time, at+1, history)
	if err != nil {
		return err
	}
	l.set(&l.Channels[at].Listed, d)
	l.Channels[at].gone = moved.consumed.value()
	return nil
}

// Around returns between which figures on-hand may have stood for somebody who at some moment between two times (both
// included) had heard of some of the movements between them, and of others not; moments before the latest count are that of the
// count. It is exact where from lies within the lateness of the watermark. room is lent for the work.
func (l *Ledger) Around(from, to inventory.Millis, history History, room []Move) (low, high int64, used []Move, err error) {
	from = max(from, l.Counted.Time)
	moves := room[:0]
	later := sum{}
	take := func(m Move) {
		if m.Time > to {
			later.add(m.OnHand)
		} else if m.OnHand != 0 {
			moves = append(moves, m)
		}
	}
	if l.pagedEnd >= from {
		if err := history(from, take); err != nil {
			return 0, 0, moves, err
		}
	}
	if err := l.moves.Each(from, take); err != nil {
		return 0, 0, moves, err
	}
	// What comes at one moment is one movement, whatever its order of arrival.
	slices.SortFunc(moves, func(a, b Move) int { return cmp.Compare(a.Time, b.Time) })
	up, down := sum{}, sum{}
	for i := 0; i < len(moves); {
		net := sum{}
		at := moves[i].Time
		for ; i < len(moves) && moves[i].Time == at; i++ {
			net.add(moves[i].OnHand)
		}
		if units := net.value(); units > 0 {
			up.add(units)
		} else {
			down.add(units)
		}
	}
	after := l.OnHand - later.value()
	return after - up.value(), after - down.value(), moves, nil
}

// tally is what moves add up to.
type tally struct {
	channel          int // of which consumed is, as in Move
	onHand, consumed sum
}

// sum adds up any number of units without going round: what goes there and back many times within the
// lateness may come to more than an int64 holds.
type sum struct{ high, low int64 }

const (
	sumBits = 32

	// sumMax is what is as good as without end: no two of it, or of quantities, leave the range of an int64.
	sumMax = 1 << 61
)

func (s *sum) add(units int64) {
	s.high += units >> sumBits
	s.low += units & (1<<sumBits - 1)
}

// value returns the sum, or what is as good as that, from −sumMax to sumMax.
func (s *sum) value() int64 {
	high := s.high + s.low>>sumBits
	if limit := int64(sumMax >> sumBits); high >= limit || high < -limit {
		if high > 0 {
			return sumMax
		}
		return -sumMax
	}
	return high<<sumBits + s.low&(1<<sumBits-1)
}

func (t *tally) add(m Move) {
	t.onHand.add(m.OnHand)
	if m.Channel == t.channel {
		t.consumed.add(m.Consumed)
	}
}

// since adds up every move of the journal that is not before time.
func (l *Ledger) since(time inventory.Millis, channel int, history History) (tally, error) {
	moved := tally{channel: channel}
	if l.pagedEnd >= time {
		paged := tally{channel: channel} // apart, because what history gets is allocated
		if err := history(time, paged.add); err != nil {
			return tally{}, err
		}
		moved = paged
	}
	err := l.moves.Each(time, moved.add)
	return moved, err
}

// Page is moves that left the ledger.
type Page struct {
	Number uint32           // rising per key
	End    inventory.Millis // greatest time in it
	Moves  Moves
}

// ClosePage hands out the moves held here once they fill a page, and reports
// whether they did. What is older than horizon, and nothing can ask for any more,
// is dropped first. The page's Moves are the caller's. An error says that what was read from the
// store is broken.
func (l *Ledger) ClosePage(horizon inventory.Millis) (Page, bool, error) {
	l.settle(horizon)
	if l.moves.Len() < PageMoves {
		return Page{}, false, nil
	}
	page := Page{Number: l.pages}
	page.Moves.coded = make([]byte, 0, len(l.moves.coded))
	err := l.moves.Each(horizon, page.Moves.add)
	if err != nil {
		return Page{}, false, err
	}
	if page.Moves.Len() < PageMoves/2 {
		l.moves = page.Moves
		return Page{}, false, nil
	}
	page.End = page.Moves.end
	l.pages++
	l.pagedEnd = max(l.pagedEnd, page.End)
	l.moves.reset()
	return page, true, nil
}
