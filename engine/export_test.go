package engine

import (
	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/window"
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
}

// ReadWindows returns the windows of a key as of the last flush.
func ReadWindows(store Store, sku, location string) (window.Windows, error) {
	key := appendRecordKey([]byte{keyRecord}, sku, location)
	coded, err := store.Get(key)
	if err != nil || coded == nil {
		return window.Windows{}, err
	}
	r, err := decodeRecord(key, coded)
	if err != nil {
		return window.Windows{}, err
	}
	return r.windows, nil
}
