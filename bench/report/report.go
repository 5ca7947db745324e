package report

import "time"

// Format is the number of the JSON that [Write] makes and [Read] takes. It changes when
// a field changes its meaning or is no longer there.
const Format = 1

// Report is what one run of the suite found.
type Report struct {
	Format    int        `json:"format"`
	Version   string     `json:"version"` // of holdfast
	Started   time.Time  `json:"started"`
	Machine   Machine    `json:"machine"`
	Settings  Settings   `json:"settings"`
	Scenarios []Scenario `json:"scenarios"` // in the order in which they ran
}

// Machine is where it was found. Two reports are comparable if they agree in all but Go, Kernel
// and DiskSync.
type Machine struct {
	OS          string `json:"os"`   // GOOS
	Arch        string `json:"arch"` // GOARCH
	CPU         string `json:"cpu"`  // the model's name; empty: not known
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memory_bytes"` // 0: not known
	Go          string `json:"go"`           // the version that built holdfast
	Kernel      string `json:"kernel"`       // empty: not known

	// DiskSync is the median time to sync 4 KiB appended to a file. 0: not measured.
	DiskSync time.Duration `json:"disk_sync_ns"`
}

// Settings are what held in every scenario. Two reports are comparable if they agree in all but
// the versions.
type Settings struct {
	Sync         Sync   `json:"sync"`
	Replicas     int    `json:"replicas"`      // of each stream
	Partitions   int    `json:"partitions"`    // 0: each scenario's configuration says
	CountsBroker bool   `json:"counts_broker"` // the broker's CPU is in the deltas per core-second
	NATS         string `json:"nats"`          // version of the server's module
	Pebble       string `json:"pebble"`        // version of the module
}

// Sync says when the broker syncs to disk what it acknowledges; empty: not known.
type Sync string

// The ways to sync.
const (
	SyncAlways Sync = "always" // each message, before it acknowledges it
	SyncLazy   Sync = "lazy"   // at intervals; a power cut takes what was acknowledged since
	SyncMixed  Sync = "mixed"  // each scenario's configuration says
)

// Scenario is one load and what came of it.
type Scenario struct {
	Name   string         `json:"name"`  // as on the command line: lower-case words with hyphens; unique
	Title  string         `json:"title"` // one line for people
	Seed   uint64         `json:"seed"`
	Config map[string]any `json:"config"` // whatever else defines it; what JSON can hold
	Runs   []Run          `json:"runs"`

	// Failed is why it could not be measured. Runs holds what there is nevertheless.
	Failed string `json:"failed,omitempty"`

	// Caveats are what has to be known about the figures, such as that the driver was the limit.
	Caveats []string `json:"caveats,omitempty"`

	// Plots are what is drawn of all runs together, behind what is drawn of each.
	Plots []Plot `json:"plots,omitempty"`
}

// Plot is a picture of lines, each over an axis of its own measure.
type Plot struct {
	Name   string  `json:"name"` // unique in its scenario
	X      string  `json:"x"`    // what the level axis counts
	Y      string  `json:"y"`    // what the upright axis counts
	Curves []Curve `json:"curves"`
}

// Curve is a line of a Plot.
type Curve struct {
	Name string    `json:"name"` // unique in its plot
	X    []float64 `json:"x"`    // rising
	Y    []float64 `json:"y"`    // as many as X
}

// Run is one of a scenario's runs. All runs of a scenario have the same metrics, series and
// latencies, unless one failed.
type Run struct {
	Metrics   []Metric  `json:"metrics"` // the first is what the scenario is about
	Series    []Series  `json:"series,omitempty"`
	Latencies []Latency `json:"latencies,omitempty"`
	Processes []Process `json:"processes,omitempty"`
}

// Direction says which values of a metric are the better ones.
type Direction string

// The directions.
const (
	Higher  Direction = "higher"
	Lower   Direction = "lower"
	Neither Direction = "" // it is only told
)

// Units that are shown in a form of their own; whatever else is shown as a number with
// the unit behind it. Values are in the unit itself, never in thousands of it: times in nanoseconds,
// memory in bytes.
const (
	Nanoseconds    = "ns"
	Bytes          = "B"
	BytesPerKey    = "B/key"
	DeltasPerSec   = "deltas/s"
	MessagesPerSec = "msgs/s"
	Ratio          = "ratio"         // shown as 0.83×
	PerCoreSecond  = "deltas/core-s" // deltas for each second of CPU, as the OS accounts for it
	PerDelta       = "allocs/delta"
	Count          = "count"
)

// Metric is one number of a run.
type Metric struct {
	Name   string    `json:"name"` // such as throughput, p99, first command; unique in its run
	Unit   string    `json:"unit"` // without spaces
	Value  float64   `json:"value"`
	Better Direction `json:"better,omitempty"`
	Target *Target   `json:"target,omitempty"` // nil: none
}

// Target is what a metric must reach; the median of the runs is held against it.
type Target struct {
	Bound Bound   `json:"bound"`
	Value float64 `json:"value"` // in the metric's unit
}

// Bound is the side on which a target lies.
type Bound string

// The bounds. Both are reached by the value itself.
const (
	AtLeast Bound = "at least"
	AtMost  Bound = "at most"
)

// Reached reports whether a value is on the right side of the target.
func (t Target) Reached(value float64) bool {
	if t.Bound == AtMost {
		return value <= t.Value
	}
	return value >= t.Value
}

// Series is a line over time. Its name is plot/line: all lines of a scenario with the same plot and
// unit share a picture, in the order in which the run has them.
type Series struct {
	Name  string    `json:"name"`  // such as throughput/published, latency/p99, memory/holdfast
	Unit  string    `json:"unit"`  // as of a metric
	At    []float64 `json:"at"`    // seconds from the run's start, rising
	Value []float64 `json:"value"` // as many as At
}

// The plots that come first on the page, in this order; a series may have any other.
const (
	PlotThroughput = "throughput"
	PlotLatency    = "latency"
	PlotMemory     = "memory"
	PlotRecovery   = "recovery"
)

// Latency is the distribution of what was waited, in one run.
type Latency struct {
	Name        string        `json:"name"`        // such as commands; unique in its run
	Percentiles []Percentile  `json:"percentiles"` // rising in P; dense enough to plot, the far ones above all
	Count       int64         `json:"count"`       // of the values
	Max         time.Duration `json:"max_ns"`
}

// Percentile says that P percent of the values are at most so long.
type Percentile struct {
	P           float64 `json:"p"` // 0–100
	Nanoseconds int64   `json:"ns"`
}

// Process is what the operating system charged to a process in one run.
type Process struct {
	Name   string        `json:"name"`    // broker, holdfast, driver; unique in its run
	CPU    time.Duration `json:"cpu_ns"`  // user and system
	RSSMax int64         `json:"rss_max"` // bytes resident at the most; 0: not known
}
