// Package handwritten is the consumer that a good engineer writes by hand in an afternoon, with
// the same libraries: what a team would run if it did not take holdfast, and what holdfast's
// throughput is held against. It is not part of holdfast.
//
// # What it does
//
// A durable pull consumer a partition delivers to one goroutine each and is acknowledged message by message, once
// what the message did is written and its commands are stored. A message holds one delta or many, msgpack maps or
// arrays, read with vmihailenco/msgpack's decoder driven by hand (its reflection takes no array that leaves
// trailing fields out, and is slower). One Pebble holds everything. For each delta the state of its key
// is read, changed and written back as msgpack, in one batch with NoSync: the process may die without
// losing what it acknowledged longer than a moment ago, the machine may not.
//
// The rules of stock are the contract's: duplicates by source and id, lateness, a count as of its time (what moved
// since is kept, a key a movement), reservations, inbound and transfers by reference, reservations that lapse by
// event time, blocked, safety and listed quantities, ring-fences, and the limits of quantities. A location
// or a channel's share of it that is oversold is held and released again, by commands with a revision.
// Deltas that can't be used are published with their reason.
//
// # What it knows
//
// It is no straw man: keys are hashed by nothing slower than Pebble, movements and references are not dragged
// along in the record, encoders and buffers are used again, records are msgpack arrays, pulls are deep and bounded by
// bytes, Pebble has bloom filters and as much memory as holdfast takes, and old ids go by a sweep every six hours.
//
// # What it leaves out
//
// Most of what makes holdfast holdfast: results that are the same after a crash (one between the write and the
// publishing of a command loses the command, for the delta is a duplicate when it comes again; ids of commands differ),
// references in the order of time instead of arrival, the network of a SKU, windows but the sum of demand
// in this and the last minute, hour and day, windows for late deltas, every detector but oversell, exceptions, the
// belief about phantom stock, explanations and audit, policies and approvals, renewal and expiry of commands, the table of
// directives, ticks as vouchers of a feed, JSON payloads, what follows a broken delta in its message, the check
// of a delta's partition and attrs, snapshots, hand-over, queries and metrics.
package handwritten
