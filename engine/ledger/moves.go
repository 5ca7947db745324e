package ledger

import (
	"fmt"

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

// Moves is a list of moves in order of arrival. All but the last are held as they are stored: some seven bytes
// a move, where a Move takes 32, so that writing them is copying and a record stays small.
// The zero Moves is empty.
type Moves struct {
	n      int
	coded  []byte           // of all moves but the last
	before inventory.Millis // time of the last move in coded; 0: none
	last   Move
}

// Len returns how many moves there are.
func (m *Moves) Len() int { return m.n }

// add appends a move, or adds it to the last one where time and channel are the same.
func (m *Moves) add(move Move) {
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
	if m.n == 0 {
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
	dst = wire.AppendUint(dst, uint64(m.n))
	if m.n == 0 {
		return dst
	}
	dst = wire.AppendUint(dst, uint64(len(m.coded)))
	dst = append(dst, m.coded...)
	dst = wire.AppendInt(dst, m.before)
	return appendMove(dst, &m.last, m.before)
}

// Read reads what Append wrote. Errors stay in r, but for those that [Moves.Each] finds.
func (m *Moves) Read(r *wire.Reader) {
	*m = Moves{n: r.Count()}
	if m.n == 0 {
		return
	}
	m.coded = append(m.coded, r.Take(r.Count())...)
	m.before = inventory.Millis(r.Int())
	m.last = readMove(r, m.before)
}

// appendMove appends a move: its time as the distance from that of the one before.
func appendMove(dst []byte, m *Move, before inventory.Millis) []byte {
	dst = wire.AppendInt(dst, m.Time-before)
	dst = wire.AppendInt(dst, m.OnHand)
	dst = wire.AppendUint(dst, uint64(m.Channel))
	if m.Channel > 0 {
		dst = wire.AppendInt(dst, m.Consumed)
	}
	return dst
}

func readMove(r *wire.Reader, before inventory.Millis) Move {
	m := Move{Time: before + inventory.Millis(r.Int()), OnHand: r.Int(), Channel: int(r.Uint())}
	if m.Channel > 0 {
		m.Consumed = r.Int()
	}
	return m
}
