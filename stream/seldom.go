package stream

import (
	"sync"
	"time"
)

// complaintEvery bounds how often one place complains of what it keeps trying.
const complaintEvery = 30 * time.Second

// seldom says when to complain: the first time, and not again for complaintEvery.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) now() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && time.Since(s.last) < complaintEvery {
		return false
	}
	s.last = time.Now()
	return true
}
