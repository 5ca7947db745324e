// Package reference measures the limits that holdfast is held against: what reading, decoding and
// writing cost alone, on the same streams and with the same batches.
//
//	took, err := reference.RawRead(ctx, nc, topology, messages)   // read, thrown away
//	took, err := reference.RawDecode(ctx, nc, topology, messages) // read and decoded, thrown away
//	recording, err := reference.Record(ctx, nc, topology, dir)    // what holdfast would write; not measured
//	took, err := reference.Pebble(ctx, recording, dir)            // written, by Pebble alone
//
// All use as many goroutines as holdfast does and ask for messages in the same way. The times are
// those of the work alone: consumers are removed and databases closed behind them. What CPU
// they cost is for the caller to say, who runs each in a process of its own.
package reference
