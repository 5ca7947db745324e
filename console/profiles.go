package console

import (
	"net/http"
	"net/http/pprof"
	profiles "runtime/pprof"
)

// profilesRoot is where the profiles are listed; their links are relative to it.
const profilesRoot = "/debug/pprof/"

// getProfile serves Go's profiles for go tool pprof and go tool trace, where that was asked for. The command line
// is not served: it may hold a password.
func (s *Server) getProfile(w http.ResponseWriter, r *http.Request, _ query) error {
	if !s.profiles {
		return notFound("Profiles are off; start holdfast with --pprof.")
	}
	w.Header().Set("Cache-Control", "no-store")
	switch name := r.PathValue("profile"); name {
	case "":
		pprof.Index(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		if profiles.Lookup(name) == nil {
			return notFound("There is no profile of that name; %s lists those that there are.", profilesRoot)
		}
		pprof.Handler(name).ServeHTTP(w, r)
	}
	return nil
}
