package console

import (
	"context"
	"fmt"
	"net/http"
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
// backend does not get the process killed.
func (s *Server) getHealth(w http.ResponseWriter, _ *http.Request, _ query) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": s.version})
}

// getReady answers 200 once every partition has caught up, else 503 with how
// far each is.
func (s *Server) getReady(w http.ResponseWriter, r *http.Request, _ query) error {
	answer, err := s.overview(r.Context())
	if err != nil {
		return unavailable("The partitions can't be asked: %v.", err)
	}
	if answer.Ready {
		return writeJSON(w, http.StatusOK, answer)
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
	text := fmt.Sprintf("%d of %d partitions are catching up, %d messages to go.", late, len(partitions), lag)
	if stuck > 0 {
		text += fmt.Sprintf(" %d stand still with an error: see the member partitions.", stuck)
	}
	return text
}
