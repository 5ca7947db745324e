package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/access"
	"github.com/holdfast-atp/holdfast/control"
)

// route is one call of the API. The table of routes is the only place where calls
// are named, and with them who may call; openapi.yaml describes them, and a test compares the two.
type route struct {
	method  string
	path    string      // a pattern of http.ServeMux
	needs   access.Role // of the caller; Anyone is for what says nothing about stock
	query   []string
	handler handler
}

// handler answers a request, or returns what to answer instead: a *problem, or
// an error of the Backend. It returns an error only before it has sent anything.
type handler func(w http.ResponseWriter, r *http.Request, q query) error

func (s *Server) routes() []route {
	return []route{
		{"POST", "/v1/deltas", access.Operator, nil, s.postDeltas},
		{"GET", "/v1/atp/{sku}", access.Reader, []string{"position", "timeout"}, s.getSKU},
		{"GET", "/v1/atp/{sku}/{location}", access.Reader, []string{"position", "timeout"}, s.getLocation},
		{"GET", "/v1/directives", access.Reader, []string{"channel", "sku", "location", "action", "limit", "cursor"}, s.getDirectives},
		{"GET", "/v1/exceptions", access.Reader, []string{"status", "class", "location", "sku", "limit", "cursor"}, s.getExceptions},
		{"GET", "/v1/exceptions/{id}", access.Reader, nil, s.getException},
		{"POST", "/v1/exceptions/{id}/approve", access.Approver, nil, s.decide(control.Approve)},
		{"POST", "/v1/exceptions/{id}/reject", access.Approver, nil, s.decide(control.Reject)},
		{"POST", "/v1/exceptions/{id}/resolve", access.Approver, nil, s.decide(control.Resolve)},
		{"POST", "/v1/exceptions/{id}/assign", access.Operator, nil, s.decide(control.Assign)},
		{"GET", "/v1/explain/{command}", access.Reader, nil, s.getExplanation},
		{"GET", "/v1/counts", access.Reader, []string{"location", "budget"}, s.getCounts},
		{"GET", "/v1/risk", access.Reader, []string{"window", "by", "location", "supplier", "channel", "sku", "limit"}, s.getRisk},
		{"POST", "/v1/master", access.Operator, nil, s.postMaster},
		{"GET", "/v1/master/{sku}", access.Reader, nil, s.getItem},
		{"GET", "/v1/policy", access.Reader, nil, s.getPolicy},
		{"GET", "/v1/commands/stream", access.Reader, []string{"channel", "sku", "recent"}, s.streamCommands},
		{"GET", "/v1/overview", access.Reader, nil, s.getOverview},
		{"GET", "/v1/session", access.Reader, nil, s.getSession},
		{"POST", "/v1/session", access.Reader, nil, s.postSession},
		{"DELETE", "/v1/session", access.Anyone, nil, s.deleteSession},
		{"GET", "/metrics", access.Reader, nil, s.getMetrics},
		{"GET", profilesRoot + "{profile...}", access.Admin, nil, s.getProfile},
		{"GET", "/healthz", access.Anyone, nil, s.getHealth},
		{"GET", "/readyz", access.Anyone, nil, s.getReady},
		{"GET", "/openapi.yaml", access.Anyone, nil, s.asset("openapi.yaml")},
		{"GET", "/{$}", access.Anyone, nil, s.asset("web/index.html")},
		{"GET", "/assets/{name}", access.Anyone, nil, s.getAsset},
	}
}

// mux routes to the table; what it does not name is answered with a problem.
func (s *Server) mux() *http.ServeMux {
	mux := http.NewServeMux()
	allow := map[string][]string{}
	for _, rt := range s.routes() {
		mux.HandleFunc(rt.method+" "+rt.path, s.serve(rt))
		allow[rt.path] = append(allow[rt.path], rt.method)
		if rt.method == http.MethodGet {
			allow[rt.path] = append(allow[rt.path], http.MethodHead)
		}
	}
	for path, methods := range allow {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			methodNotAllowed(r.Method, methods).write(w, r)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		notFound("No call has this address; /openapi.yaml lists those that there are.").write(w, r)
	})
	return mux
}

func (s *Server) serve(rt route) http.HandlerFunc {
	strict := strings.HasPrefix(rt.path, "/v1/") // elsewhere probes and browsers may add what they like
	return func(w http.ResponseWriter, r *http.Request) {
		var q query
		_, err := s.admit(r, rt.needs)
		if err == nil && strict {
			q, err = parseQuery(r.URL.RawQuery, rt.query)
		}
		if err == nil {
			err = rt.handler(w, r, q)
		}
		if err == nil {
			return
		}
		p := problemOf(err)
		if r.Context().Err() != nil && p.status == http.StatusInternalServerError {
			p = cutOff()
		}
		if p.status == http.StatusInternalServerError {
			s.logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.EscapedPath(), "error", err)
		}
		p.write(w, r)
	}
}

// wellFormed reports whether mux will take the path as it is. It would redirect a path
// with empty or dot elements to another one, and so to another SKU than the
// caller meant.
func wellFormed(escapedPath string) bool {
	if escapedPath == "/" || escapedPath == profilesRoot {
		return true
	}
	rest, ok := strings.CutPrefix(escapedPath, "/")
	return ok && !slices.ContainsFunc(strings.Split(rest, "/"), func(element string) bool {
		return element == "" || element == "." || element == ".."
	})
}
