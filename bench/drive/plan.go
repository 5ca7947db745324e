package drive

import (
	"time"

	"github.com/holdfast-atp/holdfast/bench/load"
)

// Plan is a run at a steady rate. A zero field means its default.
type Plan struct {
	URL        string   `json:"url"`        // of the NATS server
	Prefix     string   `json:"prefix"`     // of the deployment's subjects; default holdfast
	Partitions int      `json:"partitions"` // of the deployment
	Mix        load.Mix `json:"mix"`

	Rate     float64       `json:"rate"`     // deltas a second, above 0
	Warmup   time.Duration `json:"warmup"`   // at the same rate, told apart
	Duration time.Duration `json:"duration"` // of what is measured, after that; above 0

	// Packing is how many deltas a message has at most, default 256, and 1 for one delta a message.
	// A delta waits for others until its message is full, or Linger after it was due, default 0: until
	// the next tick. While InFlight messages of its partition are not acknowledged it waits on.
	Packing  int           `json:"packing"`
	Linger   time.Duration `json:"linger"`
	InFlight int           `json:"in_flight"`

	// Interval is how long each entry of the series is, default 1s; Drain is how long to wait, after the
	// last delta, for acknowledgements and commands that are missing still, default 30s.
	Interval time.Duration `json:"interval"`
	Drain    time.Duration `json:"drain"`

	// Tell is called with each interval once it is over; nil: nobody listens.
	Tell func(Interval) `json:"-"`
}

// Result is what a run found.
type Result struct {
	Started time.Time `json:"started"` // when the first delta was due, of the warm-up if there is one

	// Of what is measured, the warm-up left out:
	Deltas   uint64  `json:"deltas"`
	Messages uint64  `json:"messages"`
	Bytes    uint64  `json:"bytes"`   // of payload
	Reached  float64 `json:"reached"` // deltas acknowledged a second

	Probes  uint64    `json:"probes"`
	Missing uint64    `json:"missing"` // probes whose hold did not come until the run's end
	Latency Histogram `json:"latency"` // from due to received, of the holds of probes
	Warmup  Histogram `json:"warmup"`  // the same, of probes that were due in the warm-up
	Stored  Histogram `json:"stored"`  // from due to acknowledged by the broker, of each message's first delta
	Lag     Histogram `json:"lag"`     // from due to made: the driver's own part

	Others uint64      `json:"others"` // commands that answer no probe of this load, or a second time
	Counts load.Counts `json:"counts"` // of all that was published, warm-up included
	Latest time.Time   `json:"latest"` // greatest event time; the next load on the same deployment starts there
	Series []Interval  `json:"series"`

	// Limit says that the driver or the broker could not keep the rate, and how that shows; "" where both did.
	Limit string `json:"limit,omitempty"`
}

// Interval is what happened in one stretch of a run.
type Interval struct {
	At        time.Duration `json:"at_ns"`            // its end, since Started
	Warmup    bool          `json:"warmup,omitempty"` // it ended with or before the warm-up
	Published uint64        `json:"published"`        // deltas
	Stored    uint64        `json:"stored"`           // deltas that were acknowledged
	Commands  uint64        `json:"commands"`         // holds of probes that came
	P50       time.Duration `json:"p50_ns"`           // of their latencies; 0 where none came
	P99       time.Duration `json:"p99_ns"`
	Max       time.Duration `json:"max_ns"`
}

// FillPlan is streams to be filled. A zero field means its default. The same plan gives the same
// messages in each partition.
type FillPlan struct {
	URL        string   `json:"url"`
	Prefix     string   `json:"prefix"` // default holdfast
	Partitions int      `json:"partitions"`
	Mix        load.Mix `json:"mix"`
	Shelves    bool     `json:"shelves"` // first a count for each key
	Deltas     uint64   `json:"deltas"`  // of trade, after that
	Packing    int      `json:"packing"` // deltas a message; default 256
}

// Filled is what Fill stored.
type Filled struct {
	Messages uint64        `json:"messages"`
	Bytes    uint64        `json:"bytes"`  // of payload
	Deltas   uint64        `json:"deltas"` // shelves included
	Counts   load.Counts   `json:"counts"` // of the trade alone
	Latest   time.Time     `json:"latest"` // greatest event time
	Elapsed  time.Duration `json:"elapsed_ns"`
}
