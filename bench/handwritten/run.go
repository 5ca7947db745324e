package handwritten

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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

// run is what the consumers of a run share.
type run struct {
	config Config
	js     jetstream.JetStream
	done   chan struct{} // closed once all deltas that were asked for are handled
	fail   context.CancelCauseFunc

	mu     sync.Mutex
	result Result
}

// Run consumes the deployment's streams until config.Deltas are handled. The durable consumers are removed
// at the end, so that another run with another folder starts from nothing. Commands and rejected deltas go
// to a stream of its own, <PREFIX>_HANDWRITTEN, under <prefix>.handwritten.
func Run(ctx context.Context, config Config) (result Result, err error) {
	start := time.Now()
	nc, err := nats.Connect(config.URL, nats.Name(durable))
	if err != nil {
		return result, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return result, err
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:     strings.ToUpper(config.Prefix) + "_HANDWRITTEN",
		Subjects: []string{config.Prefix + ".handwritten.>"},
	}); err != nil {
		return result, err
	}
	db, err := openPebble(vfs.Default, config.Dir)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := &run{config: config, js: js, done: make(chan struct{}), fail: fail}
	for i := range config.Partitions {
		c, err := r.consume(running, db, i)
		if err != nil {
			return result, fmt.Errorf("partition %d: %w", i, err)
		}
		defer c.close(context.WithoutCancel(ctx))
	}
	select {
	case <-r.done:
		err = nc.Flush()
	case <-running.Done():
		if config.Deltas > 0 || ctx.Err() == nil {
			err = context.Cause(running)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Elapsed = time.Since(start)
	return r.result, err
}

// add adds what became of a message, and ends the run with the last delta that was asked for.
func (r *run) add(m Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, most := r.result.Deltas, r.config.Deltas
	r.result.Messages++
	r.result.Deltas += m.Deltas
	r.result.Applied += m.Applied
	r.result.Duplicates += m.Duplicates
	r.result.Rejected += m.Rejected
	r.result.Commands += m.Commands
	if before < most && r.result.Deltas >= most {
		close(r.done)
	}
}
