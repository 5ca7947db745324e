package detectors

import (
	"encoding/binary"
	"math"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// LagMost is the longest lag that is measured: what a channel takes longer to show was held up by something else, or
	// needs a ring-fence rather than a throttle. [A]
	LagMost = inventory.Hour

	// lagKept is what of earlier measurements each new one leaves: some fifty count. [A]
	lagKept = 0.98
)

// Lag is how long a channel takes to show what a command told it, as was measured: from each command that lowers what it may show
// to its next listing that shows no more. The older a measurement is, the less it counts. The zero Lag was never measured.
type Lag struct{ count, seconds, squares float64 }

// LagPrior is what is taken for a channel's lag until it is measured.
type LagPrior struct {
	Mean   inventory.Millis // with a standard deviation as great
	Weight float64          // of how many measurements
}

// Measure takes in that a channel took so long, which counts as 0 at least and LagMost at most.
func (l *Lag) Measure(took inventory.Millis) {
	s := float64(min(max(took, 0), LagMost)) / float64(inventory.Second)
	l.count = float64(l.count*lagKept) + 1
	l.seconds = float64(l.seconds*lagKept) + s
	l.squares = float64(l.squares*lagKept) + float64(s*s)
}

// Moments returns the mean of the lag, and its variance, in seconds and their squares.
func (l *Lag) Moments(prior LagPrior) (mean, variance float64) {
	m := float64(prior.Mean) / float64(inventory.Second)
	count := l.count + prior.Weight
	if count <= 0 {
		return m, float64(m * m)
	}
	mean = (l.seconds + float64(prior.Weight*m)) / count
	square := (l.squares + float64(prior.Weight*2*m*m)) / count
	return mean, max(square-float64(mean*mean), 0)
}

// Append appends the lag's bytes.
func (l *Lag) Append(dst []byte) []byte {
	for _, x := range [...]float64{l.count, l.seconds, l.squares} {
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(x))
	}
	return dst
}

// Read reads what Append wrote. Errors stay in r.
func (l *Lag) Read(r *wire.Reader) {
	for _, x := range [...]*float64{&l.count, &l.seconds, &l.squares} {
		*x = readShort(r, 8)
	}
}
