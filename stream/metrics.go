package stream

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector reads a processor's counters when it is scraped; nothing is counted twice
// for it, and the partitions' loops know nothing of it.
type collector struct {
	processor *Processor

	deltas, commands, decisions                       *prometheus.Desc
	position, watermarkLag, exceptions, held, stopped *prometheus.Desc
	diskBytes, memTableBytes                          *prometheus.Desc
}

// NewCollector returns the metrics of p for a Prometheus registry.
func NewCollector(p *Processor) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("holdfast_"+name, help, labels, nil)
	}
	return &collector{
		processor:     p,
		deltas:        desc("deltas_total", "Deltas read since the process started, by what became of them; reason for those rejected.", "partition", "outcome", "reason"),
		commands:      desc("commands_total", "Commands given since the process started.", "partition", "class", "action"),
		decisions:     desc("decisions_total", "Decisions taken since the process started.", "partition", "class", "decision"),
		position:      desc("position", "Stream sequence of the last message applied.", "partition"),
		watermarkLag:  desc("watermark_lag_seconds", "How far event time is behind the clock.", "partition"),
		exceptions:    desc("exceptions_open", "Exceptions that stand.", "partition"),
		held:          desc("holds", "Holds in force, by channel, SKU and location.", "partition"),
		stopped:       desc("partition_stopped", "1 where the partition stands still with an error.", "partition"),
		diskBytes:     desc("state_disk_bytes", "Size of the partition's state on disk.", "partition"),
		memTableBytes: desc("state_memtable_bytes", "Size of the partition's memtables.", "partition"),
	}
}

// Describe sends the descriptions.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.deltas, c.commands, c.decisions, c.position, c.watermarkLag,
		c.exceptions, c.held, c.stopped, c.diskBytes, c.memTableBytes,
	} {
		out <- d
	}
}

// Collect sends the figures as they are.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	now := time.Now()
	for i := range c.processor.slots {
		slot := &c.processor.slots[i]
		partition := strconv.Itoa(i)
		count := func(d *prometheus.Desc, n uint64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{partition}, labels...)...)
		}
		gauge := func(d *prometheus.Desc, v float64) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, partition)
		}
		tally := slot.tally.read()
		count(c.deltas, tally.AppliedTotal(), "applied", "")
		count(c.deltas, tally.Duplicates, "duplicate", "")
		for reason, n := range tally.Rejected {
			count(c.deltas, n, "rejected", string(reason))
		}
		for k, n := range tally.Commands {
			count(c.commands, n, string(k.Class), string(k.Action))
		}
		for k, n := range tally.Decisions {
			count(c.decisions, n, string(k.Class), k.Decision)
		}
		status, _, err := slot.progress.get()
		gauge(c.position, float64(status.Sequence))
		if status.Watermark > 0 {
			gauge(c.watermarkLag, now.Sub(status.Watermark.Time()).Seconds())
		}
		gauge(c.exceptions, float64(status.Standing.Exceptions))
		gauge(c.held, float64(status.Standing.Held))
		stopped := 0.0
		if err != nil {
			stopped = 1
		}
		gauge(c.stopped, stopped)
		if slot.db != nil {
			m := slot.db.Metrics()
			gauge(c.diskBytes, float64(m.DiskBytes))
			gauge(c.memTableBytes, float64(m.MemTableBytes))
		}
	}
}
