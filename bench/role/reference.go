package role

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/bench/handwritten"
	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/reference"
	"github.com/holdfast-atp/holdfast/stream"
)

// The references that holdfast is held against, each a role that answers [Run] with a [Referred].
const (
	RawRead     = "raw-read"
	RawDecode   = "raw-decode"
	Pebble      = "pebble"
	Handwritten = "handwritten"
)

// Recorder is the role that records what holdfast would write, for [Pebble] to write. It answers
// [Run] with a reference.Recording.
const Recorder = "recorder"

// referenceMax bounds how long a reference may take.
const referenceMax = time.Hour

// References lists the references.
func References() []string { return []string{RawRead, RawDecode, Pebble, Handwritten} }

// ReferenceConfig configures a reference, or a [Recorder].
type ReferenceConfig struct {
	URL      string
	Topology stream.Topology // of streams that are filled, and stay as they are
	Messages uint64          // that they hold
	Deltas   uint64          // that they hold; Handwritten ends after so many
	Dir      string          // for what the reference writes

	Recording reference.Recording // for Pebble
}

// Referred is how long a reference took for so many deltas.
type Referred struct {
	Deltas uint64
	Took   time.Duration
}

// playReference plays the reference of that name.
func playReference(name string) process.Role {
	return func(ctx context.Context, h *process.Host) error {
		var c ReferenceConfig
		if err := h.Config(&c); err != nil {
			return err
		}
		if err := h.Ready(nil); err != nil {
			return err
		}
		return h.Serve(ctx, map[string]process.Handler{
			Run: func(ctx context.Context) (any, error) {
				ctx, cancel := context.WithTimeout(ctx, referenceMax)
				defer cancel()
				return refer(ctx, name, c)
			},
		})
	}
}

func refer(ctx context.Context, name string, c ReferenceConfig) (r Referred, err error) {
	switch name {
	case Pebble:
		r.Deltas = c.Recording.Deltas
		r.Took, err = reference.Pebble(ctx, c.Recording, c.Dir)
		return r, err
	case Handwritten:
		result, err := handwritten.Run(ctx, handwritten.Config{
			URL: c.URL, Prefix: c.Topology.Prefix, Partitions: c.Topology.Partitions, Dir: c.Dir, Deltas: c.Deltas,
		})
		return Referred{result.Deltas, result.Elapsed}, err
	}
	nc, err := nats.Connect(c.URL, nats.Name("bench "+name))
	if err != nil {
		return r, err
	}
	defer nc.Close()
	r.Deltas = c.Deltas
	switch name {
	case RawRead:
		r.Took, err = reference.RawRead(ctx, nc, c.Topology, c.Messages)
	case RawDecode:
		r.Took, err = reference.RawDecode(ctx, nc, c.Topology, c.Messages)
	default:
		err = errors.ErrUnsupported
	}
	return r, err
}

func playRecorder(ctx context.Context, h *process.Host) error {
	var c ReferenceConfig
	if err := h.Config(&c); err != nil {
		return err
	}
	nc, err := nats.Connect(c.URL, nats.Name("bench recorder"))
	if err != nil {
		return err
	}
	defer nc.Close()
	if err := h.Ready(nil); err != nil {
		return err
	}
	return h.Serve(ctx, map[string]process.Handler{
		Run: func(ctx context.Context) (any, error) {
			recording, err := reference.Record(ctx, nc, c.Topology, c.Dir)
			if err != nil {
				return nil, fmt.Errorf("record: %w", err)
			}
			return recording, nil
		},
	})
}
