package role

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/bench/process"
)

// roles by name.
var roles = map[string]process.Role{
	Broker:      playBroker,
	Driver:      playDriver,
	Filler:      playFiller,
	Handwritten: playReference(Handwritten),
	Holdfast:    playHoldfast,
	Pebble:      playReference(Pebble),
	RawDecode:   playReference(RawDecode),
	RawRead:     playReference(RawRead),
	Recorder:    playRecorder,
	Storm:       playStorm,
	Subscriber:  playSubscriber,
}

// Play plays the role of that name for the parent behind in and out; see process.Serve.
func Play(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	role, ok := roles[name]
	if !ok {
		return fmt.Errorf("role %q: it is one of %s", name, strings.Join(slices.Sorted(maps.Keys(roles)), ", "))
	}
	return process.Serve(ctx, role, in, out)
}

// startProfile writes a CPU profile of this process to path until stop is called; "" writes none.
func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
