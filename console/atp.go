package console

import (
	"context"
	"errors"
	"net/http"
	"unicode/utf8"
)

func (s *Server) getSKU(w http.ResponseWriter, r *http.Request, q query) error {
	sku, err := pathName(r, "sku")
	if err != nil {
		return err
	}
	if err := s.awaitPosition(r.Context(), q); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	answer, err := s.backend.SKU(ctx, sku)
	if errors.Is(err, ErrNotFound) {
		return notFound("No delta has named SKU %q yet.", sku)
	}
	if err != nil {
		return err
	}
	answer.Channels = orEmpty(answer.Channels)
	answer.Locations = orEmpty(answer.Locations)
	for i := range answer.Locations {
		answer.Locations[i].Channels = orEmpty(answer.Locations[i].Channels)
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (s *Server) getLocation(w http.ResponseWriter, r *http.Request, q query) error {
	sku, err := pathName(r, "sku")
	if err != nil {
		return err
	}
	location, err := pathName(r, "location")
	if err != nil {
		return err
	}
	if err := s.awaitPosition(r.Context(), q); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	answer, err := s.backend.Location(ctx, sku, location)
	if errors.Is(err, ErrNotFound) {
		return notFound("No delta has named SKU %q at location %q yet.", sku, location)
	}
	if err != nil {
		return err
	}
	answer.Channels = orEmpty(answer.Channels)
	return writeJSON(w, http.StatusOK, answer)
}

// awaitPosition waits for ?position=, where it is given, to be applied.
func (s *Server) awaitPosition(ctx context.Context, q query) error {
	want, ok, err := q.position()
	if err != nil || !ok {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, want.timeout)
	defer cancel()
	err = s.backend.WaitPosition(ctx, want.partition, want.sequence)
	switch {
	case errors.Is(err, ErrNotFound):
		return badRequest(`Parameter "position" names partition %d, which is not here.`, want.partition)
	case errors.Is(err, context.DeadlineExceeded):
		return timedOut(http.StatusGatewayTimeout, "Position %s was not applied within %s. It may be yet: ask again.", want, want.timeout)
	}
	return err
}

// pathName returns a decoded path element.
func pathName(r *http.Request, element string) (string, error) {
	name := r.PathValue(element)
	if !utf8.ValidString(name) {
		return "", badRequest("The %s %q is not UTF-8.", element, name)
	}
	return name, nil
}

// orEmpty makes a list that is not there an empty one, which is [] in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
