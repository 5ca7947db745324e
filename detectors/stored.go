package detectors

import (
	"encoding/binary"
	"math"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// How many bytes of a float64 are kept, the first of which are sign and exponent: a belief is written with every change of
// its record, and what it says is not known that well. n bytes are right to 2^−(8n−11).
const (
	sumBytes   = 5 // sums that events are added to one by one: 4e-9
	clockBytes = 6 // moments on the clock: 20 ms in a century
	oddsBytes  = 4 // 1e-6
	roughBytes = 3 // what is a rule of thumb: 2e-4

	hazardLeast = 1.0 / 1024 // of hazard: less is none
)

// short returns x rounded to its first bytes.
func short(x float64, bytes int) float64 {
	drop := 64 - 8*bytes
	return math.Float64frombits((math.Float64bits(x) + 1<<(drop-1)) >> drop << drop)
}

// shorten makes each number what it will be once it was written and read: when that happens depends on how much memory there
// is, and must not show.
func (b *Belief) shorten() {
	b.events = short(b.events, sumBytes)
	b.hours = short(b.hours, sumBytes)
	b.since = short(b.since, clockBytes)
	b.silent = short(b.silent, sumBytes)
	b.prior = short(b.prior, oddsBytes)
	b.odds = short(b.odds, oddsBytes)
	b.mark = short(b.mark, sumBytes)
	b.evidence = short(b.evidence, oddsBytes)
	if b.hazard = short(b.hazard, roughBytes); b.hazard < hazardLeast {
		b.hazard = 0
	}
}

// The flags of a written belief: what is true of it, and which of its numbers follow, as they are not zero.
const (
	flagStarted = 1 << iota
	flagPaused
	flagSold // events, hours
	flagSilent
	flagEvidence // odds, mark, evidence
	flagHazard
	flagPicks // emptyPicks, lastRef
)

func (b *Belief) flags() uint64 {
	return flagIf(b.started, flagStarted) | flagIf(b.paused, flagPaused) |
		flagIf(b.events != 0 || b.hours != 0, flagSold) |
		flagIf(b.silent != 0, flagSilent) |
		flagIf(b.odds != 0 || b.mark != 0 || b.evidence != 0, flagEvidence) |
		flagIf(b.hazard != 0, flagHazard) |
		flagIf(b.emptyPicks != 0 || b.lastRef != 0, flagPicks)
}

func flagIf(set bool, flag uint64) uint64 {
	if set {
		return flag
	}
	return 0
}

// Append appends the belief's bytes.
func (b *Belief) Append(dst []byte) []byte {
	flags := b.flags()
	dst = wire.AppendUint(dst, flags)
	if !b.started {
		return dst
	}
	dst = appendShort(dst, b.since, clockBytes)
	dst = wire.AppendInt(dst, b.provedAt)
	dst = appendShort(dst, b.prior, oddsBytes)
	dst = appendShort(dst, b.armed, roughBytes)
	if flags&flagSold != 0 {
		dst = appendShort(dst, b.events, sumBytes)
		dst = appendShort(dst, b.hours, sumBytes)
	}
	if flags&flagSilent != 0 {
		dst = appendShort(dst, b.silent, sumBytes)
	}
	if flags&flagEvidence != 0 {
		dst = appendShort(dst, b.odds, oddsBytes)
		dst = appendShort(dst, b.mark, sumBytes)
		dst = appendShort(dst, b.evidence, oddsBytes)
	}
	if flags&flagHazard != 0 {
		dst = appendShort(dst, b.hazard, roughBytes)
	}
	if flags&flagPicks != 0 {
		dst = wire.AppendInt(dst, b.emptyPicks)
		dst = wire.AppendUint(dst, b.lastRef)
	}
	return dst
}

// Read reads what Append wrote. Errors stay in r.
func (b *Belief) Read(r *wire.Reader) {
	flags := r.Uint()
	*b = Belief{started: flags&flagStarted != 0, paused: flags&flagPaused != 0}
	if !b.started {
		return
	}
	b.since = readShort(r, clockBytes)
	b.provedAt = inventory.Millis(r.Int())
	b.prior = readShort(r, oddsBytes)
	b.armed = readShort(r, roughBytes)
	if flags&flagSold != 0 {
		b.events = readShort(r, sumBytes)
		b.hours = readShort(r, sumBytes)
	}
	if flags&flagSilent != 0 {
		b.silent = readShort(r, sumBytes)
	}
	if flags&flagEvidence != 0 {
		b.odds = readShort(r, oddsBytes)
		b.mark = readShort(r, sumBytes)
		b.evidence = readShort(r, oddsBytes)
	}
	if flags&flagHazard != 0 {
		b.hazard = readShort(r, roughBytes)
	}
	if flags&flagPicks != 0 {
		b.emptyPicks = int(r.Int())
		b.lastRef = r.Uint()
	}
}

// appendShort appends the first bytes of x.
func appendShort(dst []byte, x float64, bytes int) []byte {
	dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(x))
	return dst[:len(dst)-8+bytes]
}

// readShort reads what appendShort wrote.
func readShort(r *wire.Reader, bytes int) float64 {
	var whole [8]byte
	copy(whole[:], r.Take(bytes))
	return math.Float64frombits(binary.BigEndian.Uint64(whole[:]))
}
