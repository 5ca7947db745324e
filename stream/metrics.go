package stream

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-atp/holdfast/state"
)

// scrapeMax bounds how long a scrape waits for the broker. What it would have said is left out then.
const scrapeMax = 2 * time.Second

// collector reads a processor's figures when it is scraped; nothing is counted twice
// for it, and the partitions' loops know nothing of it.
type collector struct {
	processor *Processor
	all       []*prometheus.Desc

	// By partition.
	deltas, commands, decisions, windowLate *prometheus.Desc
	position, lag, lagSeconds, watermarkLag *prometheus.Desc
	caughtUp, stopped                       *prometheus.Desc
	exceptions, exposure, held, throttled   *prometheus.Desc
	guarded                                 *prometheus.Desc
	untold, deferred                        *prometheus.Desc
	stage, command                          *prometheus.Desc
	outputsWaiting, outputsFailing          *prometheus.Desc
	cacheHits, cacheMisses, cacheEvictions  *prometheus.Desc
	cacheValues, cacheBytes                 *prometheus.Desc
	diskBytes, memTableBytes, l0Tables      *prometheus.Desc
	readAmplification, compactionDebt       *prometheus.Desc
	flushes, compactions, written           *prometheus.Desc
	stalls, stallSeconds                    *prometheus.Desc

	// Of the process.
	blockCacheHits, blockCacheMisses, blockCacheBytes *prometheus.Desc
	brokerAnswers, directivesPending, gateway         *prometheus.Desc
}

// NewCollector returns the metrics of p for a Prometheus registry.
func NewCollector(p *Processor) prometheus.Collector {
	c := &collector{processor: p}
	process := func(name, help string, labels ...string) *prometheus.Desc {
		d := prometheus.NewDesc("holdfast_"+name, help, labels, nil)
		c.all = append(c.all, d)
		return d
	}
	partition := func(name, help string, labels ...string) *prometheus.Desc {
		return process(name, help, append([]string{"partition"}, labels...)...)
	}
	c.deltas = partition("deltas_total", "Deltas read since the process started, by what became of them; reason for those rejected.", "outcome", "reason")
	c.commands = partition("commands_total", "Commands given since the process started.", "class", "action")
	c.decisions = partition("decisions_total", "Decisions taken since the process started.", "class", "decision")
	c.windowLate = partition("deltas_window_late_total", "Deltas applied that came too late for the windows, since the partition was created.")

	c.position = partition("position", "Stream sequence of the last message applied.")
	c.lag = partition("lag_messages", "Messages in the stream that are not applied yet.")
	c.lagSeconds = partition("lag_seconds", "How long ago the stream took in the last message applied; 0 where all are applied.")
	c.watermarkLag = partition("watermark_lag_seconds", "How far event time is behind the clock.")
	c.caughtUp = partition("partition_caught_up", "1 where the partition has reached what was the stream's end when it started.")
	c.stopped = partition("partition_stopped", "1 where the partition stands still with an error.")

	c.exceptions = partition("exceptions_open", "Exceptions that stand.")
	c.untold = partition("exceptions_untold", "Exceptions that are not told of yet, for too many opened at once; what is held for them is held.")
	c.deferred = partition("exceptions_deferred_total", "Exceptions that had to wait to be told of, since the partition was created.")
	c.exposure = partition("exposure", "Money at risk by the exceptions that stand, in minor units.")
	c.held = partition("holds", "Holds in force, by channel, SKU and location.")
	c.throttled = partition("throttles", "Throttles in force, by channel, SKU and location.")
	c.guarded = partition("channels_guarded", "Channels on which a guard of the policy has stopped acting.")

	c.stage = partition("stage_seconds", "Time in each stage. in_stream: from the broker's taking in of a fetch's first message until the worker takes the fetch; "+
		"decode: of that message; apply: of the fetch; commit: of a batch to Pebble that somebody waits for; publish: from a command's saying until it is stored.", "stage")
	c.command = partition("command_seconds", "Time from the broker's taking in of a command's cause until the command is stored.")
	c.outputsWaiting = partition("outputs_waiting", "Outputs that are said and not known to be stored yet.", "kind")
	c.outputsFailing = partition("outputs_failing", "1 while outputs can't be stored, which is tried until they are.")

	c.cacheHits = partition("cache_hits_total", "Values that were found in the engine's memory.", "table")
	c.cacheMisses = partition("cache_misses_total", "Values that Pebble was asked for, whether it had them or not.", "table")
	c.cacheEvictions = partition("cache_evictions_total", "Values that left the engine's memory to make room.", "table")
	c.cacheValues = partition("cache_values", "Values in the engine's memory.", "table")
	c.cacheBytes = partition("cache_bytes", "Memory that the values in the engine's memory take, estimated.", "table")

	c.diskBytes = partition("state_disk_bytes", "Size of the partition's state on disk.")
	c.memTableBytes = partition("state_memtable_bytes", "Size of the partition's memtables.")
	c.l0Tables = partition("state_l0_tables", "Tables in level 0: flushed and not compacted yet.")
	c.readAmplification = partition("state_read_amplification", "Tables that a read may have to look into.")
	c.compactionDebt = partition("state_compaction_debt_bytes", "Estimate of what is to be compacted.")
	c.flushes = partition("state_flushes_total", "Memtables written to disk.")
	c.compactions = partition("state_compactions_total", "Compactions done.")
	c.written = partition("state_written_bytes_total", "Bytes that flushes and compactions wrote.")
	c.stalls = partition("state_stalls_total", "Commits that had to wait until a flush or a compaction was done.")
	c.stallSeconds = partition("state_stall_seconds_total", "Time that commits waited until a flush or a compaction was done.")

	c.blockCacheHits = process("block_cache_hits_total", "Blocks that were found in Pebble's cache, which all partitions share.")
	c.blockCacheMisses = process("block_cache_misses_total", "Blocks that were not in Pebble's cache and were read from files.")
	c.blockCacheBytes = process("block_cache_bytes", "Size of the blocks in Pebble's cache.")
	c.brokerAnswers = process("broker_answers", "1 where the broker answered the questions of this scrape; where it did not, what only it knows is left out.")
	c.directivesPending = process("directives_pending", "Commands that are not in the bucket of directives yet.")
	c.gateway = process("gateway_messages_total", "Messages that came without a partition, by what became of them: accepted or refused.", "outcome")
	return c
}

