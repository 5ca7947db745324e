// Package window keeps sliding windows of a key's events: how many and how much,
// by series, in tiers of panes from a second to a day.
//
// A pane is the half-open stretch of event time [i·size, (i+1)·size). A tier is the newest so many
// panes of one size, the pane of the watermark included. A window over any span reads from one tier.
//
// An event is kept once: in its pane of the finest tier that still holds it. When that pane
// leaves its tier, what is in it is poured into the pane of the next coarser tier that covers it,
// and when it leaves the days it is forgotten. A coarse tier's pane is the sum of what was poured into it
// and of the finer panes that it covers, so nothing is counted in four places, and to add an event is to touch one.
//
// Panes are poured by the partition's watermark, never by a clock, and a key's only when something
// is added to it: its bytes follow from what was added alone. What is asked is answered as of the watermark that
// it is asked with. An event that is late goes into the pane of its own time for as long as that is kept.
package window
