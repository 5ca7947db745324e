// Package window keeps sliding windows of a key's events: how many and how much,
// by series, in tiers of panes from a second to a day.
//
// A pane is the half-open stretch of event time [i·size, (i+1)·size). A tier holds
// the newest panes of one size that are not empty, and running totals over them, kept by
// adding what comes and subtracting what is evicted. Every tier takes
// every event, so a window over any span reads from one tier.
//
// Panes are evicted by the partition's watermark, never by a clock: the same
// log gives the same panes. An event that is late goes into the pane of its own time
// for as long as that pane is kept.
package window
