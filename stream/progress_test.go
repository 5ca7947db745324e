package stream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// commitWhenAsked stands in for a worker that commits, after busy, whenever it is asked.
func commitWhenAsked(p *progress, busy time.Duration, stop <-chan struct{}) {
	for {
		select {
		case <-p.asks:
			select {
			case <-time.After(busy):
			case <-stop:
				return
			}
			p.set(func(p *progress) { p.said++; p.asOf = time.Now() })
		case <-stop:
			return
		}
	}
}

// TestFreshWaitsForACommitButNotForLong is about readers: what they see is not older than
// openMin unless the partition is busy, and no partition makes them wait longer than that.
func TestFreshWaitsForACommitButNotForLong(t *testing.T) {
	live := func(p *progress) { p.caughtUp, p.asOf = true, time.Now() }
	for _, c := range []struct {
		name  string
		begin func(p *progress)
		age   time.Duration // of what was told
		busy  time.Duration
		waits time.Duration
		sees  uint64
	}{
		{name: "a fresh one", begin: live, age: openMin - 1},
		{name: "an old one", begin: live, age: openMin, busy: time.Millisecond, waits: time.Millisecond, sees: 1},
		{name: "a busy partition", begin: live, age: openMin, busy: time.Second, waits: openMin},
		{name: "one that catches up", begin: func(*progress) {}, age: time.Hour},
		{name: "one that stands still", begin: func(p *progress) { live(p); p.err = errors.New("ended") }, age: time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProgress()
				p.set(c.begin)
				stop := make(chan struct{})
				defer close(stop)
				go commitWhenAsked(p, c.busy, stop)
				time.Sleep(c.age)
				began := time.Now()
				patience, cancel := context.WithTimeout(t.Context(), openMin)
				defer cancel()
				p.fresh(patience)
				if waited := time.Since(began); waited != c.waits {
					t.Errorf("it waited %v, not %v", waited, c.waits)
				}
				if sees := p.lastSaid(); sees != c.sees {
					t.Errorf("it sees commit %d, not %d", sees, c.sees)
				}
			})
		})
	}
}

// TestWaitAsksAgainUntilItIsSo is about those who wait for a position: each commit that does
// not reach it makes them ask for the next.
func TestWaitAsksAgainUntilItIsSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgress()
		stop := make(chan struct{})
		defer close(stop)
		go commitWhenAsked(p, time.Millisecond, stop)
		must(t, p.wait(t.Context(), func(p *progress) bool { return p.said == 3 }))
	})
}
