//go:build race

package faultsim

// seedsDefault is how many seeds a run without flags takes. The race detector makes them slow and has little to
// look at: one goroutine does nearly everything.
const seedsDefault = 20
