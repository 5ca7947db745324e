// Package engine is the partition's state machine: deltas in, state changes and
// outputs out.
//
// It is pure. Given the same deltas in the same order it makes the same outputs with
// the same ids and leaves the same bytes, whatever the boundaries of the batches, the size of the cache, or how
// often it was stopped and started again in between. It has no clock, no randomness, no goroutine
// and no I/O but its [Store]. Time is event time, and comes with the log.
//
// # How to drive it
//
//	e, err := engine.New(config, store)      // takes up where the store left off
//	for each fetch of messages {
//		for each delta {
//			result, err := e.Step(at, &delta)  // or e.Reject for what could not be decoded
//			// result.Outcome is Unfinished: publish, commit if you like, and Step again
//		}
//		publish(e.Outputs())                 // may be sent before the batch is durable
//		e.ClearOutputs()
//		e.Flush(batch)                       // all that changed
//		batch.SetPosition(…)                 // with it, never apart from it
//		store.Commit(batch)
//		e.Committed()
//	}
//
// Freeze and Write are a Flush in pieces, between which more is applied.
//
// An error of Apply, Flush, Freeze or Write comes from the Store and is fatal: drop the Engine and
// begin again from the last committed batch. Nothing is lost, and nothing is said twice: outputs carry ordinals that
// rise by one, and the same log gives each output the same ordinal again.
//
// One goroutine drives an Engine. Others read what was committed, through [ReadKey] and its like.
//
// # The way of a delta
//
// apply.go: known already? too late? → the watermark moves on, and timers that are due
// fire → the record's ledger, windows and belief take it in → detect.go: detectors look → govern.go: exceptions
// open and resolve under the policy → directives.go: holds and releases follow.
//
// # What is where
//
// layout.go lists every kind of key and value in the store and their format
// version. Records and everything else that is looked up by key are held in a cache of bounded
// bytes (table.go), written once per batch however often they changed. Whoever changes one touches it before:
// so a batch that is being written holds it as it was.
package engine