// Describe sends the descriptions.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.all {
		out <- d
	}
}

// Collect sends the figures as they are.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	p := c.processor
	s := scrape{out: out}
	p.freshen()
	ends := c.askBroker(&s)
	now := time.Now()
	var shared state.Metrics // of one that is open, for what all share
	for i := range p.slots {
		slot := &p.slots[i]
		at := s.of(strconv.Itoa(i))
		c.counted(at, slot)
		c.progress(at, slot, now, ends, i)
		if slot.db == nil {
			continue
		}
		c.timed(at, slot)
		shared = slot.db.Metrics()
		c.stored(at, &shared)
	}
	s.count(c.blockCacheHits, uint64(shared.CacheHits))
	s.count(c.blockCacheMisses, uint64(shared.CacheMisses))
	s.gauge(c.blockCacheBytes, float64(shared.CacheBytes))
	s.count(c.gateway, p.gateway.Accepted(), "accepted")
	s.count(c.gateway, p.gateway.Refused(), "refused")
}

// askBroker asks what only the broker knows, and returns where the logs end; nil where it did not say.
func (c *collector) askBroker(s *scrape) (ends []uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeMax)
	defer cancel()
	ends, err := c.processor.log.read(ctx)
	var pending uint64
	if err == nil {
		pending, err = c.processor.projects.Pending(ctx)
	}
	s.flag(c.brokerAnswers, err == nil)
	if err == nil {
		s.gauge(c.directivesPending, float64(pending))
	}
	return ends
}

// counted sends what became of deltas.
func (c *collector) counted(s scrape, slot *slot) {
	tally := slot.tally.read()
	s.count(c.deltas, tally.AppliedTotal(), "applied", "")
	s.count(c.deltas, tally.Duplicates, "duplicate", "")
	for reason, n := range tally.Rejected {
		s.count(c.deltas, n, "rejected", string(reason))
	}
	for k, n := range tally.Commands {
		s.count(c.commands, n, string(k.Class), string(k.Action))
	}
	for k, n := range tally.Decisions {
		s.count(c.decisions, n, string(k.Class), k.Decision)
	}
}

