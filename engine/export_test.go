package engine

import (
	"github.com/holdfast-atp/holdfast/detectors"
)

// MetaPrefix is the key under which a partition counts its deltas.
const MetaPrefix = keyMeta

// OnlyDetect leaves e with the detector of one class: what a model of that detector is compared with.
func OnlyDetect(e *Engine, class string) {
	var kept []detectors.Detector
	for _, d := range e.detectors {
		if string(d.Class) == class {
			kept = append(kept, d)
		}
	}
	e.watch(kept)
	kept = nil
	for _, d := range e.placeDetectors {
		if string(d.Class) == class {
			kept = append(kept, d)
		}
	}
	e.placeDetectors = kept
}
