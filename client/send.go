package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Codes of JetStream's errors that are refusals for now, though their class is 4xx.
const (
	codeAccountResources = 10002 // the account's storage is used up
	codeTooManyRequests  = 429
	codeRequestTimeout   = 408
)

// send publishes m until JetStream acknowledges it and returns its sequence. It
// gives up when ctx ends, when the producer's bound on retries is passed, or at an
// answer that no retry can change. An attempt whose outcome is unknown may have
// been stored; sending it again then stores it twice, and the engine's dedupe by
// source and id makes that harmless.
func (l *lane) send(ctx context.Context, m *message) (uint64, error) {
	p := l.producer
	if p.cfg.retryFor > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.cfg.retryFor,
			fmt.Errorf("not delivered within %s", p.cfg.retryFor))
		defer cancel()
	}
	pause := p.cfg.backoffMin
	for {
		sequence, err := l.attempt(ctx, m.payload)
		switch {
		case err == nil:
			return sequence, nil
		case ctx.Err() != nil:
			return 0, errors.Join(context.Cause(ctx), err)
		case isFinal(err):
			return 0, err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause/2+1)):
		case <-ctx.Done():
			return 0, errors.Join(context.Cause(ctx), err)
		}
		pause = min(2*pause, p.cfg.backoffMax)
		p.retries.Add(1)
	}
}

// attempt publishes once. The payload is copied before it returns.
func (l *lane) attempt(ctx context.Context, payload []byte) (uint64, error) {
	cfg := &l.producer.cfg
	ctx, cancel := context.WithTimeout(ctx, cfg.ackTimeout)
	defer cancel()
	subject := deltaSubject(cfg.prefix, l.partition)
	ack, err := l.producer.js.Publish(ctx, subject, payload)
	if err != nil {
		return 0, fmt.Errorf("publish to %s: %w", subject, err)
	}
	if want := deltaStream(cfg.prefix, l.partition); ack.Stream != want {
		return 0, &wrongStreamError{subject: subject, got: ack.Stream, want: want}
	}
	return ack.Sequence, nil
}

// wrongStreamError says that a stream which is not holdfast's took the message.
type wrongStreamError struct{ subject, got, want string }

func (e *wrongStreamError) Error() string {
	return fmt.Sprintf("subject %s is stored by stream %s, not %s: remove the subject from that stream", e.subject, e.got, e.want)
}

// isFinal reports whether sending again can't help.
func isFinal(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 400 && api.Code < 500 &&
			api.Code != codeTooManyRequests && api.Code != codeRequestTimeout &&
			api.ErrorCode != codeAccountResources
	}
	var wrong *wrongStreamError
	return errors.As(err, &wrong) ||
		errors.Is(err, nats.ErrConnectionClosed) ||
		errors.Is(err, nats.ErrConnectionDraining) ||
		errors.Is(err, nats.ErrMaxPayload)
}
