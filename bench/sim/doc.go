// Package sim plays a store network whose truth is known: stores, distribution
// centres, and the channels over the counter and online. It gives the deltas that the
// systems of such a network send, in order of arrival, and keeps apart what is really on
// the shelves.
//
//	s := sim.New(sim.Config{Seed: 1, Start: start})
//	for {
//		d, arrives := s.Next()      // never ends
//		publish(&d)
//		for each command that came back {
//			s.Obey(&command)        // after the channel's own lag
//		}
//	}
//	s.Truth(key, at)                // what could be found there then
//	s.Faults()                      // what went wrong, where and when, and by how much
//	s.Episodes()                    // what was wrong, from when to when
//	s.Totals()                      // what was sold, lost, oversold and kept back
//
// A Config without more is a demonstration: brisk, from counted stock, with faults enough that a few days see
// them. [Study] is a network to measure in, calibrated to what is published ([Sim.WriteCalibration]).
//
// # What goes on
//
// Demand comes in clumps at a rate that changes from day to day (its counts are
// over-dispersed), by hour of day, day of week, trend and promotion. Stores sell what is on
// the shelf; the others sell what they list. A channel is told what has changed at its own hours and shows it after a lag, so it
// goes on selling what is gone. Online orders
// reserve stock, are picked hours later, and shipped or, where it is not found, reported as failed
// picks and cancelled or substituted. Goods come back, some of them broken; stores are supplied
// from the centre overnight, the centre by its suppliers, and some SKUs cannot be had.
// Some stock is kept back, some for one channel. A few keys a night are counted, and
// some of those whose picks failed. Every source says every half hour that it has told everything.
//
// # What goes wrong
//
// Shrink, theft and damage, goods put in the wrong place and found again, goods that nobody booked, mis-scans, receipts that are
// not what they say, transfers that are late, tills that are cut off and send everything hours
// later, messages lost, late and sent twice, and channels whose listings stand still or are wrong. For everybody to see are short deliveries,
// wrong snapshots, rushes, runs of corrections, faulty lots that come back, promotions that nobody stocked for, stores that are short of
// staff, and orders that customers take back by the dozen. Each is
// drawn from the seed at its own rate ([Rates]) and recorded as a [Fault]: the records that arrive
// are the truth but for the faults' units since the latest count.
//
// Nothing here knows the engine or a detector, or shares an assumption with them. The
// same Config, and the same commands at the same places, give the same deltas. What people want and what goes wrong
// does not depend on commands: so networks of one seed can be compared. Nothing
// is kept without bound but the faults and the episodes.
package sim
