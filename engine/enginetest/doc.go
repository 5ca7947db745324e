// Package enginetest is a store in memory for tests that drive an engine.
//
// A [Store] is an ordered map of bytes. Its [Batch] takes what a Flush writes and puts all of
// it into the store at Commit, or nothing: to crash, drop the batch and the engine, and
// begin again from the store, or from a [Store.Clone] taken at any earlier commit.
//
// It is stricter than any real store. What Get and Scan hand out is overwritten as soon as
// the engine.Store contract lets it be, so that an engine that keeps a slice for too
// long fails here and not in production.
package enginetest
