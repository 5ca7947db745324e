// Package dedupe knows which deltas a partition has accepted already, exactly and in
// bounded memory, across restarts.
//
// An id is 120 bits of the hash of a delta's source and id. The chance that any two of a
// billion remembered ids collide is 3.8e-19, so a hash is as good as the id.
//
// # How long an id is remembered
//
// Event time is cut into epochs of a quarter of the allowed lateness. An id belongs to
// the epoch of the watermark at which it was accepted, and is forgotten when
// that epoch's end has fallen behind the watermark by more than the lateness: a
// repeat with the same event time would then be rejected as late. The rule
// speaks of event time alone, so how much memory there is never shows in a result.
//
// # Where it is
//
//	recent  an open-addressed table without pointers, four ids a cache line
//	block   per batch, the ids that it added, so that a restart can fill the table again
//	frozen  a table that was full, on its way into a run
//	run     ids in the store, sorted, in pages of 256, with a bloom filter (2 bytes an id) in memory,
//	        stored too; four runs of one level are merged into one of the next
//
// Tables are frozen and runs merged piece by piece, a few ids for each that is added, so
// that no flush takes long; memory for it is a few pages a run.
//
// The caller gives a [Store] to read from and a [Writer] to write to, flushes
// the set in the same batch as everything else, and goes on when that is committed.
package dedupe
