// Package handwritten is the consumer that a good engineer writes by hand in an afternoon, with the same
// broker and the same libraries: what a team would run if it did not take holdfast, and what holdfast's
// throughput is held against. It is not part of holdfast, and shares nothing with it but the vocabulary
// (package inventory, with its checks of a delta).
//
// # What it does
//
// A durable pull consumer a partition delivers to one goroutine. Each message is acknowledged by itself, once what it
// did is written and the commands that follow are stored. A message holds one delta or many, msgpack maps or
// arrays, read with vmihailenco/msgpack's decoder, driven by hand: its reflection takes no array that leaves
// trailing fields out, and costs twice as much. One Pebble holds everything. For each delta the record of its key is read,
// changed and written back, as msgpack, in one batch with NoSync.
//
// The rules of stock are the contract's: duplicates by source and id, lateness, counts as of their time,
// reservations, inbound and transfers by reference, reservations that lapse by event time, blocked, safety
// and listed quantities, ring-fences. A location that is oversold, or a channel's share of it, is held and
// released again by commands with a revision. Deltas that can't be used are published with their reason. For a
// log in order of time its stock, holds and releases are those of internal/oracle, and a test says so.
//
// # What it is not
//
// It is no straw man. What moved and what is open under a reference are keys of their own, so a record stays small
// however busy its key is; ids, movements and references are deleted when event time is past them; records
// are msgpack arrays; buffers and encoders are used again; pulls are deep and bounded by bytes; Pebble has bloom
// filters, and the memory that holdfast takes in all. Nor is it clever: nothing is cached above Pebble, and no
// write is put together with another delta's.
//
// # What it leaves out
//
//   - The same results after a crash: one between the write and the publishing of a command loses the command, as
//     its delta is a duplicate when it comes again. Ids of commands depend on what was delivered twice.
//   - References in the order of time: what is released before it was reserved, in order of arrival, stays reserved.
//   - Oversell of a SKU's whole network, and every detector but oversell; exceptions, belief about phantom
//     stock, prices, explanations, audit, policies, approvals; renewal and expiry of commands, the table of directives.
//   - Windows but the sum of demand in this minute, hour and day and the last; windows for late deltas.
//   - Of what comes in: JSON, msgpack's timestamps, whatever follows a broken delta in its message, and the
//     checks of attrs, of the partition, and that totals stay within 2^53.
//   - Synced writes (what a power cut takes is not delivered again), snapshots, hand-over, queries, metrics.
package handwritten
