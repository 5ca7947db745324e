package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-atp/holdfast/access"
)

type overviewAnswer struct {
	Overview
	Ready   bool   `json:"ready"`
	Version string `json:"version"`
}

func (s *Server) overview(ctx context.Context) (overviewAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.backendTimeout)
	defer cancel()
	o, err := s.backend.Overview(ctx)
	o.Partitions = orEmpty(o.Partitions)
	return overviewAnswer{Overview: o, Ready: o.Ready(), Version: s.version}, err
}

func (s *Server) getOverview(w http.ResponseWriter, r *http.Request, _ query) error {
	answer, err := s.overview(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// getHealth says that the process serves; it asks nothing, so that a slow
// backend does not get the process killed. Whoever is no reader is not told the version.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request, _ query) error {
	answer := map[string]string{"status": "ok"}
	if s.isReader(r) {
		answer["version"] = s.version
	}
	return writeJSON(w, http.StatusOK, answer)
}

// isReader reports whether r may be told what a reader may, where anyone gets some answer.
func (s *Server) isReader(r *http.Request) bool {
	id, _ := s.identify(r)
	return id.Role.Allows(access.Reader)
}

// getReady answers 200 once every partition has caught up, else 503; readers are told
// how far each is.
func (s *Server) getReady(w http.ResponseWriter, r *http.Request, _ query) error {
	answer, err := s.overview(r.Context())
	if err != nil {
		if !s.isReader(r) {
			return unavailable("The partitions can't be asked.")
		}
		return unavailable("The partitions can't be asked: %v.", err)
	}
	switch {
	case answer.Ready && s.isReader(r):
		return writeJSON(w, http.StatusOK, answer)
	case answer.Ready:
		return writeJSON(w, http.StatusOK, map[string]bool{"ready": true})
	case !s.isReader(r):
		return unavailable("Not every partition has caught up.")
	}
	p := unavailable("%s", behind(answer.Partitions))
	p.extra = map[string]any{"partitions": answer.Partitions}
	return p
}

// behind says in a sentence what is missing for being ready.
func behind(partitions []PartitionOverview) string {
	if len(partitions) == 0 {
		return "No partition is owned here yet."
	}
	var late, stuck int
	var lag uint64
	for i := range partitions {
		p := &partitions[i]
		if p.Error != "" {
			stuck++
		}
		if !p.CaughtUp {
			late++
			lag += p.Lag
		}
	}
	text := ""
	if late > 0 || stuck == 0 {
		text = fmt.Sprintf("%d of %d partitions are catching up, %d messages to go.", late, len(partitions), lag)
	}
	if stuck > 0 {
		text = strings.TrimSpace(text + fmt.Sprintf(" %d are in trouble, with an error: see the member partitions.", stuck))
	}
	return text
}
