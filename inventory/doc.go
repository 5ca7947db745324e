// Package inventory is the vocabulary of holdfast: what a delta says, which
// key it touches, what availability means, and what a command and an exception
// look like to those who receive them.
//
// It is pure. It imports nothing else of holdfast's, reads no clock and does no
// I/O, so that producers, subscribers and the engine share one meaning of every
// word. The bytes on the wire are package codec's business.
//
// # Terms
//
// A [Delta] is one change at one [Key], which is a SKU at a location. On-hand
// is what the record says is there; unavailable is the part of it that nobody
// may sell (damage, quarantine, recall); reserved is what open orders hold;
// safety is what the location keeps back. Then
//
//	available    = on_hand − unavailable
//	ATP          = available − reserved − safety
//	ATP(channel) = ATP − what other channels' ring-fences still hold
//	network ATP  = Σ over the SKU's locations of max(0, ATP)
//
// ATP (available to promise) is never clipped where it is stored or shown: −3
// says that three too many were promised.
//
// # Event time
//
// Every delta carries the time at which it happened. Stock is a function of the
// set of deltas within the allowed lateness, not of their order of arrival. Where two
// deltas of one key have the same time, these rules decide, whichever came first:
//
//   - A movement at the very time of a count was made after it: what happened
//     strictly before a count is in it, the rest applies on top.
//   - Of two deltas that set the same quantity (count, safety, allocate, listing),
//     the one with the greater id wins: the longer id, then by bytes, then by source.
//   - What adds to a reference (reserve, asn, transfer_out) precedes what takes from
//     it (release, ship, receipt, transfer_in).
package inventory
