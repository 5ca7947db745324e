// Package faultsim runs partitions under faults that are drawn from a seed, and says whether what came of
// it is what has to come of it. The same seed gives the same run.
//
// # What is real and what is not
//
// Real are the partition ([stream.Partition]: apply, say, commit, take up again), the engine, the state in
// Pebble, the check of the log, and the publisher's protocol. Made up are the clock, the log, the output streams (which
// refuse what does not follow the last message, as JetStream does), the disk (Pebble's crashable file
// system) and the loop that reads a fetch and decides when to begin a batch, and how fast that gets into the store: here the
// seed decides.
//
// One goroutine does everything but Pebble's flushes and compactions. Flushes are waited for, or held up on purpose, and
// compactions change nothing that can be read, so that what a crash leaves does not depend on how fast they were.
//
// # A run
//
// A plan is the deltas and the steps of a run (plan.go lists them): what is produced, applied, committed and said,
// and between these the faults. A world takes the steps, and then a phase without faults in which everything
// must come to rest. What is checked, after each step and at the end (check.go):
//
//   - The committed state, windows and timers among it, is byte for byte that of a partition that nothing ever
//     happened to, at the same position; and that one's counters, stock, windows, oversells and directives are the oracle's. So are the
//     timers by which reservations lapse: each that the oracle has open has one, and they are in stock and directives at the moment at which they do.
//   - Each output stream has each ordinal of a partition once, in order, and with the content that the
//     undisturbed partition gave it. So a reader that follows revisions is told everything once.
//   - Exceptions that waited, for too many opened at once, are all told of in the end, as they are then.
//   - Read = applied + duplicates + rejected.
//   - A partition whose log lost what it had applied stops with [stream.ErrLogDiffers], and none other does.
//   - In the end all is applied, said and out of the outbox.
//
// Where a run fails, what it fails without is left out of it, and the rest is told (story.go). That all this bites
// is shown by mutants: mistakes, put between the parts, each of which has to be noticed.
//
// # What it does not cover
//
// The network client, goroutines and real time: those are the business of the tests of package stream with
// a real server, and of the tests that kill real processes. The two lines of a reader that lost its consumer, which are
// to compare what it read last with the log, are repeated here (owner.look); what they call is real.
//
// Where a log is rewritten after something was said of what it lost, a partition has to stand still when it starts, and
// whoever runs has to before an output is taken for said that is not. Then what was said of it is taken back, as
// holdfast doctor does, and all that follows from the log as it is has to be said.
//
// # How to use it
//
//	make faultsim SEEDS=5000    seeds 0 to 4999
//	make faultsim SEED=105      that one, with its story
package faultsim
