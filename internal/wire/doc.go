// Package wire writes and reads the varint-coded values that the engine keeps:
// records, timelines, pages. Writing is appending to a slice; reading is a
// [Reader] whose first error sticks, so that a decoder reads field after field
// and asks once at the end.
//
// It knows no format: each value's layout and version stand beside its type.
package wire
