package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/holdfast-atp/holdfast/inventory"
)

// streamCommands sends commands as server-sent events: id is the stream
// sequence, event the action, data the command. Each event is written and flushed before the next
// is asked for, so that nothing piles up here; a reader that does not take an event in
// time is dropped and comes back with its Last-Event-ID.
func (s *Server) streamCommands(w http.ResponseWriter, r *http.Request, q query) error {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return unavailable("All %d event streams are in use. Ask again in %s s.", cap(s.streams), retryAfter)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()

	after, err := s.streamStart(ctx, r, q)
	var source CommandStream
	if err == nil {
		source, err = s.backend.Commands(ctx, after)
	}
	switch {
	case err != nil && s.stopping.Err() != nil:
		return unavailable("This holdfast is shutting down. Ask again in %s s.", retryAfter)
	case err != nil:
		return err
	}
	defer source.Close()
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()

	out := newEventWriter(w, s.limits.eventTimeout)
	if err := out.open(); err != nil || r.Method == http.MethodHead {
		return nil
	}
	err = s.pump(ctx, r, source, out, DirectiveFilter{Channel: q["channel"], SKU: q["sku"]}, after)
	switch {
	case errors.Is(err, errTakenBack):
		s.logger.Info("event stream ended: its token was taken back", "remote", r.RemoteAddr)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.metrics.dropped.Inc()
		s.logger.Info("event stream dropped: its reader is too slow", "remote", r.RemoteAddr)
	case ctx.Err() != nil: // the reader has gone, or the server is going
	default:
		s.logger.Error("event stream ended", "error", err)
	}
	return nil // the answer has begun; all that can still be said is its end
}

// streamStart returns the sequence behind which a stream begins: the reader's
// Last-Event-ID if it was here before, else the end less ?recent=.
func (s *Server) streamStart(ctx context.Context, r *http.Request, q query) (after uint64, err error) {
	recent, err := q.count("recent", 0, 0, recentMax)
	if err != nil {
		return 0, err
	}
	seen := r.Header.Get("Last-Event-ID")
	if seen != "" {
		if after, err = strconv.ParseUint(seen, 10, 64); err != nil {
			return 0, badRequest("Last-Event-ID is %q; it is the id of an event of this stream, a whole number.", seen)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.backendTimeout)
	defer cancel()
	last, err := s.backend.LastCommand(ctx)
	switch {
	case err != nil:
		return 0, err
	case seen == "":
		return last - min(last, uint64(recent)), nil
	case after > last: // the stream began anew since; revisions tell the reader what it knows already
		return 0, nil
	}
	return after, nil
}

// errTakenBack says that the reader of a stream is none any more.
var errTakenBack = errors.New("the token was taken back")

// pump sends what passes filter until ctx ends, the source fails, or the
// reader is too slow. It looks once a heartbeat whether r's token is still good: a stream
// may go on for weeks.
func (s *Server) pump(ctx context.Context, r *http.Request, source CommandStream, out *eventWriter, filter DirectiveFilter, seen uint64) error {
	checked := time.Now()
	for {
		if time.Since(checked) >= s.limits.heartbeat {
			checked = time.Now()
			if !s.isReader(r) {
				return errTakenBack
			}
		}
		quiet, cancel := context.WithDeadline(ctx, out.wrote.Add(s.limits.heartbeat))
		sequence, command, err := source.Next(quiet)
		timeUp := quiet.Err() != nil
		cancel()
		if err == nil {
			seen = sequence
			if filter.Match(&command) {
				if err := out.send(sequence, &command); err != nil {
					return err
				}
				continue
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case timeUp:
			if err := out.heartbeat(seen); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}

// eventWriter writes server-sent events, each with a deadline of its own.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	wrote   time.Time // when the last write was done
	buffer  []byte    // reused
}

func newEventWriter(w http.ResponseWriter, timeout time.Duration) *eventWriter {
	return &eventWriter{w: w, control: http.NewResponseController(w), timeout: timeout}
}

// open sends the header. A stream outlives the server's time-outs for requests,
// so it lifts them.
func (e *eventWriter) open() error {
	if err := e.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	e.w.WriteHeader(http.StatusOK)
	return e.flush([]byte("retry: 2000\n\n"))
}

func (e *eventWriter) send(sequence uint64, c *inventory.Command) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("marshal command %s: %w", c.ID, err)
	}
	e.buffer = fmt.Appendf(e.buffer[:0], "id: %d\nevent: %s\ndata: %s\n\n", sequence, c.Action, data)
	return e.flush(e.buffer)
}

// heartbeat sends a comment, which keeps proxies from closing a quiet
// connection and shows whether the reader is still there. An id without data
// moves a reader's Last-Event-ID past commands that its filter left out.
func (e *eventWriter) heartbeat(seen uint64) error {
	e.buffer = fmt.Appendf(e.buffer[:0], ": alive\nid: %d\n\n", seen)
	return e.flush(e.buffer)
}

// flush sends data. os.ErrDeadlineExceeded: the reader does not keep up.
func (e *eventWriter) flush(data []byte) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(e.timeout)); err != nil {
		return err
	}
	if _, err := e.w.Write(data); err != nil {
		return err
	}
	if err := e.control.Flush(); err != nil {
		return err
	}
	e.wrote = time.Now()
	return nil
}