// progress sends how far the partition is, as of its last commit.
func (c *collector) progress(s scrape, slot *slot, now time.Time, ends []uint64, partition int) {
	at := slot.progress.read()
	s.gauge(c.position, float64(at.status.Sequence))
	s.count(c.windowLate, at.status.Counters.WindowLate)
	if ends != nil {
		messages, seconds := uint64(0), 0.0
		if end := ends[partition]; end > at.status.Sequence {
			messages = end - at.status.Sequence
			if at.logTime > 0 {
				seconds = max(now.Sub(at.logTime.Time()).Seconds(), 0)
			}
		}
		s.gauge(c.lag, float64(messages))
		s.gauge(c.lagSeconds, seconds)
	}
	if at.status.Watermark > 0 {
		s.gauge(c.watermarkLag, now.Sub(at.status.Watermark.Time()).Seconds())
	}
	s.flag(c.caughtUp, at.caughtUp)
	s.flag(c.stopped, at.err != nil)
	s.gauge(c.exceptions, float64(at.status.Standing.Exceptions))
	s.gauge(c.untold, float64(at.status.Standing.Untold))
	s.count(c.deferred, uint64(at.status.Standing.Deferred))
	s.gauge(c.exposure, float64(at.status.Standing.Exposure))
	s.gauge(c.held, float64(at.status.Standing.Held))
	s.gauge(c.throttled, float64(at.status.Standing.Throttled))
	s.gauge(c.guarded, float64(at.status.Standing.Guarded))
	if slot.db == nil {
		return
	}
	for i := range at.caches {
		cache := &at.caches[i]
		s.count(c.cacheHits, cache.Hits, cache.Name)
		s.count(c.cacheMisses, cache.Misses, cache.Name)
		s.count(c.cacheEvictions, cache.Evictions, cache.Name)
		s.gauge(c.cacheValues, float64(cache.Values), cache.Name)
		s.gauge(c.cacheBytes, float64(cache.Bytes), cache.Name)
	}
}

// timed sends how long things take, and what waits.
func (c *collector) timed(s scrape, slot *slot) {
	times := &slot.publisher.times
	for stage, h := range map[string]*histogram{
		"in_stream": &slot.stages.inStream,
		"decode":    &slot.stages.decode,
		"apply":     &slot.stages.apply,
		"commit":    &slot.stages.commit,
		"publish":   &times.publish,
	} {
		s.histogram(c.stage, h, stage)
	}
	s.histogram(c.command, &times.whole)
	for kind, n := range slot.publisher.waiting() {
		s.gauge(c.outputsWaiting, float64(n), Kind(kind).String())
	}
	s.flag(c.outputsFailing, slot.publisher.Err() != nil)
}

// stored sends how Pebble does.
func (c *collector) stored(s scrape, m *state.Metrics) {
	s.gauge(c.diskBytes, float64(m.DiskBytes))
	s.gauge(c.memTableBytes, float64(m.MemTableBytes))
	s.gauge(c.l0Tables, float64(m.L0Tables))
	s.gauge(c.readAmplification, float64(m.ReadAmplification))
	s.gauge(c.compactionDebt, float64(m.CompactionDebtBytes))
	s.count(c.flushes, uint64(m.Flushes))
	s.count(c.compactions, uint64(m.Compactions))
	s.count(c.written, m.WrittenBytes)
	s.count(c.stalls, uint64(m.Stalls))
	s.value(c.stallSeconds, prometheus.CounterValue, m.Stalled.Seconds())
}

// scrape sends metrics, all with the same first label values.
type scrape struct {
	out   chan<- prometheus.Metric
	first []string
}

// of is s for one partition.
func (s *scrape) of(partition string) scrape { return scrape{s.out, []string{partition}} }

func (s *scrape) labels(more []string) []string {
	return append(s.first[:len(s.first):len(s.first)], more...)
}

func (s *scrape) value(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
	s.out <- prometheus.MustNewConstMetric(d, kind, v, s.labels(labels)...)
}

func (s *scrape) count(d *prometheus.Desc, n uint64, labels ...string) {
	s.value(d, prometheus.CounterValue, float64(n), labels...)
}

func (s *scrape) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.value(d, prometheus.GaugeValue, v, labels...)
}

// flag is a gauge of 1 or 0.
func (s *scrape) flag(d *prometheus.Desc, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	s.gauge(d, v)
}

func (s *scrape) histogram(d *prometheus.Desc, h *histogram, labels ...string) {
	s.out <- h.metric(d, s.labels(labels)...)
}
