// Package codec is holdfast's wire format: deltas in, commands, exceptions and decisions
// out, and the two functions that every producer must share, [Token] and [Partition].
//
// # Deltas
//
// A payload carries one delta or many, one after another, each in one of three forms,
// told apart by its first byte:
//
//	0x80–0x8f, 0xde, 0xdf   a msgpack map by field name
//	0x90–0x9f, 0xdc, 0xdd   a msgpack array in the order of the contract's table, nil for what is absent
//	{                       a JSON object by field name
//
// [Batch] decodes them into reused memory: a delta in msgpack costs no allocation, as its
// strings are the payload's own bytes. It is written by hand because every delta of every
// partition passes through it; the library vmihailenco/msgpack/v5 is what it is tested and
// measured against.
//
// Unknown fields are skipped, so that a newer producer can talk to an older holdfast; a
// known field of the wrong type, or given twice, is malformed. nil and null are as good as
// absent.
//
// # Outputs
//
// Commands are JSON or msgpack ([Encoding]); exceptions and decisions are JSON. The same
// value always gives the same bytes.
package codec
