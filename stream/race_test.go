//go:build race

package stream

// raceDetector reports whether this is built with it.
const raceDetector = true
