// Package detectors finds exceptions: one file a detector, all of them in [Table].
//
// A detector is a pure function of a [View], which is what the engine shows it of
// a record: the stock, the channels, the network, what is open already. Where it needs a memory of
// its own it keeps it in a value that the record holds for it ([Belief], [Feed]).
// It reads no clock: now is the watermark.
//
// Detecting is edge-triggered with hysteresis. Look says only that a scope is to be
// raised or cleared; Describe puts the edge into figures and a sentence that a planner understands,
// and is called for edges alone, so that looking stays cheap.
//
// # Floating point
//
// The same log gives the same bytes. Products that are added to are rounded explicitly
// (float64(x*y) + z), so that no compiler fuses them; exponentials and logarithms are the package's own, for
// those of package math differ by machine; what is written into evidence is rounded to four digits.
package detectors
