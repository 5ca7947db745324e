// Package quality measures how good holdfast's decisions are, next to what people use today, in networks
// whose truth is known (bench/sim).
//
//	study, err := quality.Run(ctx, quality.Config{Seeds: quality.TestSeeds(20)})
//	err = study.WriteTable(os.Stdout)   // the figures, each beside what it is to reach
//	err = study.WriteHTML(page)         // with plots; JSON is the Study itself
//
// # Protocol
//
// A seed is a network of its own. It is played for some weeks in which everybody learns, and some in which is measured.
// Test seeds and tuning seeds are apart ([TestSeeds], [TuningSeeds]); whoever changes a detector looks at tuning seeds
// alone.
//
// Phantom inventory is scored on an open loop: the engine observes, nobody acts, and every method sees the same
// deltas. Each gives each key a score at the same hours; an alarm is a stretch of hours with a score above a threshold.
// Holdfast's threshold is its policy's. Each baseline gets the one with which it makes as many false alarms as holdfast on
// the very seed, which is more than anybody who uses it can know. An oracle that knows the network's true rates is the yardstick.
//
// What a hold is worth is measured in a closed loop: three networks of the same seed want the same, one without holdfast,
// one whose commands channels obey after their lag, and one in which each shelf keeps a fixed safety stock from every
// channel that holds as many unit-hours back as holdfast did there. Two more bound what can be saved: in one the oracle
// holds from the threshold on that gives it as many false alarms as holdfast in the open loop of the seed, in the other somebody who
// sees every shelf lets channels show no more than is there.
//
// Everything runs in this process: an engine with its store in memory, one partition for the whole network.
package quality
