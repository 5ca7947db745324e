package ledger

import (
	"fmt"
	"slices"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Move is a change of on-hand, of what a channel consumed of its ring-fence, or of both.
type Move struct {
	Time     inventory.Millis
	OnHand   int64 // signed units
	Channel  int   // index into Ledger.Channels plus one; 0: no channel's consumption
	Consumed int64 // signed units
}

// Moves is a list of moves in order of arrival. All but the last are held as they are stored: some five bytes
// a move, where a Move takes 32, so that writing them is copying and a record stays small.
// The zero Moves is empty.
type Moves struct {
	n      int
	coded  []byte           // of all moves but the last
	before inventory.Millis // time of the last move in coded; 0: none
	end    inventory.Millis // greatest time of any move
	last   Move
}

// Len returns how many moves there are.
func (m *Moves) Len() int { return m.n }

// add appends a move, or adds it to the last one where time and channel are the same.
func (m *Moves) add(move Move) {
	m.end = max(m.end, move.Time)
	if m.n > 0 {
		if m.last.Time == move.Time && m.last.Channel == move.Channel {
			m.last.OnHand += move.OnHand
			m.last.Consumed += move.Consumed
			return
		}
		m.coded = appendMove(m.coded, &m.last, m.before)
		m.before = m.last.Time
	}
	m.n++
	m.last = move
}

// reset empties m and keeps its memory.
func (m *Moves) reset() { *m = Moves{coded: m.coded[:0]} }

// Each calls yield for every move that is not before since. An error says that what was read
// from the store is broken.
func (m *Moves) Each(since inventory.Millis, yield func(Move)) error {
	if m.n == 0 || m.end < since {
		return nil
	}
	r := wire.NewReader(m.coded)
	before := inventory.Millis(0)
	for range m.n - 1 {
		move := readMove(r, before)
		before = move.Time
		if move.Time >= since && !r.Failed() {
			yield(move)
		}
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("read a list of %d moves: %w", m.n, err)
	}
	if m.last.Time >= since {
		yield(m.last)
	}
	return nil
}

// Append appends the bytes of m.
func (m *Moves) Append(dst []byte) []byte {
	var c chain
	return m.append(dst, &c)
}

// Read reads what Append wrote. Errors stay in r, but for those that [Moves.Each] finds.
func (m *Moves) Read(r *wire.Reader) {
	var c chain
	m.read(r, &c)
}

func (m *Moves) append(dst []byte, c *chain) []byte {
	dst = wire.AppendUint(dst, uint64(m.n))
	if m.n == 0 {
		return dst
	}
	dst = c.append(dst, m.end)
	dst = c.append(dst, m.last.Time)
	dst = appendUnits(dst, &m.last)
	if m.n == 1 {
		return dst
	}
	dst = c.append(dst, m.before)
	dst = wire.AppendUint(dst, uint64(len(m.coded)))
	return append(dst, m.coded...)
}

func (m *Moves) read(r *wire.Reader, c *chain) {
	*m = Moves{n: r.Count()}
	if m.n == 0 {
		return
	}
	m.end = c.read(r)
	m.last.Time = c.read(r)
	readUnits(r, &m.last)
	if m.n == 1 {
		return
	}
	m.before = c.read(r)
	m.coded = slices.Clone(r.Take(r.Count()))
}

// appendMove appends a move: its time as the distance from that of the one before, then its units.
func appendMove(dst []byte, m *Move, before inventory.Millis) []byte {
	return appendUnits(wire.AppendInt(dst, m.Time-before), m)
}

func readMove(r *wire.Reader, before inventory.Millis) Move {
	m := Move{Time: before + inventory.Millis(r.Int())}
	readUnits(r, &m)
	return m
}

// What of a move's units is stored, in the two lowest bits before its channel.
const (
	_        = iota // both: on-hand, and consumed where there is a channel
	sold            // on-hand; consumed is what left it
	reserved        // consumed; on-hand is as it was

	unitBits = 2
)

func appendUnits(dst []byte, m *Move) []byte {
	head := uint64(m.Channel) << unitBits
	switch {
	case m.Channel == 0:
		return wire.AppendInt(wire.AppendUint(dst, head), m.OnHand)
	case m.Consumed == -m.OnHand:
		return wire.AppendInt(wire.AppendUint(dst, head|sold), m.OnHand)
	case m.OnHand == 0:
		return wire.AppendInt(wire.AppendUint(dst, head|reserved), m.Consumed)
	}
	return wire.AppendInt(wire.AppendInt(wire.AppendUint(dst, head), m.OnHand), m.Consumed)
}

func readUnits(r *wire.Reader, m *Move) {
	head := r.Uint()
	m.Channel = int(head >> unitBits)
	switch head & (1<<unitBits - 1) {
	case sold:
		m.OnHand = r.Int()
		m.Consumed = -m.OnHand
	case reserved:
		m.Consumed = r.Int()
	default:
		m.OnHand = r.Int()
		if m.Channel > 0 {
			m.Consumed = r.Int()
		}
	}
}
