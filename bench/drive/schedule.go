package drive

import (
	"math"
	"time"
)

// schedule says when each delta of a run is due, since its start.
type schedule struct {
	start time.Time
	rate  float64 // deltas a second
	warm  int     // deltas that are due in the warm-up
	total int
}

func (p *Plan) schedule() schedule {
	within := func(d time.Duration) int { return int(math.Ceil(d.Seconds() * p.Rate)) }
	return schedule{rate: p.Rate, warm: within(p.Warmup), total: within(p.Warmup + p.Duration)}
}

// now is how long ago the run began.
func (s *schedule) now() time.Duration { return time.Since(s.start) }

// due is when delta i is, counted from 0.
func (s *schedule) due(i int) time.Duration {
	return time.Duration(float64(i) / s.rate * float64(time.Second))
}

// dueBy is how many are due by then.
func (s *schedule) dueBy(then time.Duration) int {
	n := min(int(then.Seconds()*s.rate), s.total)
	for n < s.total && s.due(n) <= then { // rounding
		n++
	}
	return n
}
