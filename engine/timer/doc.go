// Package timer keeps a partition's event-time timers in order.
//
// A timer is a time and a name; it fires once, when the watermark has reached it, in order of
// (time, name), whatever order the timers were set in. All timers are in
// the store. The near ones, those before the queue's edge, are in memory too, in a heap bounded
// by [NearMax]; when the watermark passes the edge the next ones are loaded.
//
// The queue never cancels: who sets a timer remembers which one is live, and
// ignores the others when they fire.
package timer
