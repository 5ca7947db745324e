// Package baseline has what people use today to find phantom inventory, each as a score of a key at a time:
// the higher, the likelier is nothing there. They see the deltas that holdfast sees, and are given what makes them
// strong: the hours of the week in which is sold, and rates pooled over the network where a key's own are not known.
//
//	b := baseline.New(start, seed)
//	b.Observe(&delta)               // in order of arrival
//	b.Scores(key, now, scores)      // by baseline.Names()
//
// Nothing of it is holdfast's: it shares no code with the detectors.
package baseline
