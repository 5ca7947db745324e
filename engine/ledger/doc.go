// Package ledger keeps the stock of one key so that it does not depend on the
// order in which its deltas arrive.
//
// A [Ledger] holds the quantities as they stand and what it takes to correct
// them later: the registers that count, safety, allocate and listing set (the
// latest by event time wins), and a journal of the movements that a late count or ring-fence may
// still cut in two. A [Timeline] holds one reservation, ASN or transfer: its
// events in order of time, replayed where one arrives out of order.
//
// In order of time every step is O(1). Out of order costs what it must: a
// late count adds up the journal from its own time on, a late release replays its own order.
//
// # The journal
//
// A movement is needed for as long as a count or ring-fence of before it may arrive,
// which is the allowed lateness. The newest movements are in the Ledger itself; whenever
// they fill a page, [Ledger.ClosePage] hands them out to be kept elsewhere, and a [History] gives them back on the
// rare occasion that they are needed. So a hot key's ledger stays small.
//
// The package does no I/O and reads no clock; the caller brings the watermark.
package ledger
