// Package stream joins the engine to JetStream and to the disk: topology, reader, worker,
// outputs, the gateway for those who know no partition, and the table of directives.
//
// # The way of a delta
//
// A [Reader] reads a partition's log in order from the stored position and decodes ahead.
// A worker owns one partition and is one goroutine: it applies a fetch delta by delta,
// hands what the engine says to the [Publisher], and now and then begins one batch of state that holds
// the changed records, the outputs that are not known to be published yet, and the position. The batch is written
// and committed while the worker goes on.
// A [Processor] runs the workers of a process, and beside them a [Gateway] for producers
// that know no partition and [Directives], the table of the last command of each key.
//
// # What a crash can take
//
// Nothing. The log is the truth and the position lives with the state. Outputs carry the
// partition's ordinal, which rises by one with each: at start the publisher asks every
// output stream for the greatest ordinal it has of the partition and stays silent up to
// there, so a replay says nothing twice, however long ago the crash was. What is sent also
// says what it follows, so that the stream itself refuses what comes late or from a second
// owner of the partition.
//
// # What it never does
//
// Nothing here waits for a subscriber. The table of directives, the console and every sink
// read from the streams behind the commands.
package stream
