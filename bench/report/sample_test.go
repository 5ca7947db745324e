package report_test

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// sample is a report as a machine of two cores might give it, made by a seeded rule. speed is how much
// faster it is than another.
func sample(speed float64) report.Report {
	rng := rand.New(rand.NewPCG(1, math.Float64bits(speed)))
	r := report.Report{
		Format:  report.Format,
		Version: "v0.9.0",
		Started: time.Date(2026, 11, 24, 13, 27, 0, 0, time.UTC),
		Machine: report.Machine{
			OS: "linux", Arch: "amd64", CPU: "Example CPU @ 2.70GHz", Cores: 2, MemoryBytes: 8 << 30,
			Go: "go1.26.8", Kernel: "6.1.0", DiskSync: 1234 * time.Microsecond,
		},
		Settings: report.Settings{Sync: report.SyncLazy, Replicas: 1, Partitions: 8, CountsBroker: true, NATS: "v2.15.2", Pebble: "v2.1.7"},
	}
	catchUp := report.Scenario{Name: "catch-up-packed", Title: "Catch-up from pre-filled streams, 256 deltas a message", Seed: 1,
		Config: map[string]any{"packing": 256.0, "keys": 100_000.0, "mix": map[string]any{"sale": 80.0, "receipt": 20.0}}}
	live := report.Scenario{Name: "live-90", Title: "Open loop at 90 % of what is sustainable", Seed: 2,
		Config:  map[string]any{"rate": 50_000.0, "linger": "1ms"},
		Caveats: []string{"run 2: the driver made the 99th percentile of deltas 1.2ms after it was due"}}
	for range 5 {
		catchUp.Runs = append(catchUp.Runs, catchUpRun(rng, speed))
		live.Runs = append(live.Runs, liveRun(rng, speed))
	}
	restart := report.Scenario{Name: "restart-1g", Title: "Killed under load with 1 GB of state", Seed: 3, Runs: []report.Run{restartRun(rng, speed)}}
	soak := report.Scenario{Name: "soak", Title: "An hour of load", Failed: "the disk was full after 31 minutes"}
	r.Scenarios = []report.Scenario{catchUp, live, restart, soak}
	return r
}

func catchUpRun(rng *rand.Rand, speed float64) report.Run {
	around := func(v, noise float64) float64 { return v * (1 + noise*(2*rng.Float64()-1)) }
	run := report.Run{
		Metrics: []report.Metric{
			{Name: "throughput", Unit: report.DeltasPerSec, Value: math.Round(around(1.04e6*speed, 0.04)), Better: report.Higher,
				Target: &report.Target{Bound: report.AtLeast, Value: 1e6}},
			{Name: "against raw read and decode", Unit: report.Ratio, Value: around(0.55*speed, 0.03), Better: report.Higher,
				Target: &report.Target{Bound: report.AtLeast, Value: 0.6}},
			{Name: "per core-second", Unit: report.PerCoreSecond, Value: math.Round(around(540e3*speed, 0.03)), Better: report.Higher},
			{Name: "allocations", Unit: report.PerDelta, Value: 0, Better: report.Lower, Target: &report.Target{Bound: report.AtMost}},
			{Name: "deltas", Unit: report.Count, Value: 4_000_000},
		},
		Processes: []report.Process{
			{Name: "broker", CPU: time.Duration(around(1.3e9, 0.05)), RSSMax: 310 << 20},
			{Name: "holdfast", CPU: time.Duration(around(6.1e9, 0.05)), RSSMax: 420 << 20},
		},
	}
	deltas := report.Series{Name: "throughput/holdfast", Unit: report.DeltasPerSec}
	broker := report.Series{Name: "memory/broker", Unit: report.Bytes}
	memory := report.Series{Name: "memory/holdfast", Unit: report.Bytes}
	for i := range 40 {
		at := float64(i+1) / 10
		deltas.At, deltas.Value = append(deltas.At, at), append(deltas.Value, math.Round(around(1.04e6*speed, 0.15)))
		broker.At, broker.Value = append(broker.At, at), append(broker.Value, math.Round(around(300<<20, 0.03)))
		memory.At, memory.Value = append(memory.At, at), append(memory.Value, math.Round((420<<20)*(1-math.Exp(-at))))
	}
	run.Series = []report.Series{memory, broker, deltas}
	return run
}

