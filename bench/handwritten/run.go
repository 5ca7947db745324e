package handwritten

import (
	"context"
	"errors"
	"time"
)

// Config of a run.
type Config struct {
	URL        string // of the NATS server
	Prefix     string // of the deployment's subjects
	Partitions int    // of the deployment, all of which are consumed
	Dir        string // where Pebble lives; created where there is none
	Deltas     uint64 // stop after so many, whatever became of each; 0: when ctx ends, which is then no error
}

// Result is what a run did. Deltas = Applied + Duplicates + Rejected.
type Result struct {
	Messages   uint64        `json:"messages"` // acknowledged
	Deltas     uint64        `json:"deltas"`
	Applied    uint64        `json:"applied"`
	Duplicates uint64        `json:"duplicates"`
	Rejected   uint64        `json:"rejected"`
	Commands   uint64        `json:"commands"`
	Elapsed    time.Duration `json:"elapsed_ns"` // from the call until the last acknowledgement was sent
}

// Run consumes.
func Run(ctx context.Context, config Config) (Result, error) {
	return Result{}, errors.New("not there yet")
}
