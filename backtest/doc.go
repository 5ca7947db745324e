// Package backtest says what a policy would have done with the logged past, next to what was done.
//
// The log of each partition is applied twice, from its beginning, by the same engine that decides in earnest, in memory: once as it was,
// with the policies that came through it, and once under the policy in question, with those left out. What people decided
// is carried out in both, where it fits: an exception that a policy does not open can't be approved.
//
// It reads streams alone and changes nothing. Where retention has taken the beginning of a log, both runs begin in the middle: the report says
// so, and their figures can be held against each other but not against what was done in earnest.
package backtest