func liveRun(rng *rand.Rand, speed float64) report.Run {
	around := func(v, noise float64) float64 { return math.Round(v * (1 + noise*(2*rng.Float64()-1))) }
	run := report.Run{
		Metrics: []report.Metric{
			{Name: "p99", Unit: report.Nanoseconds, Value: around(2.1e6/speed, 0.12), Better: report.Lower,
				Target: &report.Target{Bound: report.AtMost, Value: 2e6}},
			{Name: "p99.9", Unit: report.Nanoseconds, Value: around(5.3e6/speed, 0.2), Better: report.Lower,
				Target: &report.Target{Bound: report.AtMost, Value: 10e6}},
			{Name: "reached", Unit: report.Ratio, Value: 1, Better: report.Higher},
			{Name: "disk", Unit: report.BytesPerKey, Value: around(143, 0.01), Better: report.Lower,
				Target: &report.Target{Bound: report.AtMost, Value: 150}},
		},
		Processes: []report.Process{
			{Name: "broker", CPU: time.Duration(around(9.2e9, 0.05)), RSSMax: 280 << 20},
			{Name: "holdfast", CPU: time.Duration(around(7.4e9, 0.05)), RSSMax: 390 << 20},
			{Name: "driver", CPU: time.Duration(around(2.2e9, 0.05)), RSSMax: 90 << 20},
		},
	}
	latency := report.Latency{Name: "commands", Count: 200_000}
	tail := rng.Float64() - 0.5
	for n := 0.0; n < 5.3; n += 0.05 {
		ns := int64((250e3 + 40e3*n + 20e3*math.Exp(n*1.25)*(1+tail)) / speed)
		latency.Percentiles = append(latency.Percentiles, report.Percentile{P: 100 * (1 - math.Pow(10, -n)), Nanoseconds: ns})
		latency.Max = time.Duration(ns)
	}
	run.Latencies = []report.Latency{latency}
	run.Series = []report.Series{
		{Name: "latency/p50", Unit: report.Nanoseconds}, {Name: "latency/p99", Unit: report.Nanoseconds},
		{Name: "latency/max", Unit: report.Nanoseconds}, {Name: "throughput/published", Unit: report.DeltasPerSec}}
	for i := range 30 {
		for j, v := range []float64{around(310e3/speed, 0.1), around(1.9e6/speed, 0.4), around(5e6/speed, 0.8), around(50_000, 0.01)} {
			run.Series[j].At = append(run.Series[j].At, float64(i+1))
			run.Series[j].Value = append(run.Series[j].Value, v)
		}
	}
	return run
}

func restartRun(rng *rand.Rand, speed float64) report.Run {
	run := report.Run{Metrics: []report.Metric{
		{Name: "first command", Unit: report.Nanoseconds, Value: math.Round(1.42e9 / speed), Better: report.Lower,
			Target: &report.Target{Bound: report.AtMost, Value: 2e9}},
		{Name: "caught up", Unit: report.Nanoseconds, Value: math.Round(8.9e9 / speed), Better: report.Lower},
	}}
	behind := report.Series{Name: "recovery/deltas behind", Unit: "deltas"}
	for i := range 100 {
		at := float64(i) / 10
		behind.At = append(behind.At, at)
		behind.Value = append(behind.Value, math.Round(max(0, 50_000*min(at, 1.4)-(at-1.4)*8000*speed*(1+0.1*rng.Float64()))))
	}
	run.Series = []report.Series{behind}
	return run
}
