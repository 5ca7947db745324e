package stream

import (
	"context"
	"sync"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
)

// progress is how far a partition has come, as of its last commit. Its worker moves
// it on; anybody reads it or waits for it.
type progress struct {
	mu sync.Mutex
	reached
	moved chan struct{} // closed at the next change; nil while nobody waits
}

// reached is what there is to know of a partition's progress at one moment.
type reached struct {
	status   engine.Status
	said     uint64           // ordinal of the last output
	logTime  inventory.Millis // when the log took in the last message applied; 0: none is
	caches   [6]engine.CacheStats
	caughtUp bool
	err      error // why it stands still; nil while it does not
}

func (p *progress) set(change func(p *progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

func (p *progress) get() (status engine.Status, caughtUp bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.caughtUp, p.err
}

// read returns all of it.
func (p *progress) read() reached {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached
}

// lastSaid returns the ordinal of the last output as of the last commit.
func (p *progress) lastSaid() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}

// wait returns when done says so, with the partition's error where it stopped, or
// with ctx's. done is called with the lock held.
func (p *progress) wait(ctx context.Context, done func(p *progress) bool) error {
	for {
		p.mu.Lock()
		if done(p) {
			p.mu.Unlock()
			return nil
		}
		if p.err != nil {
			err := p.err
			p.mu.Unlock()
			return err
		}
		if p.moved == nil {
			p.moved = make(chan struct{})
		}
		moved := p.moved
		p.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
