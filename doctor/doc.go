// Package doctor finds out what is wrong with a deployment, and what to do about it.
//
// It looks at the data folder (format, lock, free space, every partition's files and the checksums of a sample of them), at the
// streams (there, and as they have to be), at whether the two belong together (position and fingerprint), at what a partition
// has said and what the streams of outputs have of it, at the newest part of every stream (can it be read?), and at the broker's clock.
//
// [Examine] changes nothing. [Repair] does what is safe alone: it moves the folder of a partition aside, where the log is
// whole, so that the partition is built from it at the next start. Nothing is ever deleted.
package doctor
