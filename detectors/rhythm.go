package detectors

import (
	"math"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// rhythmKept is what of earlier measurements each new one leaves: some fifty count. [A]
const rhythmKept = 0.98

// Rhythm is how long something takes from one time to the next: how many were measured, and the sums of the hours and
// of their squares, each discounted. The zero Rhythm was never measured.
type Rhythm struct{ count, hours, squares float64 }

func (r *Rhythm) add(hours float64) {
	r.count = float64(r.count*rhythmKept) + 1
	r.hours = float64(r.hours*rhythmKept) + hours
	r.squares = float64(r.squares*rhythmKept) + float64(hours*hours)
}

// moments returns the mean and the standard deviation in hours, of what was measured at least once.
func (r *Rhythm) moments() (mean, deviation float64) {
	mean = r.hours / r.count
	return mean, math.Sqrt(max(r.squares/r.count-float64(mean*mean), 0)) // a root is the same on every machine
}

const (
	// tickKnown is how many distances between ticks, discounted, a source's rhythm is learned from before it is held to it: ten have come
	// then. tickMissed is how many have to be missing, and tickLate how late one may come. [A]
	tickKnown  = 9
	tickMissed = 2
	tickLate   = 15 * inventory.Minute
)

// Tick takes in how long after the last one a source vouched again: three times the usual at most, for an outage is not its rhythm.
func (r *Rhythm) Tick(after inventory.Millis) {
	hours := inHours(after)
	if r.count >= tickKnown {
		mean, _ := r.moments()
		hours = min(hours, 3*mean)
	}
	r.add(hours)
}

// Silence returns how long a source that vouches in this rhythm has to be silent to be taken for stale: two of its ticks are
// missing, by three standard deviations and a quarter of an hour. 0: not enough is known of it.
func (r *Rhythm) Silence() inventory.Millis {
	if r.count < tickKnown {
		return 0
	}
	mean, deviation := r.moments()
	return inventory.Millis((float64(tickMissed*mean)+float64(3*deviation))*float64(inventory.Hour)) + tickLate
}

// Append appends the rhythm's bytes.
func (r *Rhythm) Append(dst []byte) []byte {
	for _, x := range [...]float64{r.count, r.hours, r.squares} {
		dst = wire.AppendFloat(dst, x)
	}
	return dst
}

// Read reads what Append wrote. Errors stay in in.
func (r *Rhythm) Read(in *wire.Reader) { *r = Rhythm{in.Float(), in.Float(), in.Float()} }

func inHours(t inventory.Millis) float64 { return float64(t) / float64(inventory.Hour) }
