package process

import (
	"encoding/json"
	"io"
	"sync"
)

// reply is a line that a child writes.
type reply struct {
	Kind  string          `json:"kind"`
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"` // of failed, and of an answer
}

// The kinds of reply.
const (
	kindReady    = "ready"
	kindProgress = "progress"
	kindAnswer   = "answer"
	kindFailed   = "failed"
)

// question is a line that a parent writes after the configuration.
type question struct {
	Ask string `json:"ask"`
}

// lines writes one JSON value a line; any goroutine may.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) write(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.w.Write(append(text, '\n'))
	return err
}
