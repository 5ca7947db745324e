package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Directives in force are holds and throttles, but a Backend may also list the
// release that stands last.
var actions = []inventory.Action{inventory.Hold, inventory.Throttle, inventory.Unhold}

type directivesAnswer struct {
	Directives []inventory.Command `json:"directives"`
	Next       string              `json:"next"` // cursor of the next page; "" after the last
}

func (s *Server) getDirectives(w http.ResponseWriter, r *http.Request, q query) error {
	filter := DirectiveFilter{Channel: q["channel"], SKU: q["sku"], Location: q["location"]}
	var err error
	if filter.Action, err = oneOf(q, "action", actions); err != nil {
		return err
	}
	page, err := q.page()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	directives, next, err := s.backend.Directives(ctx, filter, page)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, directivesAnswer{orEmpty(directives), next})
}

type exceptionsAnswer struct {
	Exceptions []inventory.Exception `json:"exceptions"`
	Next       string                `json:"next"`
}

func (s *Server) getExceptions(w http.ResponseWriter, r *http.Request, q query) error {
	filter := ExceptionFilter{SKU: q["sku"], Location: q["location"]}
	var err error
	if filter.Statuses, err = anyOf(q, "status", inventory.Statuses()); err != nil {
		return err
	}
	if filter.Class, err = oneOf(q, "class", append(inventory.Classes(), inventory.GuardBreach)); err != nil {
		return err
	}
	page, err := q.page()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	exceptions, next, err := s.backend.Exceptions(ctx, filter, page)
	if err != nil {
		return err
	}
	for i := range exceptions {
		tidy(&exceptions[i])
	}
	return writeJSON(w, http.StatusOK, exceptionsAnswer{orEmpty(exceptions), next})
}

func (s *Server) getException(w http.ResponseWriter, r *http.Request, _ query) error {
	id, err := pathName(r, "id")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	exception, err := s.backend.Exception(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return notFound("There is no exception %q.", id)
	}
	if err != nil {
		return err
	}
	tidy(&exception)
	return writeJSON(w, http.StatusOK, exception)
}

func (s *Server) getPolicy(w http.ResponseWriter, r *http.Request, _ query) error {
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	p, err := s.backend.Policy(ctx)
	if err != nil {
		return err
	}
	p.Partitions = orEmpty(p.Partitions)
	return writeJSON(w, http.StatusOK, p)
}

func (s *Server) getExplanation(w http.ResponseWriter, r *http.Request, _ query) error {
	id, err := pathName(r, "command")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	explanation, err := s.backend.Explain(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return notFound("There is no command, exception or decision %q, or all that was said about it is older than what is kept.", id)
	}
	if err != nil {
		return err
	}
	if explanation.Exception != nil {
		tidy(explanation.Exception)
	}
	return writeJSON(w, http.StatusOK, explanation)
}

// tidy makes the lists of an exception lists in JSON also where they are empty.
func tidy(e *inventory.Exception) {
	e.Channels = orEmpty(e.Channels)
	e.Recommendations = orEmpty(e.Recommendations)
	e.History = orEmpty(e.History)
}
