// Package score holds what was said against what was so: precision and recall, calibration,
// delays. All of it is arithmetic on slices; nothing is kept.
package score
