// Package gen draws random logs of deltas for property tests, and other logs that must come to the
// same: another order of arrival, other messages, other batches.
//
// A [Log] is mostly sensible, since a log of pure noise is mostly rejected and
// exercises little, and small in its names, since things go wrong where deltas meet: a few SKUs,
// locations, channels and references; times on a coarse grid, so that many are equal; repeats
// of an id, with the same content or other; deltas that are late or too late;
// ticks that leap; reservations that lapse; transfers; counts in the middle; ring-fences.
package gen
