package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-atp/holdfast/engine"
)

// progress is how far a partition has come, as of its last commit. Its worker moves
// it on; anybody reads it or waits for it. Whoever waits asks for a commit: without one
// being asked for, a worker commits seldom.
type progress struct {
	asked atomic.Bool   // somebody wants to see what is applied
	asks  chan struct{} // of capacity 1: asked became true, perhaps a while ago

	applied atomic.Uint64 // sequence of the last message applied, committed or not

	mu sync.Mutex
	reached
	moved chan struct{} // closed at the next change; nil while nobody waits
}

// stoppedProgress is that of a partition which could not be opened.
func stoppedProgress(err error) *progress {
	p := newProgress()
	p.err = err
	return p
}

func newProgress() *progress { return &progress{asks: make(chan struct{}, 1)} }

// reached is what there is to know of a partition's progress at one moment.
type reached struct {
	committed
	caches   [10]engine.CacheStats
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
		moved := p.change()
		p.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change asks for one and returns what is closed then. Under the lock.
func (p *progress) change() <-chan struct{} {
	if p.moved == nil {
		p.moved = make(chan struct{})
	}
	p.ask()
	return p.moved
}

// ask lets the worker commit. It answers nobody who does not wait.
func (p *progress) ask() {
	p.asked.Store(true)
	wake(p.asks)
}

// fresh returns once what can be read is what was applied less than openMin before the
// call, or when patience ends: a partition that is busy, or whose outputs can't be stored, is read as it was.
func (p *progress) fresh(patience context.Context) {
	since := time.Now().Add(-openMin)
	_ = p.wait(patience, func(p *progress) bool { return !p.caughtUp || p.asOf.After(since) })
}
