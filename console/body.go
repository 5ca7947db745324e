package console

import (
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// budget bounds the bytes that all callers hold together.
type budget struct {
	bytesMax int64
	held     atomic.Int64
}

// take reports whether n more bytes may be held; if so, they are until give.
func (b *budget) take(n int64) bool {
	if b.held.Add(n) > b.bytesMax {
		b.held.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.held.Add(-n) }

// body is what a caller sent, inflated. It and what was made of it count against
// the server's budget until it is released, and its bytes are good until then.
type body struct {
	bytes  []byte
	budget *budget
	held   int64 // of the budget: the capacity of bytes, and what hold added
}

// hold counts n more bytes.
func (b *body) hold(n int64) error {
	if !b.budget.take(n) {
		return unavailable("Too many bodies are being read at once. Send it again in %s s.", retryAfter)
	}
	b.held += n
	return nil
}

func (b *body) release() {
	b.budget.give(b.held)
	b.bytes, b.held = nil, 0
}

const bodyBytesFirst = 16 << 10 // of a buffer before it grows

// readBody reads all of r's body. Its buffer grows with what really arrives: a
// length that is only claimed costs nothing. What follows has time-outs of its own, from
// which a body that was slow to come takes nothing.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (*body, error) {
	most := s.limits.bodyBytesMax
	sent := r.Body
	if r.ContentLength > most {
		w.Header().Set("Connection", "close")
		drain(sent)
		return nil, tooLargeBody(most)
	}
	var source io.Reader = http.MaxBytesReader(w, sent, most)
	switch encoding := strings.ToLower(strings.Join(r.Header.Values("Content-Encoding"), ", ")); encoding {
	case "", "identity":
	case "gzip":
		inflated, err := gzip.NewReader(source)
		if err != nil {
			return nil, readProblem(err, most)
		}
		source = inflated
	default:
		return nil, unsupportedEncoding(encoding)
	}

	b := &body{budget: &s.bodies}
	if err := b.fill(source, most); err != nil {
		b.release()
		drain(sent)
		return nil, readProblem(err, most)
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

// drainBytesMax bounds what is read of a refused body to throw it away.
const drainBytesMax = 32 << 20

// drain reads what is left of a refused body. A connection that is closed on a caller who is
// still sending is reset, and the answer that says what was wrong may never be seen.
func drain(sent io.Reader) { _, _ = io.CopyN(io.Discard, sent, drainBytesMax) }

// fill reads source to its end, or fails at the first byte beyond most.
func (b *body) fill(source io.Reader, most int64) error {
	for {
		if len(b.bytes) == cap(b.bytes) {
			if err := b.grow(most + 1); err != nil {
				return err
			}
		}
		n, err := source.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > most:
			return tooLargeBody(most)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (b *body) grow(most int64) error {
	size := min(max(2*int64(cap(b.bytes)), bodyBytesFirst), most)
	if err := b.hold(size); err != nil {
		return err
	}
	grown := make([]byte, len(b.bytes), size)
	copy(grown, b.bytes)
	b.held -= int64(cap(b.bytes))
	b.budget.give(int64(cap(b.bytes)))
	b.bytes = grown
	return nil
}

// readProblem says why a body could not be read to its end.
func readProblem(err error, most int64) error {
	var p *problem
	var tooMany *http.MaxBytesError
	var network net.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooMany):
		return tooLargeBody(most)
	case errors.As(err, &network) && network.Timeout():
		return timedOut(http.StatusRequestTimeout, "The body did not arrive in time.")
	}
	return badRequest("The body can't be read to its end: %v.", err)
}

func tooLargeBody(most int64) *problem {
	return tooLarge("A body has %d bytes at most, inflated as well as sent. Send the deltas in several requests.", most)
}

func unsupportedEncoding(encoding string) *problem {
	return &problem{status: http.StatusUnsupportedMediaType, kind: "unsupported-media-type",
		title: "The body is in a form that is not read here", accept: "gzip, identity", acceptName: "Accept-Encoding",
		detail: "Content-Encoding " + encoding + " is not read; accepted is gzip, or none."}
}
