// Package bench measures what this machine can do with holdfast, beside the limit that the
// broker sets on the same machine in the same run.
//
// # Catch-up
//
// The streams are filled beforehand, once with one delta a message and once packed.
// Then each is read twice: raw (one consumer a partition, no acknowledgements, every
// message thrown away), and by a processor with an empty state folder until it has
// committed the last delta. Both readers ask for messages in the same way. What counts is the
// ratio of the two.
//
// # Latency
//
// Open loop: each delta has a moment at which it is due, whatever became of those before
// it, and a command's latency is from that moment until a subscriber has it. A stall
// counts against every delta that is due behind it. Some of the deltas are probes: sales of
// a SKU that has no stock, so that each makes a hold.
//
// The broker, the driver and holdfast share this process and its cores, and all their
// work is in the figures. Only ratios travel from one machine to another.
package bench
