package engine

// Store is what a partition remembers between batches: an ordered map of bytes.
// It is the engine's only window on the outside; package state fills it with
// Pebble, tests with whatever they like. An error is fatal for the partition:
// it stops, and starts again from its last committed batch.
type Store interface {
	// Get returns the value of key, or nil where there is none. The slice is the
	// Store's and good until the next call.
	Get(key []byte) ([]byte, error)

	// Scan calls yield for each key in [lower, upper), in order, until yield
	// returns false. Both slices are good until yield returns.
	Scan(lower, upper []byte, yield func(key, value []byte) bool) error
}

// Writer takes the changes of one batch. It copies what it is given.
type Writer interface {
	Set(key, value []byte) error
	Delete(key []byte) error
	DeleteRange(lower, upper []byte) error
}
