package drive

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// tick is how often the driver wakes up. A delta is late by half of it in the mean.
	tick = 500 * time.Microsecond

	// drainTick is how often it looks, at the end, whether all commands have come.
	drainTick = 5 * time.Millisecond

	// burstMost is how many deltas are made between two looks at the clock.
	burstMost = 512

	// waitingMost bounds the payload that waits for room in flight, in bytes. Where
	// the broker has let as much gather, the driver makes no more until it takes some.
	waitingMost = 64 << 20
)

// run is what one call of Run works with. Its goroutine makes and sends the deltas.
type run struct {
	plan      Plan
	schedule  schedule
	load      *load.Load
	publisher *publisher
	record    *record

	made   int
	probes []int // of the latest burst
	held   bool  // the broker let waitingMost bytes gather
}

// Run publishes the plan's load at its rate, and measures. It returns once all is acknowledged and every
// probe answered, or the plan's drain is over; what is missing then is no error. An error is one of
// the plan, or of the broker, or ctx's.
func Run(ctx context.Context, plan Plan) (Result, error) {
	plan.setDefaults()
	if err := plan.check(); err != nil {
		return Result{}, err
	}
	l, err := load.New(plan.Mix)
	if err != nil {
		return Result{}, err
	}
	r := &run{plan: plan, schedule: plan.schedule(), load: l}
	r.record = newRecord(&r.schedule, plan.Interval, plan.Warmup)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stored := func(m message) { r.record.stored(r.schedule.now(), m) }
	r.publisher, err = newPublisher(plan.URL, plan.Prefix, plan.Partitions, plan.Packing, plan.InFlight, stored, fail)
	if err != nil {
		return Result{}, err
	}
	defer r.publisher.nc.Close()
	nc, err := connect(plan.URL, "holdfast bench receiver", fail)
	if err != nil {
		return Result{}, err
	}
	defer nc.Close()
	if err := receive(nc, plan.Prefix, plan.Mix.ProbePrefix(), r.record); err != nil {
		return Result{}, err
	}
	r.record.begin()
	if err := r.drive(ctx); err != nil {
		return Result{}, err
	}
	r.record.close(r.schedule.now())
	return r.result(), nil
}

// drive makes and sends until all is over.
func (r *run) drive(ctx context.Context) error {
	told := 0
	end := r.schedule.due(r.schedule.total) + r.plan.Drain
	for ctx.Err() == nil {
		at := r.schedule.now()
		burst := r.make(at)
		if err := r.send(ctx, at); err != nil {
			return err
		}
		if r.plan.Tell != nil {
			for _, i := range r.record.over(at, told) {
				r.plan.Tell(i)
				told++
			}
		}
		switch idle := r.made == r.schedule.total && r.publisher.idle(); {
		case idle && r.record.answered(), r.made == r.schedule.total && at > end:
			return nil
		case idle:
			pause(drainTick)
		case burst < burstMost:
			pause(tick)
		}
	}
	return context.Cause(ctx)
}

// make makes the deltas that are due, up to burstMost of them, and returns how many.
func (r *run) make(at time.Duration) int {
	first, next := r.made, min(r.schedule.dueBy(at), r.made+burstMost)
	if first == next {
		return 0
	}
	if r.publisher.waiting >= waitingMost {
		r.held = true
		return 0
	}
	r.probes = r.probes[:0]
	var d inventory.Delta
	for ; r.made < next; r.made++ {
		counted := 1
		if r.made < r.schedule.warm {
			counted = 0
		}
		before := r.load.Counts().Probes
		r.load.Next(&d)
		if r.load.Counts().Probes > before {
			r.probes = append(r.probes, r.made)
		}
		r.publisher.add(&d, r.schedule.due(r.made), counted)
	}
	r.record.made(at, first, next, r.probes) // before any is sent, so before its hold can come
	return next - first
}

// send sends what is full, has waited its linger, or is the last.
func (r *run) send(ctx context.Context, at time.Duration) error {
	then := at - r.plan.Linger
	if r.made == r.schedule.total {
		then = at
	}
	for i := range r.publisher.lanes {
		if err := r.publisher.offer(ctx, &r.publisher.lanes[i], then); err != nil {
			return err
		}
	}
	return nil
}

// result sums up a record that is closed.
func (r *run) result() Result {
	rec, s := r.record, &r.schedule
	res := Result{
		Started: s.start, Deltas: uint64(s.total - s.warm), Messages: rec.messages, Bytes: rec.bytes,
		Probes: rec.probes, Missing: rec.probes - uint64(rec.took.TotalCount()),
		Latency: rec.took, Warmup: rec.warm, Stored: rec.kept, Lag: rec.lag,
		Others: rec.others, Counts: r.load.Counts(), Latest: r.load.Latest().Time(), Series: rec.done,
	}
	if rec.deltas > 0 {
		res.Reached = float64(rec.deltas) / max(rec.last-r.plan.Warmup, r.plan.Duration).Seconds()
	}
	res.Limit = r.limit(&res)
	return res
}

const (
	reachedLeast = 0.99             // of the rate
	lagMost      = time.Millisecond // at the 99th percentile
)

// limit says who could not keep the rate.
func (r *run) limit(res *Result) string {
	lag := res.Lag.at(99)
	switch {
	case r.held || res.Reached < reachedLeast*r.plan.Rate && lag <= lagMost:
		return fmt.Sprintf("the broker took %.0f of %.0f deltas/s", res.Reached, r.plan.Rate)
	case res.Reached < reachedLeast*r.plan.Rate:
		return fmt.Sprintf("the driver reached %.0f of %.0f deltas/s, and made the 99th percentile %v after it was due", res.Reached, r.plan.Rate, lag)
	case lag > lagMost:
		return fmt.Sprintf("the driver made the 99th percentile of deltas %v after it was due, more than %v", lag, lagMost)
	}
	return ""
}
