package engine

import (
	"slices"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
)

// MetaPrefix is the key under which a partition counts its deltas.
const MetaPrefix = keyMeta

// OnlyDetect leaves e with the detectors of those classes: what a model of them is compared with.
func OnlyDetect(e *Engine, classes ...inventory.Class) {
	var kept []detectors.Detector
	for _, d := range e.detectors {
		if slices.Contains(classes, d.Class) {
			kept = append(kept, d)
		}
	}
	e.watch(kept)
	kept = nil
	for _, d := range e.placeDetectors {
		if slices.Contains(classes, d.Class) {
			kept = append(kept, d)
		}
	}
	e.placeDetectors = kept
}
