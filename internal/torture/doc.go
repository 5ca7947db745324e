// Package torture runs a broker and a holdfast as processes of their own and does to them what happens to
// processes: kill -9, pauses, a broker that comes back with an older disk, a flipped byte in a table, a damaged block
// of a log, a full disk.
// It has no code but its tests.
//
// What package faultsim does in one goroutine and made-up time, with thousands of seeds, is done here with the program that
// is shipped, a network, a disk and a clock, a few times.
//
// # A round
//
// A producer publishes a load with duplicates, disorder and items that can't be used, and counts by itself what each key
// has to come to. Meanwhile one fault happens. When all is published, and applied again, a verifier reads everything out
// (verify_test.go):
//
//   - Every message that was acknowledged is in the log.
//   - ATP of every key over HTTP is the producer's count, and who is oversold is held.
//   - The four streams of outputs have each ordinal of a partition once, and none is missing.
//   - Revisions rise by one for each channel, SKU and location, and the directives in force are the last of them.
//   - The rejected stream has exactly the items that can't be used, each with its reason.
//   - Read = applied + duplicates + rejected since the process started, and each is what the log says.
//
// Nothing is slept for; what is waited for has a deadline. The seed decides the load and the faults, not how fast processes
// are, so a failing seed is a way to look, not a promise.
//
// # How to use it
//
//	make torture MINUTES=10          rounds with faults drawn from a seed that is printed, for that long
//	make torture MINUTES=10 SEED=7   the faults and the load of that seed
//	go test ./internal/torture -v -args -minutes 1 -only tail
//	                                 that fault alone
//
// Without MINUTES, as in make test, each fault happens once, but those that are much like another or take long. The full disk needs Linux with user namespaces, in which a
// small tmpfs is mounted; elsewhere it is left out, and the log of the test says so.
package torture
