// Package dedupe knows which deltas a partition has accepted already, exactly and in
// bounded memory, across restarts.
//
// An id is the 128-bit hash of a delta's source and id. The chance that any two of a
// billion remembered ids collide is 1.5e-21, so a hash is as good as the id.
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
//	recent  an open-addressed table without pointers, one probe a delta
//	block   per batch, the ids that it added, so that a restart can fill the table again
//	run     when the table is full: its ids, sorted, in pages of 256, with a bloom
//	        filter in memory (1.25 bytes an id); runs are merged when there are too many
//
// The caller gives a [Store] to read from and a [Writer] to write to, and flushes
// the set in the same batch as everything else.
package dedupe
