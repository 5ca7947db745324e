package drive

import (
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	prefixDefault   = "holdfast"
	packingDefault  = 256
	intervalDefault = time.Second
	drainDefault    = 30 * time.Second

	// packingMost keeps a message of the load's longest deltas below the contract's 512 KiB.
	packingMost = 2048

	deltasMost = 1 << 34 // of a run: a bit each is kept
)

func (p *Plan) setDefaults() {
	orDefault(&p.Prefix, prefixDefault)
	orDefault(&p.Packing, packingDefault)
	orDefault(&p.InFlight, inFlight(p.Packing))
	orDefault(&p.Interval, intervalDefault)
	orDefault(&p.Drain, drainDefault)
}

func (p *FillPlan) setDefaults() {
	orDefault(&p.Prefix, prefixDefault)
	orDefault(&p.Packing, packingDefault)
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// inFlight is how many messages a partition are under way at once by default: so many that its stream is never
// idle for the length of a round trip, and no more where messages are packed, as what waits meanwhile is
// packed the better for it.
func inFlight(packing int) int {
	if packing > 1 {
		return 2
	}
	return 256
}

func (p *Plan) check() error {
	deltas := p.Rate * (p.Warmup + p.Duration).Seconds()
	switch {
	case !(p.Rate > 0 && p.Rate <= math.MaxFloat64):
		return fmt.Errorf("drive: a rate of %v deltas/s: it is above 0", p.Rate)
	case p.Warmup < 0 || p.Duration <= 0:
		return fmt.Errorf("drive: a warm-up of %v and a duration of %v: the one is 0 or more, the other above 0", p.Warmup, p.Duration)
	case p.Rate*p.Duration.Seconds() < 1:
		return fmt.Errorf("drive: %v deltas/s for %v: not one is due", p.Rate, p.Duration)
	case deltas > deltasMost:
		return fmt.Errorf("drive: %.0f deltas: a run has %d at most", deltas, deltasMost)
	case p.Linger < 0 || p.InFlight < 1 || p.Interval <= 0 || p.Drain < 0:
		return fmt.Errorf("drive: linger %v, in flight %d, interval %v, drain %v: none is below 0", p.Linger, p.InFlight, p.Interval, p.Drain)
	}
	return checkTarget(p.URL, p.Partitions, p.Packing)
}

func (p *FillPlan) check() error { return checkTarget(p.URL, p.Partitions, p.Packing) }

func checkTarget(url string, partitions, packing int) error {
	switch {
	case url == "":
		return errors.New("drive: no URL of a broker is given")
	case partitions < 1:
		return fmt.Errorf("drive: %d partitions: a deployment has 1 or more", partitions)
	case packing < 1 || packing > packingMost:
		return fmt.Errorf("drive: %d deltas a message: there are 1 to %d", packing, packingMost)
	}
	return nil
}
