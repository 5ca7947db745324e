// Package load makes the deltas of a retailer's trade, from a seed: the same [Mix] gives the same
// deltas, in the same order. (With a skew, on machines of one architecture: that draw is in floating point.)
//
//	l, err := load.New(load.Mix{Seed: 1, Keys: 100_000, Skew: 1.1, Oversell: 0.01})
//	for d := range l.Fill {    // a count that fills each shelf
//		publish(d)
//	}
//	var d inventory.Delta
//	for {
//		l.Next(&d)             // never ends
//		publish(&d)
//	}
//
// Nothing in it is an exception but the probes: sales of a SKU that nobody has, each of which makes
// one hold for one channel and nothing else. A probe's SKU tells its number, so that whoever receives the
// hold knows which delta it answers ([Mix.ProbePrefix]).
//
// Names are made from numbers as they are needed, into memory that is used again: ten million keys
// take no more of it than one. So a delta's strings are good until the next call only.
//
// It reads no clock and knows nothing of holdfast but the vocabulary.
package load
