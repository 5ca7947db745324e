package detectors

import (
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// seasonMax is when the curve's counts are halved, so that it follows slow change.
const seasonMax = 1 << 16

// tally is how many sales came in how long.
type tally struct {
	sales   uint32
	watched inventory.Millis
}

// count counts a sale in its hour of the week.
func (f *Feed) count(time inventory.Millis) {
	hour := hourOfWeek(time)
	f.season[hour]++
	f.day[hour%24].sales++
	f.total.sales++
	if f.isOpen(time) {
		f.open.sales++
	} else {
		f.changed = true
	}
	if f.total.sales >= seasonMax {
		for i := range f.season {
			f.season[i] /= 2
			f.watched[i] /= 2
		}
		f.open, f.changed = tally{}, true
		f.addUp()
	}
}

// watch adds the time between two moments to the hours that were watched; the clock stands at the later.
func (f *Feed) watch(from, to inventory.Millis) {
	for from < to {
		hour, end := hourOfWeek(from), min(nextHour(from), to)
		span := end - from
		f.watched[hour] += span
		f.day[hour%24].watched += span
		f.total.watched += span
		if f.isOpen(from) {
			f.open.watched += span
		}
		from = end
	}
}

// stand moves the clock's hand. The hour that it leaves, and those that it passes, are the week's from then on.
func (f *Feed) stand(time inventory.Millis) {
	if !f.isOpen(time) {
		f.open, f.changed = tally{}, true
	}
	f.at = time
}

// isOpen reports whether a moment is in the hour in which the clock stands.
func (f *Feed) isOpen(time inventory.Millis) bool { return time/inventory.Hour == f.at/inventory.Hour }

// addUp works out the sums of season and watched.
func (f *Feed) addUp() {
	f.total, f.day = tally{}, [24]tally{}
	for i, n := range f.season {
		f.total.sales += n
		f.total.watched += f.watched[i]
		f.day[i%24].sales += n
		f.day[i%24].watched += f.watched[i]
	}
}

// Append appends the feed's bytes, but for what [Feed.AppendWeek] does.
func (f *Feed) Append(dst []byte) []byte {
	dst = wire.AppendString(dst, f.Source)
	dst = wire.AppendInt(dst, f.lead)
	dst = wire.AppendInt(dst, f.at)
	dst = wire.AppendInt(dst, f.sold)
	for _, x := range f.floats() {
		dst = wire.AppendFloat(dst, *x)
	}
	dst = wire.AppendUint(dst, uint64(f.open.sales))
	return wire.AppendInt(dst, f.open.watched)
}

// Read reads what Append wrote. Errors stay in r.
func (f *Feed) Read(r *wire.Reader) {
	*f = Feed{Source: r.String(), lead: int(r.Int()), at: inventory.Millis(r.Int()), sold: inventory.Millis(r.Int())}
	for _, x := range f.floats() {
		*x = r.Float()
	}
	f.open = tally{uint32(r.Uint()), inventory.Millis(r.Int())}
	f.reopen()
}

// reopen adds the hour in which the clock stands to the others.
func (f *Feed) reopen() {
	hour := hourOfWeek(max(f.at, 0))
	f.season[hour] += f.open.sales
	f.watched[hour] += f.open.watched
	f.addUp()
}

// WeekChanged reports whether what AppendWeek writes is other than when it was last asked: the hours of the week are a kilobyte, and
// change when the clock comes to another hour or a sale is late for its own.
func (f *Feed) WeekChanged() bool {
	changed := f.changed
	f.changed = false
	return changed
}

// AppendWeek appends what is known of the hours of the week, without what came in the one in which the clock stands.
func (f *Feed) AppendWeek(dst []byte) []byte {
	hour := hourOfWeek(max(f.at, 0))
	for i, n := range f.season {
		watched := f.watched[i]
		if i == hour {
			n, watched = n-f.open.sales, watched-f.open.watched
		}
		dst = wire.AppendUint(dst, uint64(n))
		dst = wire.AppendInt(dst, watched)
	}
	return dst
}

// ReadWeek reads what AppendWeek wrote, after Read. Errors stay in r.
func (f *Feed) ReadWeek(r *wire.Reader) {
	for i := range f.season {
		f.season[i] = uint32(r.Uint())
		f.watched[i] = inventory.Millis(r.Int())
	}
	f.reopen()
}

func (f *Feed) floats() [7]*float64 {
	return [...]*float64{&f.clock, &f.events, &f.hours, &f.keyEvents, &f.keyHours, &f.picks, &f.fails}
}
