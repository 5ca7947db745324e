// Package timer keeps a partition's event-time timers in order.
//
// A timer is a time, a kind and a key; it fires once, when the watermark has reached it, in order of
// these, whatever order the timers were set in. All timers are in
// the store, in blocks of those that are due within ten seconds of each other and were written together. One
// that has fired is not deleted: who opens the queue says which have, and
// whole spans go at a time. The near ones, those before the queue's edge, are in memory too, in a heap bounded
// by [NearMax]; when the watermark passes the edge the next ones are loaded.
//
// The queue never cancels: who sets a timer remembers which one is live, and
// ignores the others when they fire.
package timer
