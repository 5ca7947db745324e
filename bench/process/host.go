package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// LetGoMax is how long a role may take to return once its parent has let go of it.
const LetGoMax = 30 * time.Second

// Role is what a child does. It returns once it is done or ctx ends, which is no error: the
// parent has closed its end, or is dead.
type Role func(ctx context.Context, h *Host) error

// Handler answers a question.
type Handler func(ctx context.Context) (answer any, err error)

// Host is a child's side of the conversation.
type Host struct {
	config    json.RawMessage
	questions chan string
	out       *lines
}

// Serve plays a role for the parent behind in and out, and returns its error after it has told
// the parent. It reads in until it ends, also after it has returned. A role that doesn't
// let go within [LetGoMax] is left behind: the caller is to end the process.
func Serve(ctx context.Context, role Role, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &Host{questions: make(chan string), out: &lines{w: out}}
	reader := bufio.NewReader(in)
	config, err := reader.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	h.config = config
	go func() {
		defer cancel()
		h.read(ctx, reader)
	}()
	done := make(chan error, 1)
	go func() { done <- role(ctx, h) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		timer := time.NewTimer(LetGoMax)
		defer timer.Stop()
		select {
		case err = <-done:
		case <-timer.C:
			err = fmt.Errorf("did not let go within %v", LetGoMax)
		}
	}
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return errors.Join(err, h.out.write(reply{Kind: kindFailed, Error: err.Error()}))
}

// read passes questions on until in ends or ctx does.
func (h *Host) read(ctx context.Context, in *bufio.Reader) {
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var q question
		if json.Unmarshal(line, &q) != nil {
			return // not our parent: as good as gone
		}
		select {
		case h.questions <- q.Ask:
		case <-ctx.Done():
			return
		}
	}
}

// Config reads the configuration into a value.
func (h *Host) Config(into any) error {
	if err := json.Unmarshal(h.config, into); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// Ready says that the child is, with what the parent has to know; once.
func (h *Host) Ready(v any) error { return h.say(kindReady, v) }

// Progress says how far it is.
func (h *Host) Progress(v any) error { return h.say(kindProgress, v) }

func (h *Host) say(kind string, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return h.out.write(reply{Kind: kind, Value: value})
}

// Serve answers questions, one at a time, until ctx ends. A handler's error is the answer's, and
// the child goes on.
func (h *Host) Serve(ctx context.Context, handlers map[string]Handler) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case asked := <-h.questions:
			handler, ok := handlers[asked]
			if !ok {
				return fmt.Errorf("asked %q, which nothing here answers", asked)
			}
			answer, err := handler(ctx)
			if ctx.Err() != nil {
				return nil // nobody listens
			}
			if err != nil {
				err = h.out.write(reply{Kind: kindAnswer, Error: err.Error()})
			} else {
				err = h.say(kindAnswer, answer)
			}
			if err != nil {
				return err
			}
		}
	}
}
