package bench

import (
	"fmt"
	"time"

	"github.com/holdfast-atp/holdfast/bench/drive"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/bench/role"
)

// driven is what came of driving.
type driven struct {
	drive.Result
	rate   float64          // that was asked for
	deltas uint64           // for which used was used
	used   []report.Process // in the measured time
	memory []report.Series
}

// unsound says why the figures mean nothing; nil where they do.
func (d driven) unsound() error {
	if d.Missing > 0 {
		return fmt.Errorf("%d of %d probes were not answered in time, at %.0f deltas/s", d.Missing, d.Probes, d.rate)
	}
	return nil
}

// reachedLeast is the share of a rate that counts as having reached it.
const reachedLeast = 0.99

// reached reports whether driver and broker kept the rate that was asked for.
func (d driven) reached() bool { return d.Reached >= reachedLeast*d.rate }

func (d driven) percentile(p float64) time.Duration {
	return time.Duration(d.Latency.ValueAtPercentile(p))
}

func (d driven) String() string {
	us := func(p float64) time.Duration { return d.percentile(p).Round(time.Microsecond) }
	return fmt.Sprintf("%.0f deltas/s, %d commands, p50 %v, p99 %v, p99.9 %v, max %v",
		d.Reached, d.Latency.TotalCount(), us(50), us(99), us(99.9), us(100))
}

// latencyMetrics lists the names of metrics.
func latencyMetrics() []string {
	return []string{"p50", "p99", "p99.9", "max", "stored p99", "driver lag p99", "reached", "commands"}
}

// liveMetrics lists the names of what run says.
func liveMetrics() []string {
	return append(append(latencyMetrics(), "memory"), coreSeconds(role.Broker, role.Holdfast, role.Driver)...)
}

// run is what every scenario that drives one holdfast to the end reports.
func (d driven) run() report.Run {
	metrics := append(d.metrics(), memoryOf(role.Holdfast, d.used)...)
	return report.Run{
		Metrics:   append(metrics, perCoreSecond(d.deltas, d.used)...),
		Series:    append(d.series(), d.memory...),
		Latencies: d.latencies(),
		Processes: d.used,
	}
}

// metrics are what was waited, and how much there was.
func (d driven) metrics() []report.Metric {
	return []report.Metric{
		lower("p99", report.Nanoseconds, float64(d.percentile(99))),
		lower("p50", report.Nanoseconds, float64(d.percentile(50))),
		lower("p99.9", report.Nanoseconds, float64(d.percentile(99.9))),
		lower("max", report.Nanoseconds, float64(d.percentile(100))),
		lower("stored p99", report.Nanoseconds, float64(d.Stored.ValueAtPercentile(99))),
		lower("driver lag p99", report.Nanoseconds, float64(d.Lag.ValueAtPercentile(99))),
		higher("reached", report.DeltasPerSec, d.Reached),
		neither("commands", report.Count, float64(d.Latency.TotalCount())),
	}
}

func (d driven) latencies() []report.Latency {
	return []report.Latency{latency("commands", d.Latency), latency("stored", d.Stored)}
}

// series are throughput and latency over time, the warm-up included.
func (d driven) series() []report.Series {
	published := report.Series{Name: report.PlotThroughput + "/published", Unit: report.DeltasPerSec}
	stored := report.Series{Name: report.PlotThroughput + "/stored", Unit: report.DeltasPerSec}
	p50 := report.Series{Name: report.PlotLatency + "/p50", Unit: report.Nanoseconds}
	p99 := report.Series{Name: report.PlotLatency + "/p99", Unit: report.Nanoseconds}
	most := report.Series{Name: report.PlotLatency + "/max", Unit: report.Nanoseconds}
	var before time.Duration
	for _, i := range d.Series {
		at, step := i.At.Seconds(), (i.At - before).Seconds()
		before = i.At
		if step > 0 {
			add(&published, at, float64(i.Published)/step)
			add(&stored, at, float64(i.Stored)/step)
		}
		if i.Commands > 0 {
			add(&p50, at, float64(i.P50))
			add(&p99, at, float64(i.P99))
			add(&most, at, float64(i.Max))
		}
	}
	return []report.Series{published, stored, p50, p99, most}
}

func add(s *report.Series, at, value float64) {
	s.At, s.Value = append(s.At, at), append(s.Value, value)
}

// latency is a distribution, dense enough to plot.
func latency(name string, h drive.Histogram) report.Latency {
	l := report.Latency{Name: name, Count: h.TotalCount(), Max: time.Duration(h.Max())}
	for _, b := range h.CumulativeDistribution() {
		l.Percentiles = append(l.Percentiles, report.Percentile{P: b.Quantile, Nanoseconds: b.ValueAt})
	}
	return l
}
