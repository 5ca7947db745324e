// Package bench measures what a machine can do with holdfast, and holds it against what the broker,
// the decoder and Pebble can do alone and what a team would write by hand, on the same machine in
// the same run.
//
//	scenarios, err := bench.Select([]string{"catch-up", "mine.yaml"})
//	report, err := bench.Run(ctx, scenarios, bench.Options{…})
//
// # Scenarios
//
// A scenario is a YAML file: a name, a seed, a load, what is measured (its type), and targets.
// Those in the folder scenarios come with the program ([Builtin]). [Parse] refuses what it doesn't
// know, and says where it stands. The types, and the files that measure them:
//
//	catch-up     streams are filled beforehand and applied from nothing, in turn with the references (catchup.go)
//	live         open loop at a steady rate: latency from due to received (live.go)
//	sustainable  a search for the highest rate with a p99 within a bound (search.go)
//	many-keys    more state than the cache holds, beside a few keys (manykeys.go)
//	storm        a bad feed in the midst of a steady rate (storm.go)
//	restart      kill -9 under load, and the same folder again (restart.go)
//	soak         long, and whether memory and disk are flat (soak.go)
//	sinks-slow   a channel that hangs, beside one that doesn't (sinksslow.go)
//
// # How it is measured
//
// Broker, holdfast, driver and references are processes of their own (package process), so the
// operating system says what each cost. A scenario is run several times in a row; what is compared in
// one is measured in each run, in another order every time. What warms up is told apart.
// Only ratios travel from one machine to another.
package bench
