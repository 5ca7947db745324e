// Package sim plays a small store network whose truth is known: a few stores, a
// distribution centre, and the channels store, web and amazon. It gives the deltas that the
// systems of such a network send, in order of arrival, and keeps apart what is really on
// the shelves.
//
//	s := sim.New(sim.Config{Seed: 1, Start: start})
//	for {
//		d, arrives := s.Next()      // never ends
//		publish(&d)
//		for each command that came back {
//			s.Obey(&command)        // a held channel sells nothing there
//		}
//	}
//
// # What goes on
//
// Demand comes in clumps at a rate that changes from day to day (its counts are
// over-dispersed), by hour of day and day of week. Stores sell what is on the shelf; web and
// amazon sell what they list, and their listings lag. Online orders reserve stock, are
// picked hours later, and shipped or, where the shelf is empty, reported as failed picks and
// cancelled. Goods come back; stores are supplied from the centre overnight, the centre by
// its suppliers; a few keys a night are counted.
//
// # What goes wrong
//
// Shrink and theft, goods put in the wrong place and found again, receipts that are not
// what they say, damage that nobody records, transfers that are late, tills that are cut off
// and send everything hours later, messages sent twice, and channels whose listings stand
// still. Each is drawn from the seed and recorded as a [Fault]. The rates are the ones that
// DOMAIN.md's sources report, raised where a demonstration of a few days would see none.
//
// Nothing here knows the engine or a detector, or shares an assumption with them. The
// same seed, and the same commands at the same places, give the same deltas.
package sim
