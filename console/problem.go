package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// problem is an RFC 9457 problem: what a caller gets instead of an answer. As an
// error it is what a handler returns to have it sent.
type problem struct {
	status int
	kind   string // last part of the type URN: "not-found"; stable, for programs
	title  string // the same for every problem of a kind
	detail string // what is wrong this time, and what would be right

	allow      []string // 405: the methods that there are
	accept     string   // 415: header Accept or Accept-Encoding …
	acceptName string   // … and which of them
	headers    map[string]string
	extra      map[string]any // members of the problem's own
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.status, p.kind, p.detail) }

func badRequest(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, kind: "bad-request",
		title: "The request can't be understood", detail: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *problem {
	return &problem{status: http.StatusNotFound, kind: "not-found",
		title: "There is no such thing here", detail: fmt.Sprintf(format, args...)}
}

func methodNotAllowed(method string, allow []string) *problem {
	return &problem{status: http.StatusMethodNotAllowed, kind: "method-not-allowed",
		title: "This address does not do that", allow: allow,
		detail: fmt.Sprintf("%s is not possible here; %s is.", method, strings.Join(allow, ", "))}
}

func tooLarge(format string, args ...any) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, kind: "too-large",
		title: "The body is too large", detail: fmt.Sprintf(format, args...)}
}

func unavailable(format string, args ...any) *problem {
	return &problem{status: http.StatusServiceUnavailable, kind: "unavailable",
		title: "Not possible right now", detail: fmt.Sprintf(format, args...)}
}

func timedOut(status int, format string, args ...any) *problem {
	return &problem{status: status, kind: "timeout",
		title: "It took too long", detail: fmt.Sprintf(format, args...)}
}

// cutOff is for a request whose context has ended. Most likely nobody is left to read it;
// but if somebody is, no answer at all would reach them as an empty 200.
func cutOff() *problem {
	return timedOut(http.StatusRequestTimeout, "The request ended before its answer was there. Send it again.")
}

func internalError() *problem {
	return &problem{status: http.StatusInternalServerError, kind: "internal",
		title: "Something broke in holdfast", detail: "The cause is in holdfast's log; asking again may help."}
}

// problemOf gives the problem for an error of the Backend: what it says by its
// sentinels, and "internal" for the rest, whose text is for the log alone.
func problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, ErrNotFound):
		return notFound("Nothing is known under that name.")
	case errors.Is(err, ErrBadCursor):
		return badRequest("The cursor is not one that this server gave; begin again without one.")
	case errors.Is(err, ErrUnavailable):
		return unavailable("%v. Ask again in %s s.", err, retryAfter)
	case errors.Is(err, context.DeadlineExceeded):
		return timedOut(http.StatusGatewayTimeout, "No answer in time from what is behind this server.")
	}
	return internalError()
}

// write sends p; instance is the path that it is about.
func (p *problem) write(w http.ResponseWriter, r *http.Request) {
	body := make(map[string]any, len(p.extra)+5)
	for name, value := range p.extra {
		body[name] = value
	}
	body["type"] = "urn:holdfast:problem:" + p.kind
	body["title"] = p.title
	body["status"] = p.status
	body["detail"] = p.detail
	body["instance"] = r.URL.EscapedPath()

	h := w.Header()
	if len(p.allow) > 0 {
		h.Set("Allow", strings.Join(p.allow, ", "))
	}
	if p.accept != "" {
		h.Set(p.acceptName, p.accept)
	}
	for name, value := range p.headers {
		h.Set(name, value)
	}
	if p.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	}
	writeBody(w, p.status, "application/problem+json", body)
}

// writeJSON answers with value.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	return writeBody(w, status, "application/json", value)
}

// writeBody marshals before it sends anything, so that a value that can't be
// marshalled is still an error that can be answered. What fails after that is
// the connection, and its caller has gone.
func writeBody(w http.ResponseWriter, status int, contentType string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("marshal the answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
	return nil
}
