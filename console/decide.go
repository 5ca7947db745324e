package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
)

// decisionBody is what a caller may say about a decision.
type decisionBody struct {
	Note  string `json:"note"`
	Owner string `json:"owner"`
	By    string `json:"by"` // only where nobody is asked for a token
}

// nobodyAsked is who decides where nobody is asked for a token, nor says.
const nobodyAsked = "unnamed"

// decide returns the handler of one kind of decision. It answers once the decision is applied, with
// the exception as it stands then.
func (s *Server) decide(action control.Action) handler {
	return func(w http.ResponseWriter, r *http.Request, _ query) error {
		id, err := pathName(r, "id")
		if err != nil {
			return err
		}
		said, err := s.readDecision(w, r)
		if err != nil {
			return err
		}
		by, err := s.decider(r, said.By)
		if err != nil {
			return err
		}
		d := control.Decision{Exception: id, Action: action, Note: said.Note, Owner: said.Owner}
		if action == control.Assign && d.Owner == "" {
			return badRequest(`To assign an exception say to whom: {"owner":"…"}.`)
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.limits.ingestTimeout)
		defer cancel()
		e, done, err := s.backend.Decide(ctx, by, d)
		if errors.Is(err, ErrNotFound) {
			return notFound("There is no exception %q.", id)
		}
		if err != nil {
			return err
		}
		if !done {
			return unfit(action, &e)
		}
		s.logger.InfoContext(ctx, "decided", "action", string(action), "exception", id, "by", by)
		tidy(&e)
		return writeJSON(w, http.StatusOK, e)
	}
}

// readDecision reads the body, which may be empty.
func (s *Server) readDecision(w http.ResponseWriter, r *http.Request) (said decisionBody, err error) {
	sent, err := s.readBody(w, r)
	if err != nil {
		return said, err
	}
	defer sent.release()
	if len(bytes.TrimSpace(sent.bytes)) == 0 {
		return said, nil
	}
	if form := formatOf(r.Header.Get("Content-Type")); form != formatJSON {
		p := unsupportedType(r.Header.Get("Content-Type"))
		p.accept, p.detail = "application/json", "A decision's body is JSON: Content-Type is application/json."
		return said, p
	}
	const shape = `{"note":"…","owner":"…"}`
	if !utf8.Valid(sent.bytes) {
		return said, badRequest("The body is not UTF-8.")
	}
	decoder := json.NewDecoder(bytes.NewReader(sent.bytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil {
		return said, badRequest("The body is not a decision such as %s: %v.", shape, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return said, badRequest("The body has something behind the decision; one object such as %s belongs there.", shape)
	}
	for _, field := range []struct {
		name, text string
		bytesMax   int
	}{{"note", said.Note, control.NoteBytesMax}, {"owner", said.Owner, control.NameBytesMax}, {"by", said.By, control.NameBytesMax}} {
		if len(field.text) > field.bytesMax || strings.ContainsFunc(field.text, isControl) {
			return said, badRequest("%q has %d bytes at most, and no control characters such as line breaks.", field.name, field.bytesMax)
		}
	}
	return said, nil
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// decider returns in whose name r decides: the token's. Where nobody is asked for one, the name is what r says.
func (s *Server) decider(r *http.Request, said string) (string, error) {
	id, _ := s.identify(r)
	switch {
	case id.Name != "" && said != "" && said != id.Name:
		return "", badRequest(`The token is that of %s, in whose name the decision is: leave out "by".`, id.Name)
	case id.Name != "":
		return id.Name, nil
	case said != "":
		return said, nil
	}
	return nobodyAsked, nil
}

// unfit says that an exception stands otherwise than a decision needs.
func unfit(action control.Action, e *inventory.Exception) *problem {
	why := control.Unfit(action, e.Status)
	if why == "" {
		why = "it changed while that was decided; look at it and decide again"
	}
	p := &problem{status: http.StatusConflict, kind: "conflict", title: "It does not stand like that",
		detail: "Exception " + e.ID + " is " + string(e.Status) + ", so " + string(action) + " is not possible: " + why + "."}
	p.extra = map[string]any{"exception": e.ID, "exception_status": e.Status}
	return p
}
