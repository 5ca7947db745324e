//go:build !race

package faultsim

// seedsDefault is how many seeds a run without flags takes.
const seedsDefault = 500
