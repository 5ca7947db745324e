// Package state keeps what one partition remembers: ordered bytes, the position
// in the log up to which they are true, and the outputs that are not yet known
// to be published. All three change together, in one atomic batch.
//
// # How to use it
//
// A [Folder] is the data folder of one process. It holds a lock, so that a second
// process gets an error and not a share of the files, and says once and for all
// how many partitions there are. Each partition is a [DB] of its own in
//
//	<data>/partitions/<nnnn>/
//
// One goroutine owns a DB. It reads with Get and Scan, gathers changes in a
// [Batch], puts the new [Position] into the same batch and commits it:
//
//	b := db.NewBatch()
//	for {
//		b.Set(key, value)                // engine keys
//		b.PutOutput(ordinal, output)     // what has to be published
//		b.DeleteOutputs(acked)           // what has been
//		b.SetPosition(position)          // the message that brought us here
//		db.Commit(b)
//		b.Reset()
//	}
//
// Other goroutines, such as HTTP handlers, read from a [Snapshot], which is
// consistent: its keys and its position are of one batch boundary.
//
// # Why there is no write-ahead log
//
// The stream is the log. Whatever a crash takes from a partition is read again
// from the stored position and gives the same bytes, because the engine is
// deterministic. A second log on the same disk would cost a write for every
// batch and buy nothing but a shorter replay. What has to hold is that a crash
// leaves the state of some batch boundary with the position of that boundary,
// and never a mixture. It does:
//
//  1. A batch is applied wholly to one memtable, or, where it is too large for
//     one, becomes a flushable of its own. It never straddles two.
//  2. Memtables are flushed in the order in which they were filled, and a flush
//     takes a prefix of that queue. A younger one is never on disk without all
//     older ones.
//  3. A flush becomes visible by one edit of the manifest, which is synced after
//     the tables that it names.
//
// So what is found after a crash is a prefix of the batches, and the position in
// it is that of its last one. TestCrashAtEveryBatch takes the file system as a
// crash would leave it at every boundary and checks just that. [DB.Flush] makes
// everything committed so far durable; [DB.Close] does so too.
//
// # What it never does
//
// It knows nothing of detectors, records or commands: keys and values are bytes.
// It talks to no network, and it reads no clock.
package state
