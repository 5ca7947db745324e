// Package oracle says what a partition's stock must be, as plainly as it can be
// said: it keeps every accepted delta and works each figure out anew whenever it is
// asked, by loops over the whole log of a key. It shares no code with
// the engine and imports the vocabulary alone, so that the two can only agree by both being right.
//
// [Model] is availability, duplicates, lateness and windows; [Oversell] adds the edges of
// the oversell detector and the holds and releases that follow from them.
//
// It is test support, and what "replay --verify" compares with. It is slow on
// purpose (a question costs the length of the key's log), keeps everything in memory, and is never
// part of the way of a delta.
package oracle
